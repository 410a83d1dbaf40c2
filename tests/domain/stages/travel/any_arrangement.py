"""Arrangements as random histories make them: of every kind, asked of everybody, answered in every way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.case.phases.arrangements import ARRANGEMENT_KINDS, Slot
from domain.stages.travel.arrangement_answers import ChooseSlot, ConfirmArrangement, OfferSlots, RefuseArrangement
from domain.stages.travel.arrangement_kinds import KINDS
from domain.stages.travel.arranging import AskArrangement, AskArrangementAgain, CancelArrangement
from domain.stages.travel.moving_costs import RecordMovingCost, movable
from domain.stages.travel.readiness import WAIVABLE, WaiveArrivalItem
from tests.domain.journey import DAY, HOUR, Journey


def any_asked(j: Journey, n: int) -> AskArrangement:
    kind = ARRANGEMENT_KINDS[n % len(ARRANGEMENT_KINDS)]
    of = KINDS[kind].of
    said: Mapping[str, Any] = {
        "interpreter": {"language_from": "hi", "language_to": "zh", "mode": "present"},
        "transfer": {"place": "PVG"},
    }.get(kind, {})
    free = KINDS[kind].moves and n % 2
    times: Mapping[str, Any] = {} if free else {"starts": j.now + DAY, "ends": j.now + (2 + n % 30) * DAY}
    return AskArrangement(kind, of[n // 7 % len(of)], **said, **times)


def one(j: Journey, n: int) -> str:
    known = list(j.case.arrangements)
    return known[n % len(known)] if known else "nothing"


def _slots(j: Journey, n: int) -> tuple[Slot, ...]:
    return tuple(Slot(j.now + (k + 1) * DAY, j.now + (k + 1) * DAY + HOUR) for k in range(1 + n % 3))


def _chosen(j: Journey, n: int) -> ChooseSlot:
    known = j.case.arrangements.get(one(j, n))
    return ChooseSlot(one(j, n), known.slots[n % len(known.slots)].starts if known and known.slots else j.now)


def _again(j: Journey, n: int) -> AskArrangementAgain:
    """For other times, or moved with the arrival."""
    return AskArrangementAgain(one(j, n), j.now + DAY, j.now + 9 * DAY) if n % 2 else AskArrangementAgain(one(j, n))


def _confirmed(j: Journey, n: int) -> ConfirmArrangement:
    known = j.case.arrangements.get(one(j, n))
    needed = KINDS[known.kind].known if known else frozenset()
    said: dict[str, Any] = dict.fromkeys(needed, "as told")
    starts = j.now + (1 + n % 9) * DAY if known and KINDS[known.kind].appointment else None
    return ConfirmArrangement(one(j, n), f"A-{n}", starts=starts, **said)


def _cost(j: Journey, n: int) -> RecordMovingCost:
    known = list(movable(j.case))
    free = j.now + (n % 20 - 5) * DAY if n % 3 else None
    return RecordMovingCost(known[n % len(known)] if known else "bed", "USD", n % 7, n % 9 if n % 2 else None, free)


MAKE: Mapping[type[Any], Callable[[Journey, int], Any]] = {
    AskArrangement: any_asked,
    AskArrangementAgain: _again,
    CancelArrangement: lambda j, n: CancelArrangement(one(j, n), "not_needed"),
    OfferSlots: lambda j, n: OfferSlots(one(j, n), _slots(j, n)),
    ChooseSlot: _chosen,
    ConfirmArrangement: _confirmed,
    WaiveArrivalItem: lambda _, n: WaiveArrivalItem(WAIVABLE[n % len(WAIVABLE)], "they see to it themselves"),
    RefuseArrangement: lambda j, n: RefuseArrangement(one(j, n), "none_free"),
    RecordMovingCost: _cost,
}
