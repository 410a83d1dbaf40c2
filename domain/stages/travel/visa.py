"""Visa [S5]: passports and visas of everybody who travels, each with an end of its own [travel.visa]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, assert_never

from domain.case.phases.travel import Visa
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Instants, Need, Owes, Rule, Takes
from domain.core.about import About
from domain.core.codes import require_days
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity
from domain.core.policy import Party, Policy
from domain.stages.intake.people import require_person
from domain.stages.travel.letter import needs_visa, preparing


@dataclass(frozen=True, slots=True)
class RecordPassport:
    """A traveller's passport and the day it expires."""

    person: str
    expires: date
    number: Identity = ""
    type: Literal["RecordPassport"] = "RecordPassport"


@dataclass(frozen=True, slots=True)
class FileVisa:
    """An application went to the consulate. `category` is whatever that consulate calls it."""

    person: str
    category: str
    type: Literal["FileVisa"] = "FileVisa"


@dataclass(frozen=True, slots=True)
class GrantVisa:
    """The consulate granted it: enter by `valid_until`, stay `stay_days` days from entry."""

    person: str
    valid_until: datetime
    stay_days: int
    entries: int = 1
    type: Literal["GrantVisa"] = "GrantVisa"


@dataclass(frozen=True, slots=True)
class RefuseVisa:
    """The consulate refused."""

    person: str
    code: Literal["incomplete", "wrong_category", "not_convinced", "other"]
    type: Literal["RefuseVisa"] = "RefuseVisa"


Command = RecordPassport | FileVisa | GrantVisa | RefuseVisa


@dataclass(frozen=True, slots=True)
class PassportRecorded:
    """A traveller's passport is known."""

    person: str
    expires: date
    number: Identity
    type: Literal["PassportRecorded"] = "PassportRecorded"


@dataclass(frozen=True, slots=True)
class VisaFiled:
    """The consulate has an application; `round` counts a person's applications."""

    person: str
    category: str
    round: int
    type: Literal["VisaFiled"] = "VisaFiled"


@dataclass(frozen=True, slots=True)
class VisaGranted:
    """A traveller may enter until `valid_until` and stay `stay_days`."""

    person: str
    valid_until: datetime
    stay_days: int
    entries: int
    type: Literal["VisaGranted"] = "VisaGranted"


@dataclass(frozen=True, slots=True)
class VisaRefused:
    """A traveller was refused."""

    person: str
    code: str
    type: Literal["VisaRefused"] = "VisaRefused"


@dataclass(frozen=True, slots=True)
class VisaLapsed:
    """A traveller did not enter before the visa ended."""

    person: str
    type: Literal["VisaLapsed"] = "VisaLapsed"


@dataclass(frozen=True, slots=True)
class StayPermitted:
    """The patient's visa was told after the arrival: it says until when the stay is permitted."""

    until: datetime
    type: Literal["StayPermitted"] = "StayPermitted"


Event = PassportRecorded | VisaFiled | VisaGranted | VisaRefused | VisaLapsed | StayPermitted

TAKES = (
    Takes(RecordPassport, (PassportRecorded,), at=stages(Stage.VISA, Stage.FOLLOW_UP)),
    Takes(FileVisa, (VisaFiled,), at=stages(Stage.VISA, Stage.FOLLOW_UP), settles=("visa_application",)),
    Takes(GrantVisa, (VisaGranted,), at=stages(Stage.ELIGIBILITY), settles=("visa_outcome",)),
    Takes(RefuseVisa, (VisaRefused,), at=stages(Stage.ELIGIBILITY), settles=("visa_outcome",)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about passports and visas: return the events it brings about. Raises Refused."""
    match command:
        case RecordPassport():
            require_person(case, command.person)
            return [PassportRecorded(command.person, command.expires, command.number)]
        case FileVisa():
            return [_file(case, command, now)]
        case GrantVisa():
            _filed(case, command.person)
            used = case.entered is not None and command.valid_until > case.entered
            require(used or command.valid_until > now, Reason.INVALID, "the visa has ended already", "valid_until")
            require(command.stay_days > 0, Reason.INVALID, "a stay has at least one day", "stay_days")
            require_days(command.stay_days, "stay_days")
            return [VisaGranted(command.person, command.valid_until, command.stay_days, command.entries)]
        case RefuseVisa():
            _filed(case, command.person)
            return [VisaRefused(command.person, command.code)]
        case _:
            assert_never(command)


def _filed(case: Case, person: str) -> None:
    known = case.visas.get(person)
    if known is None:
        raise Refused(Reason.MISSING, "no application was filed for this person", "person")
    require(known.state == "filed", Reason.NOT_NOW, f"the application is {known.state}", "person")


def _file(case: Case, c: FileVisa, now: datetime) -> Event:
    require_person(case, c.person)
    known = case.visas.get(c.person)
    require(known is None or known.state != "filed", Reason.ALREADY, "an application is with the consulate", "person")
    there = case.entered is not None
    require(there or case.letter.good_at(now), Reason.MISSING, "there is no valid invitation letter")
    require(c.person in case.passports, Reason.MISSING, "this person's passport is not recorded", "person")
    return VisaFiled(c.person, c.category, known.round + 1 if known else 1)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about passports and visas."""
    event = fact.event
    match event:
        case PassportRecorded():
            return replace(case, passports={**case.passports, event.person: event.expires})
        case VisaFiled():
            return _with(case, Visa(event.person, "filed", event.round, event.category))
        case VisaGranted():
            granted = replace(_of(case, event.person), state="used" if _travelled(case, event.person) else "granted")
            return _with(case, replace(granted, valid_until=event.valid_until, stay_days=event.stay_days))
        case VisaRefused():
            return _with(case, replace(_of(case, event.person), state="refused"))
        case VisaLapsed():
            return _with(case, replace(_of(case, event.person), state="lapsed"))
        case StayPermitted():
            return replace(case, stay_until=event.until)
        case _:
            assert_never(event)


def _travelled(case: Case, person: str) -> bool:
    """Whether it is the patient's, who is there already."""
    return case.entered is not None and case.patient is not None and person == case.patient.id


def _of(case: Case, person: str) -> Visa:
    return case.visas.get(person, Visa(person, "filed"))


def _with(case: Case, visa: Visa) -> Case:
    return replace(case, visas={**case.visas, visa.person: visa})


def travellers(case: Case) -> Sequence[str]:
    """Return the patient and the planned attendant."""
    patient = [case.patient.id] if case.patient else []
    attendant = str(case.stay_plan.get("attendant", ""))
    return [*patient, *([attendant] if attendant else [])]


def may_enter(case: Case, person: str, at: datetime) -> bool:
    """Return whether a traveller's visa lets them in at that instant."""
    visa = case.visas.get(person)
    return bool(visa and visa.state == "granted" and visa.valid_until and at < visa.valid_until)


def passport_lasts(case: Case, person: str, lands: datetime, policy: Policy) -> bool:
    """Return whether a passport is valid long enough after entry and after the planned stay [travel.passport]."""
    expires = case.passports.get(person)
    return expires is not None and expires >= passport_needed(case, lands, policy).date()


def passport_needed(case: Case, lands: datetime, policy: Policy) -> datetime:
    """Return until when a passport must be valid for an entry at that instant and the planned stay."""
    days = case.stay_plan.get("days")
    wanted = [lands + policy.passport_after_entry]
    if policy.passport_after_stay is not None and isinstance(days, int):
        wanted.append(lands + timedelta(days=days) + policy.passport_after_stay)
    return max(wanted)


def stay_lasts(case: Case, person: str, policy: Policy) -> bool:
    """Return whether a visa permits the planned stay and the margin [travel.stay]; a missing visa is named itself."""
    visa, days = case.visas.get(person), case.stay_plan.get("days")
    if visa is None or not visa.stay_days or not isinstance(days, int):
        return True
    return timedelta(days=visa.stay_days) >= timedelta(days=days) + policy.stay_margin


def lapse(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A visa that was not used ends at its own instant."""
    if not preparing(case):
        return []
    granted = [v for v in case.visas.values() if v.state == "granted" and v.valid_until]
    return [VisaLapsed(v.person) for v in granted if v.valid_until and v.valid_until <= now]


def _ends(case: Case) -> Instants:
    return [v.valid_until for v in case.visas.values() if v.state == "granted"] if preparing(case) else []


def permit_the_stay(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """An arrival that no visa was told for has its stay counted once the visa is."""
    visa = case.visas.get(case.patient.id) if case.patient else None
    if case.entered is None or case.stay_until is not None or visa is None or visa.state != "used":
        return []
    return [StayPermitted(case.entered + timedelta(days=visa.stay_days))] if visa.stay_days else []


RULES = (
    Rule("visa_ends", 1, lapse, ("VisaGranted",), (VisaLapsed,), _ends),
    Rule("stay_of_a_visa_told_late", 1, permit_the_stay, ("VisaGranted", "PatientArrived"), (StayPermitted,)),
)

NEEDS = (
    Need(
        "visas of all travellers",
        lambda c, now: not needs_visa(c) or (bool(c.visas) and all(may_enter(c, p, now) for p in travellers(c))),
        rests_on=("VisaGranted",),
    ),
)


def _round(case: Case, person: str) -> int:
    known = case.visas.get(person)
    return known.round if known else 0


def _unfiled(case: Case) -> Iterable[str]:
    """Whoever travels without an application that is running or granted, once there is a letter."""
    if not (preparing(case) and needs_visa(case) and case.letter.state == "held"):
        return []
    settled = {v.person for v in case.visas.values() if v.state in ("filed", "granted") and not v.again}
    return [f"{p}/{_round(case, p)}" for p in travellers(case) if p not in settled]


def _applied(case: Case, about: str) -> bool:
    before = About.of(about)
    return _round(case, before.id) > before.number


def _at_consulate(case: Case) -> Iterable[str]:
    return [f"{v.person}/{v.round}" for v in case.visas.values() if v.state == "filed" and not case.exit]


def _decided(case: Case, about: str) -> bool:
    visa = case.visas.get(About.of(about).id)
    return visa is not None and visa.state != "filed"


OWES = (
    Owes("visa_application", Party.FAMILY, Party.COORDINATOR, _unfiled, _applied),
    Owes("visa_outcome", Party.CONSULATE, Party.FAMILY, _at_consulate, _decided),
)
