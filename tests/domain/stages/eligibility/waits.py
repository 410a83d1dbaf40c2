"""What random histories are made of where a way is chosen, or a place waited for; now and then one is offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.case.phases.submissions import RankedWay
from domain.catalogue.waiting.waiting_list import Place
from domain.stages.eligibility.ranking import NoteFirstRank
from domain.stages.eligibility.submissions import ChooseCentre, ChooseExcludedCentre
from domain.stages.eligibility.waiting import ConfirmWaiting, DeclinePlace, StopWaiting, TakePlace, WaitForPlace
from tests.domain.course import CENTRE, PROTOCOL, patient
from tests.domain.journey import DAY, Journey


def offered(j: Journey, n: int) -> str:
    """A wait of the case; for every other number the list has just offered it a place."""
    waits = list(j.case.waiting)
    wait = waits[n % len(waits)] if waits else "nothing"
    known = j.case.waiting.get(wait)
    if known and known.state == "waiting" and n % 2:
        place = Place(f"place-{len(known.passed)}", CENTRE, "offered", wait, j.case.id, j.now + DAY)
        j.source(known.protocol, places=(place,)).look()
    return wait


def lapsed(j: Journey, n: int) -> str:
    """A wait of the case; for some numbers an offer of it has just lapsed."""
    wait = offered(j, n)
    if n % 4 == 1:
        j.away(DAY).look()
    return wait


def lapsed_place(j: Journey) -> None:
    """The case was offered a place, and nobody answered in time."""
    offered_place(j)
    j.away(3 * DAY).look()


def still_waits(j: Journey) -> None:
    j.tell(ConfirmWaiting(next(iter(j.case.waiting)), patient(j)))


def _person(j: Journey, n: int) -> str:
    people = list(j.case.people)
    return people[n % len(people)] if people else "nobody"


def offered_place(j: Journey) -> None:
    """The case waits, and the protocol's list offers it a place."""
    j.tell(WaitForPlace(PROTOCOL))
    wait = next(iter(j.case.waiting))
    place = Place("place-1", CENTRE, "offered", wait, "case-1", j.now + 3 * DAY, "longest", 2, 0)
    j.source(PROTOCOL, places=(place,)).look()


def take_place(j: Journey) -> None:
    j.tell(TakePlace(next(iter(j.case.waiting)), patient(j)))


def _wait(_: Journey, n: int) -> WaitForPlace:
    return WaitForPlace((PROTOCOL, "protocol-b")[n % 2], ("", CENTRE)[n // 2 % 2])


def _choose(_: Journey, n: int) -> ChooseCentre:
    return ChooseCentre(*((CENTRE, PROTOCOL), ("centre-b", "protocol-b"))[n % 2])


def _exclude(_: Journey, n: int) -> ChooseExcludedCentre:
    return ChooseExcludedCentre((CENTRE, "centre-b")[n % 2], PROTOCOL, "no other", n % 3, 2)


def note_first_rank(position: int = 7) -> NoteFirstRank:
    """What was first closed, and another protocol is first."""
    return NoteFirstRank((RankedWay(PROTOCOL, CENTRE, ("protocol",)),), (RankedWay("protocol-b", CENTRE),), position)


WAITS: Mapping[type[Any], Callable[[Journey, int], Any]] = {
    ChooseCentre: _choose,
    ChooseExcludedCentre: _exclude,
    WaitForPlace: _wait,
    TakePlace: lambda j, n: TakePlace(offered(j, n), _person(j, n)),
    DeclinePlace: lambda j, n: DeclinePlace(offered(j, n), "too far"),
    StopWaiting: lambda j, n: StopWaiting([*j.case.waiting, "nothing"][n % (len(j.case.waiting) + 1)], "enough"),
    ConfirmWaiting: lambda j, n: ConfirmWaiting(lapsed(j, n), _person(j, n)),
    NoteFirstRank: lambda _, n: note_first_rank(n % 9 + 1),
}
