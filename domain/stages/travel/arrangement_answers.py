"""Takes what others say of an arrangement [S5]: times to choose from, yes or no."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.case.asking import appointment, service
from domain.case.phases.arrangements import LIVE, Arrangement, AskedOf, Payer, Slot
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Takes, Wants
from domain.core.about import About
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity
from domain.core.policy import Party, Policy
from domain.stages.travel.arrangement_kinds import KINDS, PERSONAL, made_for_another_day, planned_arrival
from domain.stages.travel.arranging import (
    AT,
    OUTSIDE,
    ArrangementAskedAgain,
    ahead,
    called_off,
    changed,
    require_ahead,
    require_arrangement,
    require_near,
)
from domain.stages.travel.letter import preparing


@dataclass(frozen=True, slots=True)
class OfferSlots:
    """The centre offers times for an appointment; one is chosen."""

    arrangement: str
    slots: tuple[Slot, ...]
    type: Literal["OfferSlots"] = "OfferSlots"


@dataclass(frozen=True, slots=True)
class ChooseSlot:
    """The offered time that begins at `starts` is taken."""

    arrangement: str
    starts: datetime
    type: Literal["ChooseSlot"] = "ChooseSlot"


@dataclass(frozen=True, slots=True)
class ConfirmArrangement:
    """Whoever was asked agrees. Times that are left out are as asked; `ref` is their own number."""

    arrangement: str
    ref: str = ""
    starts: datetime | None = None
    ends: datetime | None = None
    place: Identity = ""
    distance_km: int | None = None
    payer: Payer = ""
    contact: Identity = ""
    phone: Identity = ""
    emergency_number: Identity = ""
    type: Literal["ConfirmArrangement"] = "ConfirmArrangement"


@dataclass(frozen=True, slots=True)
class RefuseArrangement:
    """Whoever was asked cannot do it."""

    arrangement: str
    code: Literal["none_free", "not_offered", "other"]
    type: Literal["RefuseArrangement"] = "RefuseArrangement"


Command = OfferSlots | ChooseSlot | ConfirmArrangement | RefuseArrangement


@dataclass(frozen=True, slots=True)
class SlotsOffered:
    """The centre offers these times."""

    arrangement: str
    slots: tuple[Slot, ...]
    type: Literal["SlotsOffered"] = "SlotsOffered"


@dataclass(frozen=True, slots=True)
class ArrangementConfirmed:
    """Whoever was asked agreed, for these times. `told` names the personal details that are given."""

    arrangement: str
    ref: str
    starts: datetime
    ends: datetime
    distance_km: int | None
    payer: Payer
    place: Identity
    contact: Identity
    phone: Identity
    emergency_number: Identity
    told: tuple[str, ...]
    type: Literal["ArrangementConfirmed"] = "ArrangementConfirmed"


@dataclass(frozen=True, slots=True)
class ArrangementRefused:
    """Whoever was asked cannot do it. `agreed` is the time of an appointment that does not take place for that."""

    arrangement: str
    code: str
    agreed: datetime | None = None
    schema_version: ClassVar[int] = 2
    type: Literal["ArrangementRefused"] = "ArrangementRefused"


Event = SlotsOffered | ArrangementConfirmed | ArrangementRefused

ANSWERED = stages(Stage.ELIGIBILITY)
ASKS = ("arrange_service", "book_appointment", "ask_family_to_arrange")
TAKES = (
    Takes(OfferSlots, (SlotsOffered,), at=ANSWERED, over_fhir=True, answers=("book_appointment",)),
    Takes(ChooseSlot, (ArrangementAskedAgain,), at=AT, answers=("offer_slots_to_family",), settles=("slot_choice",)),
    Takes(
        ConfirmArrangement,
        (ArrangementConfirmed,),
        at=ANSWERED,
        over_fhir=True,
        answers=ASKS,
        settles=("outside_arrangement",),
    ),
    Takes(
        RefuseArrangement,
        (ArrangementRefused,),
        at=ANSWERED,
        over_fhir=True,
        answers=ASKS,
        settles=("outside_arrangement",),
    ),
)


def decide(
    case: Case, command: Command, now: datetime, ids: Ids, policy: Policy
) -> Sequence[Event | ArrangementAskedAgain]:
    """Decide what was answered: return the events it brings about. Raises Refused."""
    match command:
        case OfferSlots():
            return [_offer(case, command, now)]
        case ChooseSlot():
            return [_choose(case, command, now)]
        case ConfirmArrangement():
            return [_confirm(case, command, now)]
        case RefuseArrangement():
            known = require_arrangement(case, command.arrangement, *LIVE)
            return [ArrangementRefused(known.id, command.code, ahead(known, now))]
        case _:
            assert_never(command)


def _offer(case: Case, c: OfferSlots, now: datetime) -> Event:
    known = require_arrangement(case, c.arrangement, "asked", "offered", "refused", "lapsed")
    require(KINDS[known.kind].appointment, Reason.INVALID, "times are offered for an appointment only", "arrangement")
    require(c.slots, Reason.INVALID, "at least one time is offered", "slots")
    for slot in c.slots:
        require(slot.starts < slot.ends, Reason.INVALID, "a time ends after it starts", "slots")
        require(slot.starts > now, Reason.INVALID, "a time that is offered lies ahead", "slots")
    require(len({s.starts for s in c.slots}) == len(c.slots), Reason.INVALID, "two times start together", "slots")
    return SlotsOffered(known.id, tuple(sorted(c.slots, key=lambda s: s.starts)))


def _choose(case: Case, c: ChooseSlot, now: datetime) -> ArrangementAskedAgain:
    known = require_arrangement(case, c.arrangement, "offered")
    chosen = next((s for s in known.slots if s.starts == c.starts), None)
    if chosen is None:
        offered = ", ".join(s.starts.isoformat() for s in known.slots)
        raise Refused(Reason.INVALID, f"the centre offered: {offered}", "starts")
    require(chosen.starts > now, Reason.LAPSED, "that time has passed", "starts")
    return ArrangementAskedAgain(known.id, chosen.starts, chosen.ends, known.arrives, slot=True)


def _confirm(case: Case, c: ConfirmArrangement, now: datetime) -> Event:
    known = require_arrangement(case, c.arrangement, "asked", "offered", "confirmed", "refused", "lapsed")
    row = KINDS[known.kind]
    starts = c.starts or known.starts
    ends = c.ends or (known.ends if c.starts is None else starts + (known.ends - known.starts))
    require_ahead(starts, ends, now)
    exact = known.slot or c.starts is not None or not row.appointment
    require(exact, Reason.INVALID, "an appointment is agreed for a time: say when it starts", "starts")
    given = {name for name in PERSONAL if getattr(c, name, "")}
    for name in sorted(given - row.says):
        raise Refused(Reason.INVALID, f"that says nothing about {known.kind}: leave it out", name)
    for name in sorted(row.known - given - known.told):
        raise Refused(Reason.INVALID, f"{known.kind} is agreed once this is told", name)
    require_near(c.distance_km)
    return ArrangementConfirmed(
        known.id, c.ref, starts, ends, c.distance_km, c.payer, c.place, c.contact, c.phone, c.emergency_number,
        tuple(sorted(given)),
    )  # fmt: skip


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one answer."""
    event = fact.event
    match event:
        case SlotsOffered():
            offers = case.arrangements[event.arrangement].offers + 1
            return changed(case, event.arrangement, state="offered", slots=event.slots, offers=offers)
        case ArrangementConfirmed():
            return _confirmed(case, event)
        case ArrangementRefused():
            known_off = called_off(case, event.arrangement, event.agreed)
            return changed(known_off, event.arrangement, state="refused", code=event.code, slots=())
        case _:
            assert_never(event)


def _confirmed(case: Case, e: ArrangementConfirmed) -> Case:
    """What was told with the agreement takes the place of what was asked; what was not told stays."""
    given = {name: getattr(e, name) for name in e.told}
    plain = {name: getattr(e, name) for name in ("distance_km", "payer") if getattr(e, name) not in ("", None)}
    known = case.arrangements[e.arrangement]
    told = known.told | frozenset(e.told)
    agreed = e.starts if KINDS[known.kind].appointment else None
    revived = known.revived + (known.called_off is not None)
    return changed(
        case, e.arrangement, state="confirmed", ref=e.ref, starts=e.starts, ends=e.ends, told=told, slots=(),
        agreed=agreed, called_off=None, revived=revived, **given, **plain,
    )  # fmt: skip


def _asked(appointments: bool, *of: AskedOf) -> Callable[[Case], Iterable[str]]:
    """Find what was asked of these and is not answered."""

    def found(case: Case) -> Iterable[str]:
        known = (a for a in case.arrangements.values() if a.state == "asked" and a.asked_of in of and not case.exit)
        return [a.about for a in known if KINDS[a.kind].appointment is appointments]

    return found


def _answered(case: Case, about: str) -> bool:
    known, asked = case.arrangements.get(About.of(about).id), About.of(about).number
    told = ("offered", "confirmed", "refused", "over")
    return known is not None and (known.round > asked or known.state in told)


def _offered(case: Case) -> Iterable[str]:
    return [a.about for a in case.arrangements.values() if a.state == "offered" and not case.exit]


def _times(case: Case) -> Iterable[str]:
    """Offered times, each time they are offered: the first of a round is named as the round is."""
    known = ((about, case.arrangements[About.of(about).id]) for about in _offered(case))
    return [about if a.offers <= 1 else f"{about}/{a.offers}" for about, a in known]


def _chosen(case: Case, about: str) -> bool:
    known = case.arrangements.get(About.of(about).id)
    asked = int(About.of(about).round.partition("/")[0])
    return known is not None and (known.round > asked or known.state == "confirmed")


def _to_find(case: Case) -> Iterable[str]:
    """Refused or not answered in time, and nothing else of the kind is under way."""
    known = case.arrangements.values()
    under_way = {a.kind for a in known if a.live}
    lost = [a for a in known if a.state in ("refused", "lapsed") and a.kind not in under_way]
    return [a.about for a in lost if not case.exit and case.stage in AT]


def _found(case: Case, about: str) -> bool:
    known = case.arrangements.get(About.of(about).id)
    return known is not None and any(a.kind == known.kind and a.live for a in case.arrangements.values())


def _of_another_day(case: Case) -> Iterable[str]:
    """Arranged for another day of arrival than the planned one, while the way is still to be made."""
    arrives = planned_arrival(case) if preparing(case) else None
    return [a.about for a in case.arrangements.values() if made_for_another_day(case, a, arrives)]


def _moved(case: Case, about: str) -> bool:
    known = case.arrangements.get(About.of(about).id)
    return known is not None and known.live and not made_for_another_day(case, known, planned_arrival(case))


def _agreed(case: Case) -> Iterable[str]:
    """Appointments that are agreed, each time they are for by itself."""
    known = (a for a in case.arrangements.values() if a.state == "confirmed" and KINDS[a.kind].appointment)
    return [_at(a, a.starts) for a in known if not case.exit]


def _called_off(case: Case) -> Iterable[str]:
    """Appointments that were agreed and do not take place, until another time is agreed."""
    known = case.arrangements.values()
    return [_at(a, a.called_off) for a in known if a.called_off is not None and not case.exit]


def _at(a: Arrangement, starts: datetime) -> str:
    """One agreed time; agreed once more after it was called off, it is another."""
    return f"{a.id}/{starts:%Y%m%dT%H%M}{f'/{a.revived}' if a.revived else ''}"


OWES = (
    Owes(
        "arrangement_answer",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _asked(False, "centre"),
        _answered,
        asked_by="arrange_service",
    ),
    Owes(
        "appointment_answer",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _asked(True, "centre"),
        _answered,
        asked_by="book_appointment",
    ),
    Owes(
        "family_arrangement",
        Party.FAMILY,
        Party.COORDINATOR,
        _asked(False, "family"),
        _answered,
        asked_by="ask_family_to_arrange",
    ),
    Owes(
        "outside_arrangement",
        Party.COORDINATOR,
        Party.FAMILY,
        _asked(False, *OUTSIDE),
        _answered,
    ),
    Owes("slot_choice", Party.COORDINATOR, Party.HOSPITAL, _offered, _chosen),
    Owes("find_arrangement", Party.COORDINATOR, Party.FAMILY, _to_find, _found, settled_in="arranging"),
    Owes("arrangement_day", Party.COORDINATOR, Party.FAMILY, _of_another_day, _moved, settled_in="arranging"),
)

WANTS = (
    Wants(
        "arrange_service",
        Party.HOSPITAL,
        _asked(False, "centre"),
        _answered,
        asks=service("Please arrange this for the stay"),
    ),
    Wants(
        "book_appointment",
        Party.HOSPITAL,
        _asked(True, "centre"),
        _answered,
        asks=appointment("Please offer times for this appointment, or confirm the time that is named"),
    ),
    Wants("ask_family_to_arrange", Party.FAMILY, _asked(False, "family"), _answered),
    Wants("offer_slots_to_family", Party.FAMILY, _times, _chosen),
    Wants("tell_family_of_appointment", Party.FAMILY, _agreed),
    Wants("tell_family_of_called_off", Party.FAMILY, _called_off),
)
