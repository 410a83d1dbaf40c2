"""Says of each kind of arrangement what is said when it is asked for, and what must be known once it is agreed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from domain.case.phases.arrangements import Arrangement, ArrangementKind, AskedOf
from domain.case.state import Case
from domain.core.errors import Reason, Refused


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind. `says`: fields that describe it; `needs`: without these nobody can be asked; `known`: when agreed.

    `appointment`: the centre offers times, one is chosen. `moves`: it is made for the planned day of arrival. `days`:
    how long it is wanted from that day on, None = for the whole stay. `once`: there is one at a time.
    """

    says: frozenset[str]
    needs: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    appointment: bool = False
    moves: bool = True
    days: int | None = None
    once: bool = True
    of: tuple[AskedOf, ...] = ("centre", "lodging_house", "agency", "family")


def _fields(*names: str) -> frozenset[str]:
    return frozenset(names)


CENTRE: tuple[AskedOf, ...] = ("centre",)
KINDS: Mapping[ArrangementKind, KindRow] = {
    "lodging": KindRow(
        _fields("place", "distance_km", "payer", "contact", "phone", "emergency_number"),
        known=_fields("place"),
    ),
    "interpreter": KindRow(
        _fields("language_from", "language_to", "mode", "setting", "hours_a_day", "payer", "contact", "phone"),
        needs=_fields("language_from", "language_to", "mode"),
        once=False,
    ),
    "transfer": KindRow(
        _fields("place", "flight", "payer", "contact", "phone"),
        needs=_fields("place"),
        known=_fields("contact"),
        days=1,
    ),
    "local_contact": KindRow(
        _fields("contact", "phone", "emergency_number"),
        known=_fields("contact", "phone"),
    ),
    "tele_consultation": KindRow(
        _fields("place"), known=_fields("place"), appointment=True, moves=False, once=False, of=CENTRE
    ),
    "admission": KindRow(_fields("place"), appointment=True, days=3, of=CENTRE),
    "visit": KindRow(_fields("place"), appointment=True, moves=False, once=False, of=CENTRE),
}
"""Kind → what it takes [travel.arrangements]. A tele-consultation's place is the address of the call."""

SAYS = frozenset[str]().union(*(row.says for row in KINDS.values()))
"""Every field that describes some kind."""
PERSONAL = _fields("place", "flight", "contact", "phone", "emergency_number")
"""Those that are sealed."""


def lands(day: date) -> datetime:
    """Return the beginning of a day of arrival, in UTC, as everywhere a day of arrival is compared with an instant."""
    return datetime.combine(day, time(), UTC)


def planned_arrival(case: Case) -> date | None:
    """Return the planned day of arrival, None where no stay is planned."""
    known = case.stay_plan.get("arrives")
    return known if isinstance(known, date) else None


def window(
    case: Case, kind: ArrangementKind, starts: datetime | None, ends: datetime | None
) -> tuple[datetime, datetime]:
    """Return from when until when it is wanted: as said, else as the planned stay needs it. Raises Refused."""
    row, arrives = KINDS[kind], planned_arrival(case)
    if starts is not None and ends is not None:
        return starts, ends
    if not row.moves:
        raise Refused(Reason.MISSING, f"{kind} needs starts and ends: between them it is wanted", "starts")
    if arrives is None:
        raise Refused(Reason.MISSING, "no stay is planned (PlanStay): say starts and ends, or plan it first", "starts")
    days = row.days or int(case.stay_plan.get("days", 1))
    begins = starts or lands(arrives)
    return begins, ends or max(lands(arrives), begins) + timedelta(days=days)


def shifted(a: Arrangement, arrives: date) -> tuple[datetime, datetime]:
    """Return when it is wanted for another day of arrival: as many days later or earlier as the day moves.

    A time that was agreed with a centre becomes a span again, from the same hour on.
    """
    by = arrives - a.arrives if a.arrives else timedelta()
    row = KINDS[a.kind]
    span = max(a.ends - a.starts, timedelta(days=row.days or 0)) if row.appointment else a.ends - a.starts
    return a.starts + by, a.starts + by + span


def covers(case: Case, a: Arrangement) -> bool:
    """Return whether what was agreed is there from the planned arrival on; lodging for the whole planned stay."""
    arrives = planned_arrival(case)
    if arrives is None or not KINDS[a.kind].moves:
        return True
    whole = a.kind == "lodging" and isinstance(case.stay_plan.get("days"), int)
    until = lands(arrives) + timedelta(days=case.stay_plan["days"] - 1 if whole else 0)
    return a.ends > until and a.starts < lands(arrives) + timedelta(days=max(1, KINDS[a.kind].days or 1) + 1)


def made_for_another_day(case: Case, a: Arrangement, arrives: date | None) -> bool:
    """Return whether it is arranged, and for another day of arrival than this one."""
    return a.live and a.arrives is not None and arrives is not None and a.arrives != arrives
