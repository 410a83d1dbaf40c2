"""Transplant track: stem-cell transplant from a donor after or between cell therapies [transplant.after-cells]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.asking import service
from domain.case.stage import EVERY_STAGE, Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Takes, Wants
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Identity
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.core.when import When


@dataclass(frozen=True, slots=True)
class ReferTransplant:
    """A clinician refers the patient to the transplant team."""

    clinician: Identity
    type: Literal["ReferTransplant"] = "ReferTransplant"


@dataclass(frozen=True, slots=True)
class RecordTransplant:
    """A transplant was given. `number` as the source counts it, earlier transplants included."""

    number: int | None = None
    donor: Clinical = ""
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["RecordTransplant"] = "RecordTransplant"


@dataclass(frozen=True, slots=True)
class DeclineTransplant:
    """It will not be given."""

    reason: Clinical
    type: Literal["DeclineTransplant"] = "DeclineTransplant"


Command = ReferTransplant | RecordTransplant | DeclineTransplant


@dataclass(frozen=True, slots=True)
class TransplantReferred:
    """The transplant team was asked."""

    clinician: Identity
    type: Literal["TransplantReferred"] = "TransplantReferred"


@dataclass(frozen=True, slots=True)
class TransplantGiven:
    """Stem cells of a donor went in."""

    number: int | None
    donor: Clinical
    detail: Clinical
    type: Literal["TransplantGiven"] = "TransplantGiven"


@dataclass(frozen=True, slots=True)
class TransplantDeclined:
    """No transplant."""

    reason: Clinical
    type: Literal["TransplantDeclined"] = "TransplantDeclined"


Event = TransplantReferred | TransplantGiven | TransplantDeclined

TAKES = (
    Takes(ReferTransplant, (TransplantReferred,), at=stages(Stage.ADMISSION), settles=("transplant_referral",)),
    Takes(RecordTransplant, (TransplantGiven,), at=EVERY_STAGE, by=Action.ANSWER, answers=("refer_transplant",)),
    Takes(
        DeclineTransplant,
        (TransplantDeclined,),
        at=stages(Stage.ADMISSION),
        by=Action.ANSWER,
        answers=("refer_transplant",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a transplant command: return the events it brings about. Raises Refused."""
    match command:
        case ReferTransplant():
            require(case.transplant != "referred", Reason.ALREADY, "the transplant team was asked")
            words = "the risks of a transplant are not accepted; the patient's consent names them (risks, transplant)"
            require(case.consent_rules == 0 or case.accepts_risk("transplant"), Reason.MISSING, words)
            return [TransplantReferred(command.clinician)]
        case RecordTransplant():
            return [TransplantGiven(command.number, command.donor, command.detail)]
        case DeclineTransplant():
            require(case.transplant == "referred", Reason.MISSING, "the transplant team was not asked")
            return [TransplantDeclined(command.reason)]
        case _:
            assert_never(command)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one transplant event."""
    event = fact.event
    match event:
        case TransplantReferred():
            return replace(case, transplant="referred", referrals=case.referrals + 1)
        case TransplantGiven():
            return replace(case, transplant="done", transplants=case.transplants + 1)
        case TransplantDeclined():
            return replace(case, transplant="declined")
        case _:
            assert_never(event)


def _asked(case: Case) -> Iterable[str]:
    return [f"transplant/{case.referrals}"] if case.transplant == "referred" and not case.died else []


def _answered(case: Case, _: str) -> bool:
    return case.transplant in ("done", "declined")


def _to_refer(case: Case) -> Iterable[str]:
    """A transplant was decided, and nobody has asked the transplant team."""
    return ["transplant"] if case.pathway == "transplant" and case.transplant == "none" and not case.left else []


OWES = (
    Owes(
        "transplant_referral",
        Party.COORDINATOR,
        Party.FAMILY,
        _to_refer,
        lambda c, _: c.transplant != "none",
    ),
    Owes("transplant_decision", Party.HOSPITAL, Party.COORDINATOR, _asked, _answered, asked_by="refer_transplant"),
)

WANTS = (Wants("refer_transplant", Party.HOSPITAL, _asked, _answered, asks=service("Please decide on a transplant")),)
