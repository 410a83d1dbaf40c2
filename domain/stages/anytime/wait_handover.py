"""Carries waits from a case that is merged to the one that goes on, with their time and urgency [waiting.merged].

The wait keeps its id, so that the protocol's list only changes whose it is; a place that is offered or taken goes
along.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from domain.case.phases.submissions import HandedWait, Wait
from domain.case.stage import Stage
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.fact import Fact

NEWER = 100
"""How many rounds the case that goes on is ahead: whatever the merged one may still have told its list is older."""


@dataclass(frozen=True, slots=True)
class WaitTakenOver:
    """The case waits in place of one that was merged into it; where it waited itself, the older time counts."""

    handed: HandedWait
    came_from: str
    type: Literal["WaitTakenOver"] = "WaitTakenOver"


@dataclass(frozen=True, slots=True)
class WaitHandedOver:
    """The case that this one was merged into waits in its place; nothing is given back."""

    wait: str
    to: str
    type: Literal["WaitHandedOver"] = "WaitHandedOver"


Event = WaitTakenOver | WaitHandedOver

TAKES: tuple[Takes, ...] = ()
"""No command is told here: waits go along with a merge."""


def handed(case: Case) -> tuple[HandedWait, ...]:
    """Return the waits that a case would hand over."""
    return tuple(_handed(wait) for wait in case.waiting.values() if wait.live)


def _handed(w: Wait) -> HandedWait:
    place = (w.place, w.at) if w.state == "taken" else ("", "")
    return HandedWait(w.id, w.protocol, w.centre, w.since, w.urgent, w.round, *place, w.passed, w.unanswered)


def taken_over(case: Case, waits: Sequence[HandedWait], came_from: str) -> Sequence[WaitTakenOver]:
    """Return what the case that goes on takes over: nothing once it travels or has left, no second taken place.

    Where it waits at the same protocol itself it keeps its own wait, from then on since the older of both times.
    """
    if case.exit or case.infusions or case.stage.rank > Stage.ELIGIBILITY.rank:
        return []
    own = {wait.protocol: wait for wait in case.waiting.values() if wait.live}
    holds = any(wait.state == "taken" for wait in own.values())
    found: list[WaitTakenOver] = []
    for wait in waits:
        known = own.get(wait.protocol)
        if known is None and not (wait.place and holds):
            found.append(WaitTakenOver(wait, came_from))
            holds = holds or bool(wait.place)
        elif known is not None and wait.since < known.since:
            found.append(WaitTakenOver(replace(_handed(known), since=wait.since), came_from))
    return found


def handed_over(case: Case, kept: Collection[str], to: str) -> Sequence[WaitHandedOver]:
    """Return what the merged case does not wait for any more; what was not kept ends as when a journey is left."""
    return [WaitHandedOver(wait.id, to) for wait in case.waiting.values() if wait.live and wait.id in kept]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one wait that changed its case."""
    event = fact.event
    match event:
        case WaitTakenOver():
            return replace(case, waiting={**case.waiting, event.handed.wait: _after(case, event)})
        case WaitHandedOver():
            return replace(case, waiting={name: wait for name, wait in case.waiting.items() if name != event.wait})
        case _:
            assert_never(event)


def _after(case: Case, e: WaitTakenOver) -> Wait:
    known, h = case.waiting.get(e.handed.wait), e.handed
    if known is not None:
        return replace(known, since=h.since, round=known.round + 1)
    state: Literal["taken", "waiting"] = "taken" if h.place else "waiting"
    new = Wait(h.wait, h.protocol, h.centre, h.since, h.urgent, state, h.round + NEWER, h.place, h.at)
    pressing = h.urgent and not case.urgent
    return replace(
        new, passed=h.passed, asked=tuple(case.submissions), unanswered=h.unanswered, came_from=e.came_from,
        pressing=pressing,
    )  # fmt: skip
