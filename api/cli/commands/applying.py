"""`caravel policy apply`: which open obligations the policy in use here would re-date, and with --yes does so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.cli.here import opened
from api.cli.options import As, Json
from api.cli.outcome import REFUSED, USAGE, CommandFailed, as_json, say, table
from api.cli.way import running
from api.run.wiring import MACHINE, Parts, actor_of
from domain.case.obligation import ObligationRedated
from domain.case.state import Case
from domain.core.errors import Refused
from domain.core.roles import Action
from domain.roles import Actor, allow
from domain.stages.anytime.holding import ApplyPolicy, reckoned_by

Move = dict[str, Any]


def apply(*, yes: bool = False, reason: str = "", as_: As = "", json: Json = False) -> None:
    """List what would move; deadlines people have set, and those that would be over already, stay.

    A case that fails is named, and the same command again does what is left.

    Args:
        yes: Record it, case by case.
        reason: Why; kept with every deadline that moves.
        as_: The supervisor in whose name it is done.
        json: For programs.
    """
    if yes and not (reason and as_):
        raise CommandFailed(USAGE, "a deadline is moved by somebody and for a reason: --as PERSON --reason TEXT")
    moves, failed = running(_apply(as_, reason if yes else ""))
    if json:
        as_json({"recorded": yes, "moves": moves, "failed": failed})
    else:
        columns = ("case", "number", "obligation", "old", "new", "old_steps", "new_steps")
        table(columns, [[move[name] for name in columns] for move in moves], "re-dated" if yes else "would be re-dated")
        say(f"{len(moves)} deadlines in {len({m['case'] for m in moves})} cases")
    if failed:
        raise CommandFailed(REFUSED, "some cases are left", failed)


async def _apply(person: str, reason: str) -> tuple[list[Move], list[str]]:
    moves: list[Move] = []
    failed: list[str] = []
    async with opened() as here:
        actor = await actor_of(here, person)
        async for case, events in _moving(here):
            if reason:
                try:
                    events = await _record(here, case, actor, reason)  # noqa: PLW2901 - what was really recorded
                except Refused as no:
                    failed.append(f"{case.id}: {no.reason.value}: {no.detail}")
                    continue
            moves += [_move(case, event) for event in events]
    return moves, failed


async def _moving(here: Parts) -> AsyncIterator[tuple[Case, Sequence[ObligationRedated]]]:
    for waiting in await here.ledger.open_cases():
        case, _, now = await here.commands.case(waiting.stream)
        if events := reckoned_by(case, now, here.commands.policy, "policy"):
            yield case, events


async def _record(here: Parts, case: Case, actor: Actor, reason: str) -> Sequence[ObligationRedated]:
    if actor is MACHINE or not allow(actor, Action.SUPERVISE):
        raise CommandFailed(REFUSED, "deadlines are moved by a supervisor")
    command = ApplyPolicy(here.commands.policy.hash, reason)
    done = await here.commands.record(
        CommandRequest(case.id, Meta(actor.id, actor.stated, provenance="policy apply"), command)
    )
    return [f.event for f in done.facts if isinstance(f.event, ObligationRedated) and f.event.policy]


def _move(case: Case, event: ObligationRedated) -> Move:
    known = case.obligations[event.obligation]
    old = [step.at.isoformat() for n, step in enumerate(known.steps) if n not in known.done]
    return {
        "case": case.id,
        "number": case.number,
        "obligation": known.kind,
        "id": known.id,
        "old": known.due.isoformat(),
        "new": event.due.isoformat(),
        "old_steps": old,
        "new_steps": [step.at.isoformat() for step in event.steps],
    }
