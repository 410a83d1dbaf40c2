"""`caravel audit whatif`: every case once more under another policy or rule; nothing is asked of the world."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from activities.ports import Ledger
from api.cli.here import opened
from api.cli.options import Json
from api.cli.outcome import USAGE, CommandFailed, as_json, say, table
from api.cli.way import running
from api.http.masking import NOTHING, mask
from domain.case.table import Rule
from domain.core.fact import Fact
from domain.core.policy import Policy
from domain.history.whatif import ChangedOutcome, changed, fork, with_versions
from domain.journey import RULES
from infra.policy.calendars import CalendarsInvalid
from infra.policy.reading import PolicyInvalid, load_policy
from infra.reads.worklist import WorklistQueries

Found = AsyncIterator[tuple[str, Sequence[ChangedOutcome]]]
EVERYBODY = ("all", "", "")
SHOWN = 40
"""Rows on a screen; --json has them all."""


def whatif(
    *, policy: Path | None = None, rule: Annotated[tuple[str, ...], Parameter(name="--rule")] = (), json: Json = False
) -> None:
    """Compute what would have come of every past and open case under another policy or rule; nothing is recorded.

    Args:
        policy: A policy file; this machine's own when nothing is said.
        rule: NAME=VERSION, as events name them; may be given several times.
        json: For programs.
    """
    rules = _rules(rule)
    outcome = running(_whatif(policy, rules))
    as_json(outcome) if json else _print(outcome)


def _rules(words: Sequence[str]) -> Sequence[Rule]:
    wanted = {}
    for word in words:
        name, _, version = word.partition("=")
        if not version.isdecimal():
            raise CommandFailed(USAGE, f"write {word} as NAME=VERSION")
        wanted[name] = int(version)
    try:
        return with_versions(RULES, wanted)
    except LookupError as none:
        raise CommandFailed(USAGE, str(none.args[0])) from None


async def _whatif(path: Path | None, rules: Sequence[Rule]) -> Mapping[str, Any]:
    async with opened() as here:
        policy = here.commands.policy if path is None else _policy(path)
        cases = [row["stream"] async for row in _cases(WorklistQueries(here.ledger))]
        found = {case: rows async for case, rows in compared(here.ledger, cases, policy, rules) if rows}
    return {
        "policy": {"name": policy.name, "hash": policy.hash},
        "cases": len(cases),
        "changed": {case: [_shown(one) for one in rows] for case, rows in found.items()},
    }


def _policy(path: Path) -> Policy:
    try:
        return load_policy(path)
    except (PolicyInvalid, CalendarsInvalid, OSError) as error:
        raise CommandFailed(USAGE, str(error)) from None


async def _cases(desk: WorklistQueries) -> AsyncIterator[Mapping[str, Any]]:
    """Every case, closed ones too."""
    after = None
    while page := await desk.worklist(EVERYBODY, {}, after, 500):
        for row in page:
            yield row
        last = page[-1]
        after = last["next_due"], last["stream"], bool(last["urgent"] and last["open"])


async def compared(ledger: Ledger, cases: Sequence[str], policy: Policy, rules: Sequence[Rule]) -> Found:
    """Return each case with every outcome that would be another."""
    for case in cases:
        facts = (await ledger.load(case)).facts
        yield case, changed(facts, fork(facts, policy, rules))


def _shown(one: ChangedOutcome) -> dict[str, Any]:
    fact = one.after or one.before
    assert fact is not None
    what = "changed" if one.before and one.after else "added" if one.after else "gone"
    return {"what": what, "type": fact.event.type, "id": fact.id, "was": _side(one.before), "is": _side(one.after)}


def _side(fact: Fact[Any] | None) -> dict[str, Any] | None:
    return {"at": fact.at.isoformat(), **mask(fact.event, NOTHING, without=("type", "policy"))} if fact else None


def _print(outcome: Mapping[str, Any]) -> None:
    rows = [(case, row) for case, found in outcome["changed"].items() for row in found]
    say(f"{outcome['cases']} cases under {outcome['policy']['name']} {outcome['policy']['hash'][:12]}")
    counts = Counter((row["type"], row["what"]) for _, row in rows)
    table(("event", "", "how many"), [(kind, what, n) for (kind, what), n in counts.most_common()])
    table(
        ("case", "event", "", "was", "is"),
        [(case, row["type"], row["what"], _line(row["was"]), _line(row["is"])) for case, row in rows[:SHOWN]],
    )
    say(f"{len(outcome['changed'])} cases would stand differently, {len(rows)} outcomes in all")


def _line(side: Mapping[str, Any] | None) -> str:
    if side is None:
        return ""
    names = ("kind", "about", "due", "stage", "reason", "obligation", "effect")
    return " ".join(str(side[name]) for name in names if side.get(name)) + f" at {side['at'][:16]}"
