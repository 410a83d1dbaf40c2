"""`caravel task …`: who has a task in hand. Tasks are named as the list shows them: `NUMBER/what is owed`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cyclopts import App

from api.cli.options import As, Json
from api.cli.outcome import REFUSED, USAGE, CommandFailed, as_json, say
from api.cli.way import Caravel, asking
from domain.core.about import chased

app = App(name="task", help="Tasks in hand: claim, hand back, offer, accept, decline, take over; each by itself.")


@app.command
def claim(*tasks: str, as_: As = "", json: Json = False) -> None:
    """Have tasks in hand from now on: `caravel task claim 2026-0001-5/first_reply`."""
    _each(tasks, "ClaimTask", as_, json=json)


@app.command
def hand_back(*tasks: str, as_: As = "", json: Json = False) -> None:
    """Give tasks back to all of the role."""
    _each(tasks, "HandBackTask", as_, json=json)


@app.command
def offer(*tasks: str, to: str, as_: As = "", json: Json = False) -> None:
    """Ask a colleague to do tasks: --to takes their id, as `caravel person list` shows it."""
    _each(tasks, "OfferTask", as_, json=json, colleague=to)


@app.command
def accept(*tasks: str, as_: As = "", json: Json = False) -> None:
    """Do what a colleague asked you to do."""
    _each(tasks, "AcceptTask", as_, json=json)


@app.command
def decline(*tasks: str, reason: str, as_: As = "", json: Json = False) -> None:
    """Leave tasks with whoever asked you, and say why."""
    _each(tasks, "DeclineTask", as_, json=json, reason=reason)


@app.command
def take_over(*tasks: str, reason: str, as_: As = "", json: Json = False) -> None:
    """Have tasks in hand from now on, whoever had them; for supervisors."""
    _each(tasks, "TakeOverTask", as_, json=json, reason=reason)


def _each(tasks: tuple[str, ...], command: str, person: str, *, json: bool, **said: str) -> None:
    """Give the command for every task by itself. Raises CommandFailed after all of them, when one was refused."""
    if not tasks:
        raise CommandFailed(USAGE, "name tasks as NUMBER/what is owed; caravel tasks lists them")

    async def done(c: Caravel) -> list[Mapping[str, str]]:
        return [await _one(c, task, {"type": command, **said}) for task in tasks]

    results = asking(done, person=person)
    if json:
        as_json(results)
    else:
        for one in results:
            say(f"{one['task']}  {one['result']}  {one['words']}".rstrip())
    if any(one["result"] == "refused" for one in results):
        raise CommandFailed(REFUSED, "not all of it was done")


async def _one(c: Caravel, task: str, body: Mapping[str, Any]) -> Mapping[str, str]:
    case, _, kind = task.partition("/")
    try:
        owed = _meant((await c.get(f"/cases/{case}/agenda"))["obligations"], kind)
        await c.post(f"/cases/{case}/commands", {**body, "obligation": owed["id"]})
    except CommandFailed as no:
        return {"task": task, "result": "refused", "words": "; ".join([str(no), *no.details])}
    return {"task": task, "result": "done", "words": ""}


def _meant(owed: Sequence[Mapping[str, str]], kind: str) -> Mapping[str, str]:
    """The one obligation of that name. Raises CommandFailed."""
    found = [o for o in owed if kind in _names(o)]
    if len(found) != 1:
        raise CommandFailed(
            REFUSED, "owed more than once; name it by its id" if found else "nothing of that name is owed"
        )
    return found[0]


def _names(o: Mapping[str, str]) -> tuple[str, ...]:
    """What an obligation can be called: its id, its kind, and the kind of what it chases."""
    chases = (chased(o["about"])[0],) if o["kind"].startswith("chase") else ()
    return (o["id"], o["kind"], *chases)
