"""What two people scan at the bedside [S8]: the patient's wristband and the unit, each by each [infusion.scans].

Nobody says whether it matches: that is compared here, with the wristband that was registered, the unit that is held,
its lot and its end of use. Whatever differs is a near miss and kept with what was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.phases.bedside import Wristband
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Trace, readable
from domain.core.policy import Policy
from domain.core.roles import Action
from domain.doses import codes
from domain.doses.labelling import isbt128
from domain.doses.labelling.reading import read_field
from domain.doses.labelling.scan import Scan, lasts, names_patient, names_unit, same_end, same_number, unit_on
from domain.stages.governing.by_class import from_stock
from domain.stages.treatment import infusion


@dataclass(frozen=True, slots=True)
class RegisterWristband:
    """What the patient's wristband reads: the hospital's number, and the chain-of-identity number where there is one.

    A new wristband takes the place of the one before.
    """

    code: Trace
    chain: Trace = ""
    type: Literal["RegisterWristband"] = "RegisterWristband"


@dataclass(frozen=True, slots=True)
class ScanIdentity:
    """Two people each scanned the patient's wristband and the unit; what the scanners typed is compared here.

    `first` and `second` are the hospital's own identifiers of its staff, as in CheckIdentity. Never waived.
    """

    first: str
    first_patient: Trace
    first_unit: Trace
    second: str
    second_patient: Trace
    second_unit: Trace
    type: Literal["ScanIdentity"] = "ScanIdentity"


Command = RegisterWristband | ScanIdentity


@dataclass(frozen=True, slots=True)
class WristbandRegistered:
    """What the patient's wristband reads is known."""

    code: Trace
    chain: Trace
    type: Literal["WristbandRegistered"] = "WristbandRegistered"


@dataclass(frozen=True, slots=True)
class IdentityScanned:
    """What two people scanned, and what of it differs from what is known; empty = nothing does."""

    treatment: int
    first: str
    first_patient: Trace
    first_unit: Trace
    second: str
    second_patient: Trace
    second_unit: Trace
    mismatches: tuple[str, ...]
    type: Literal["IdentityScanned"] = "IdentityScanned"


Event = WristbandRegistered | IdentityScanned
Outcome = Event | infusion.IdentityChecked | infusion.IdentityMismatched

TAKES = (
    Takes(
        RegisterWristband,
        (WristbandRegistered,),
        at=stages(Stage.ADMISSION, Stage.REDOSING),
        by=Action.ANSWER,
    ),
    Takes(
        ScanIdentity,
        (IdentityScanned, infusion.IdentityChecked, infusion.IdentityMismatched),
        at=(Stage.INFUSION,),
        by=Action.ANSWER,
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Outcome]:
    """Decide a command at the bedside: return the events it brings about. Raises Refused."""
    match command:
        case RegisterWristband():
            return [_registered(case, command)]
        case ScanIdentity():
            return _scanned(case, command, now)
        case _:
            assert_never(command)


def _registered(case: Case, c: RegisterWristband) -> Event:
    """Keep the numbers themselves, whether they were typed or the wristband was scanned into the field."""
    given = c.code if isinstance(c.code, str) else ""
    require(codes.folded(given), Reason.INVALID, "a wristband has a number", "code")
    scan = read_field(given, "code")
    code = given if scan.symbology == "plain" else scan.get("patient")
    require(code, Reason.INVALID, "no patient's number stands in this scan; type the hospital's number", "code")
    typed = c.chain.removeprefix("&/") if isinstance(c.chain, str) else ""
    chain = typed or ("" if scan.symbology == "plain" else scan.get("chain"))
    told = "a chain-of-identity number is CH, the facility, the year and six characters, as in CHA999926000042"
    require(not chain or isbt128.is_chain(codes.folded(chain)), Reason.INVALID, told, "chain")
    known = case.wristband
    same = known is not None and (known.code, known.chain) == (code, chain)
    require(not same, Reason.ALREADY, "this wristband is registered", "code")
    return WristbandRegistered(code, chain)


def _scanned(case: Case, c: ScanIdentity, now: datetime) -> Sequence[Outcome]:
    """The near miss goes first to what was read, then to what always follows a check."""
    due = infusion.due(case)
    known = case.wristband is not None and readable(case.wristband.code)
    require(known, Reason.MISSING, "the patient's wristband is not registered (RegisterWristband)", "first_patient")
    patients = {name: read_field(getattr(c, name), name) for name in ("first_patient", "second_patient")}
    units = {name: read_field(getattr(c, name), name) for name in ("first_unit", "second_unit")}
    unit = due.unit if due.thawed else case.dose.ref if from_stock(case) else _named(units["first_unit"])
    wrong_patient = [name for name, scan in patients.items() if not _patient(case, scan)]
    wrong_unit = [one for name, scan in units.items() for one in _unit_differs(case, name, scan, unit, now)]
    differing = next((n for n in units if any(one.startswith(n) for one in wrong_unit)), "")
    check = infusion.CheckIdentity(
        c.first,
        c.second,
        getattr(c, differing) if differing else unit,
        patient_matches=not wrong_patient,
        unit_matches=not wrong_unit,
    )
    outcome = infusion.checked(case, check)
    read = (c.first, c.first_patient, c.first_unit, c.second, c.second_patient, c.second_unit)
    return [IdentityScanned(due.number, *read, (*wrong_patient, *wrong_unit)), outcome]


def _named(scan: Scan) -> str:
    """Return what the first label names: of what is made in the body nothing is held to compare the second with."""
    words = "the label names no single dose; compare it by eye (CheckIdentity)"
    require(unit_on(scan), Reason.INVALID, words, "first_unit")
    return unit_on(scan)


def _patient(case: Case, scan: Scan) -> bool:
    return case.wristband is not None and names_patient(scan, case.wristband.code, case.wristband.chain)


def _unit_differs(case: Case, name: str, scan: Scan, unit: str, now: datetime) -> Iterable[str]:
    """Whatever a label says is compared as far as the case knows it; what it does not say is not missed."""
    lot = case.noted(case.lot) if from_stock(case) else {}
    expires = lot.get("expires")
    chain = case.wristband.chain if case.wristband else ""
    compared = {
        "": names_unit(scan, unit),
        "_lot": _same(scan.get("lot"), lot.get("lot_number", "")),
        "_product": _same(scan.get("product_code"), lot.get("product_code", ""))
        and _same(scan.get("gtin"), lot.get("gtin", "")),
        "_chain": not (scan.get("chain") and chain) or codes.same(scan.get("chain"), chain),
        "_expiry": same_end(scan, expires if isinstance(expires, datetime) else None),
        "_expired": lasts(scan, now),
    }
    return [f"{name}{what}" for what, same in compared.items() if not same]


def _same(read: str, known: str) -> bool:
    return not (read and known) or same_number(read, known)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event at the bedside; what a scan leads to is folded with the check."""
    event = fact.event
    match event:
        case WristbandRegistered():
            code = event.code if isinstance(event.code, str) else ""
            chain = event.chain if isinstance(event.chain, str) else ""
            return replace(case, wristband=Wristband(code, chain, fact.id))
        case IdentityScanned():
            return case
        case _:
            assert_never(event)
