"""Says who is written to for an effect, and what: the request as it goes out to a hospital or by mail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from activities.gateways import GatewayRefused, Request, Unreachable
from domain.case.costs import Costs
from domain.case.effect import Effect
from domain.case.phases.arrangements import Arrangement
from domain.case.phases.intake import Person
from domain.case.phases.submissions import Submission
from domain.case.state import Case
from domain.core.about import About, chased
from domain.core.personal import NO_KEY, Unread
from domain.core.policy import Party
from domain.stages.eligibility.handing_over import may_read
from domain.stages.follow_up.questions import ASK as QUESTIONS
from domain.stages.messages.writing import CENTRE, TO_CENTRE, WRITES
from domain.stages.records.translating import ORDER

Link = Callable[[Case, Effect, datetime], Awaitable[str]]
"""Makes a one-question page that is open until an instant, and answers with its address."""

Readers = Callable[[str], Awaitable["Reader | None"]]
"""Finds a member of staff by stream."""

OF_ARRIVAL = ("tell_family_of_arrival", "tell_centre_of_arrival")
"""What says the planned day of arrival."""
OF_INFUSION = ("tell_family_of_infusion", "tell_centre_of_infusion")
"""What says the planned day of the next infusion."""
AFTER_DOSSIER = ("submission_receipt", "hospital_decision")
"""What a hospital owes once it was sent the dossier."""
ANSWERED_WITHIN = timedelta(days=14)
ASKED_BY_LINK = frozenset(
    {
        "send_handover",
        "send_estimate",
        "send_quote",
        "ask_family_to_arrange",
        "offer_slots_to_family",
        QUESTIONS,
        ORDER,
        *WRITES,
    }
)
"""What people outside are asked on a page of their own, beside the hospitals without an interface."""
DECIDED_WITHIN = timedelta(days=365)
"""The link of a dossier, or of a file to translate, ends with its question, which the page asks of the case; after
this long in any case."""


OPEN_FOR: Mapping[str, timedelta] = {
    **dict.fromkeys(WRITES, DECIDED_WITHIN),
    ORDER: DECIDED_WITHIN,
    "send_handover": timedelta(days=90),
    QUESTIONS: timedelta(days=90),
}
"""How long other links than one answer's are open; behind that of a hand-over the summary can be read again."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads mail: address, language (BCP 47), time zone (IANA)."""

    address: str
    language: str = "en"
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Offices:
    """Addresses that are not of a case: one per role, and the one people may write back to."""

    contact: str
    by_role: Callable[[Party], Awaitable[Reader | None]]


class Addressing:
    """Builds requests from the case as it stands; refuses plainly where nobody can be reached."""

    def __init__(self, offices: Offices, staff: Readers, link: Link) -> None:
        self._offices = offices
        self._staff = staff
        self._link = link

    def centre_of(self, case: Case, effect: Effect) -> str:
        """Return the centre an effect concerns: of its submission, else the one that accepted, else the last asked."""
        submission = case.submission_of(effect.about)
        if submission is not None:
            return submission.centre
        arranged = case.arrangements.get(case.root_of(effect.about))
        if arranged is not None:
            return arranged.centre
        sent = case.shipments.get(case.root_of(effect.about))
        if sent is not None:
            return sent.centre
        written = case.messages.get(case.root_of(effect.about))
        if written is not None and written.thread.startswith(CENTRE):
            return written.thread
        asked = [s.centre for s in case.submissions.values()]
        return case.centre or (asked[-1] if asked else "")

    def hospital(self, case: Case, effect: Effect) -> Request:
        """Make the request that a hospital with an interface is sent."""
        body = {name: value for name, value in self._inputs(case, effect).items() if value not in ("", None)}
        submitted = self.dossier(case, effect)
        documents = submitted.documents if submitted else ()
        centre = self.centre_of(case, effect)
        return Request(effect.id, effect.kind, case.id, effect.about, effect.to, centre, body, documents)

    def dossier(self, case: Case, effect: Effect) -> Submission | None:
        """Return the submission whose documents go along: with the dossier itself, and with each reminder of it."""
        owed = case.obligations.get(About.of(effect.about).id)
        asks = owed.kind in AFTER_DOSSIER if owed else effect.kind == "submit_dossier"
        known = case.submissions.get(About.of(owed.about if owed else effect.about).id)
        return known if asks and known and may_read(case, known) else None

    async def question(self, case: Case, effect: Effect, centre: Reader, now: datetime) -> Request:
        """Issue a reply link and make the mail with one question, for a centre without an interface."""
        long = self.dossier(case, effect) or effect.kind == TO_CENTRE
        until = now + (DECIDED_WITHIN if long else ANSWERED_WITHIN)
        facts = self._facts(case, effect, centre, now)
        facts |= {"until": _local(until, centre.zone), "link": await self._link(case, effect, until)}
        return self._mail(case, effect, centre, facts)

    async def mail(self, case: Case, effect: Effect, now: datetime) -> Request:
        """Make the mail to family, doctor at home, staff or translator. Raises GatewayRefused(no_address)."""
        reader = await self.reader(case, effect, now)
        facts = self._facts(case, effect, reader, now)
        if effect.kind in ASKED_BY_LINK:
            until = now + OPEN_FOR.get(effect.kind, ANSWERED_WITHIN)
            facts |= {"until": _local(until, reader.zone), "link": await self._link(case, effect, until)}
        return self._mail(case, effect, reader, facts)

    async def reader(self, case: Case, effect: Effect, now: datetime) -> Reader:
        """Find who reads the mail; after a death nothing goes to the family. Raises GatewayRefused(no_address)."""
        match Party.COORDINATOR if effect.to is Party.FAMILY and case.died else effect.to:
            case Party.FAMILY:
                found = _reader_of(case.family_reader)
            case Party.HOME_ONCOLOGIST:
                found = _reader_of(case.home_doctor)
            case Party.COORDINATOR:
                found = await self._owner(case, now) or await self._offices.by_role(Party.COORDINATOR)
            case _:
                found = await self._offices.by_role(effect.to)
        if found is None or not found.address:
            raise GatewayRefused("no_address")
        return found

    async def _owner(self, case: Case, now: datetime) -> Reader | None:
        """The owner, or who covers while the owner is away."""
        known = case.noted(case.owner)
        since, until = known.get("absent_from"), known.get("absent_until")
        away = isinstance(since, datetime) and isinstance(until, datetime) and since <= now < until
        who = str(known.get("cover") or case.owner) if away else case.owner
        return await self._staff(who) if who else None

    def _mail(self, case: Case, effect: Effect, reader: Reader, facts: Mapping[str, Any]) -> Request:
        body = {**facts, "address": reader.address, "language": reader.language}
        return Request(effect.id, effect.kind, case.id, effect.about, effect.to, self.centre_of(case, effect), body)

    def _facts(self, case: Case, effect: Effect, reader: Reader, now: datetime) -> dict[str, Any]:
        facts: dict[str, Any] = {"number": case.number, "contact": self._offices.contact}
        owed = case.obligations.get(About.of(effect.about).id)
        item = case.records.get(About.of(owed.about if owed else effect.about).id)
        if owed is not None:
            facts |= {"what": item.kind if item else _root(owed.kind, owed.about), "due": _local(owed.due, reader.zone)}
        elif item is not None:
            facts |= {"what": item.kind, "language_from": item.language or "und", "into": item.into or "und"}
        elif (costs := _costs(case, effect)) is not None:
            facts |= {"costs": costs, "day": _local(costs.at, reader.zone).date()}
        elif effect.kind in OF_ARRIVAL and case.moved is not None:
            facts["day"] = case.moved.arrives
        elif effect.kind in OF_INFUSION and case.moved_infusion is not None:
            facts["day"] = case.moved_infusion.infusion_day
        if (arranged := case.arrangements.get(case.root_of(effect.about))) is not None:
            facts["arrangement"] = _details(arranged, reader.zone)
            off = {"kind": arranged.kind, "starts": arranged.called_off and _local(arranged.called_off, reader.zone)}
            facts["called_off"] = off
            facts["slots"] = tuple(_local(slot.starts, reader.zone) for slot in arranged.slots)
        if effect.kind == "send_quote" and case.quote.until:
            facts["valid_until"] = _local(case.quote.until, reader.zone)
        del now
        return facts

    def _inputs(self, case: Case, effect: Effect) -> dict[str, Any]:
        """What every hospital request says, and what this kind needs besides."""
        submission = case.submission_of(effect.about) or case.accepted
        said: dict[str, Any] = {
            "number": case.number,
            "protocol": submission.protocol if submission else "",
            "submission": submission.id if submission else "",
            "country": case.country,
            "language": case.language,
        }
        said |= INPUTS_OF.get(effect.kind, _nothing)(case, effect)
        return {name: _told(value) for name, value in said.items()}


def _reader_of(known: Person | None) -> Reader | None:
    address = _told(known.mail) if known else ""
    return Reader(address, known.language, known.zone) if known and address else None


def _costs(case: Case, effect: Effect) -> Costs | None:
    """What the family is told of the price: the newest estimate, or the hospital's own."""
    return {"send_estimate": case.estimated, "send_quote": case.quoted}.get(effect.kind)


def _named(person: Person | None) -> object:
    return person.name if person is not None else ""


def _told(value: object) -> Any:  # noqa: ANN401 - any part of a request
    """What may be told of a value: nothing of an erased one. Raises Unreachable where its key is not on this machine.

    A letter without the name would be wrong for good; where the key is, the same attempt is made again.
    """
    if value is NO_KEY:
        raise Unreachable
    if isinstance(value, Unread):
        return ""
    return value.isoformat() if isinstance(value, date | datetime) else value


def _local(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone))


def _root(kind: str, about: str) -> str:
    """What a chase is about in the end."""
    return chased(about)[0] if kind.startswith("chase") else kind


def _nothing(_case: Case, _effect: Effect) -> dict[str, Any]:
    return {}


def _dossier(case: Case, effect: Effect) -> dict[str, Any]:
    submission = case.submissions.get(About.of(effect.about).id)
    return {
        "dossier_version": case.dossier.version,
        "dossier_digest": case.dossier.digest,
        "round": submission.round if submission else 1,
    }


def _letter(case: Case, _effect: Effect) -> dict[str, Any]:
    patient = case.patient
    companion = case.people.get(str(case.stay_plan.get("attendant", "")))
    expires = case.passports.get(patient.id) if patient else None
    return {
        "patient_name": _named(patient),
        "companion_name": _named(companion),
        "passport_expires": expires or "",
        "birth_date": case.birth,
        "sex": case.sex,
        **_journey(case, _effect),
    }


def _journey(case: Case, _effect: Effect) -> dict[str, Any]:
    """When the patient comes and for how long, with which language."""
    plan = case.stay_plan
    arrives = plan.get("arrives")
    return {
        "arrives": arrives or "",
        "departs": plan.get("departs", ""),
        "days": plan.get("days"),
        "interpreter_language": plan.get("interpreter_language", ""),
    }


def _infusion(case: Case, _effect: Effect) -> dict[str, Any]:
    """The planned day of the next infusion."""
    return {"infusion_day": case.moved_infusion.infusion_day if case.moved_infusion else ""}


def _stay(case: Case, effect: Effect) -> dict[str, Any]:
    """The journey, where the family lives meanwhile, and who comes along."""
    companion = case.people.get(str(case.stay_plan.get("attendant", "")))
    return {
        **_journey(case, effect),
        "lodging": case.stay_plan.get("lodging", ""),
        "companion_name": _named(companion),
    }


def _unit(case: Case, _effect: Effect) -> dict[str, Any]:
    return {"lot": case.lot, "unit": case.dose.ref, "treatment": len(case.treatments)}


def _resource(case: Case, effect: Effect) -> dict[str, Any]:
    known = case.resources.get(About.of(effect.about).id)
    return {"what": known.kind, "ref": known.ref, "reason": known.order} if known else {}


TOLD_OF_ARRANGEMENT = (
    "kind", "starts", "ends", "place", "distance_km", "payer", "language_from", "language_to", "mode", "setting",
    "hours_a_day", "flight", "contact", "phone", "emergency_number", "ref",
)  # fmt: skip


def _arrangement(case: Case, effect: Effect) -> dict[str, Any]:
    """What is asked for or cancelled, with all that is known of it, the centre's own number among it."""
    known = case.arrangements.get(About.of(effect.about).id)
    if known is None:
        return {}
    chosen = {"slot": True} if known.slot else {}
    return {"arrangement": known.id, **chosen, **{name: getattr(known, name) for name in TOLD_OF_ARRANGEMENT}}


def _details(a: Arrangement, zone: str) -> Mapping[str, Any]:
    """What a mail says of an arrangement: what is known of it, times on the reader's clock."""
    told = {name: _told(getattr(a, name)) for name in TOLD_OF_ARRANGEMENT}
    return {**told, "starts": _local(a.starts, zone), "ends": _local(a.ends, zone)}


def _owed(case: Case, effect: Effect) -> dict[str, Any]:
    owed = case.obligations.get(About.of(effect.about).id)
    arranged = case.arrangements.get(case.root_of(effect.about))
    which = {"arrangement": arranged.id} if arranged else {}
    which |= {"shipment": case.root_of(effect.about)} if case.root_of(effect.about) in case.shipments else {}
    return {"what": owed.kind, "due": owed.due.isoformat(), **which} if owed else {}


def _shipment(case: Case, effect: Effect) -> dict[str, Any]:
    """Which shipment it is, the code and the seal it is to be compared with, and when it is expected."""
    known = case.shipments.get(About.of(effect.about).id)
    if known is None:
        return {}
    sealed = known.handovers[-1].sealed_with if known.handovers else known.seal
    told = {"shipment": known.id, "what": known.cargo, "lot": known.lot, "unit": known.carries, "seal": sealed}
    return {**told, "starts": known.departs, "ends": known.arrives}


def _written(case: Case, effect: Effect) -> dict[str, Any]:
    """What somebody wrote; its own system shows the hospital what others read behind a link."""
    known = case.messages.get(About.of(effect.about).id)
    return {"text": known.text} if known else {}


INPUTS_OF: Mapping[str, Callable[[Case, Effect], dict[str, Any]]] = {
    "submit_dossier": _dossier,
    "request_invitation_letter": _letter,
    "confirm_open_door": _journey,
    "arrange_stay": _stay,
    "tell_centre_of_arrival": _journey,
    "tell_centre_of_infusion": _infusion,
    "confirm_depletion_start": _unit,
    "confirm_thaw": _unit,
    "cancel_manufacturing": _resource,
    "hold_cells": _resource,
    "carry_out_order": _resource,
    "return_material": _resource,
    "withdraw_from_registry": _resource,
    "refund_payment": _resource,
    "ask_for_handover": _shipment,
    "arrange_service": _arrangement,
    "book_appointment": _arrangement,
    "cancel_arrangement": _arrangement,
    TO_CENTRE: _written,
    "remind": _owed,
    "escalate": _owed,
}
"""What a hospital is told beside what every request says."""
