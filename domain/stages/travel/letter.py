"""Letter track [S5]: the hospital's invitation letter, which the consulate wants to see [travel.letter]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.asking import service
from domain.case.release import spare
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Instants, Owes, Rule, Takes, Wants
from domain.core.about import About
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.policy import Party, Policy
from domain.core.roles import Action


@dataclass(frozen=True, slots=True)
class IssueLetter:
    """The hospital issued the invitation letter; `ref` is its own number."""

    ref: str
    valid_until: datetime
    type: Literal["IssueLetter"] = "IssueLetter"


@dataclass(frozen=True, slots=True)
class AskLetterAgain:
    """A coordinator asks for a corrected or new letter."""

    reason: Literal["wrong_details", "expired", "incomplete"]
    type: Literal["AskLetterAgain"] = "AskLetterAgain"


Command = IssueLetter | AskLetterAgain


@dataclass(frozen=True, slots=True)
class LetterIssued:
    """The hospital's invitation letter exists, valid until."""

    ref: str
    valid_until: datetime
    type: Literal["LetterIssued"] = "LetterIssued"


@dataclass(frozen=True, slots=True)
class LetterAsked:
    """A new invitation letter is needed."""

    reason: str
    round: int
    type: Literal["LetterAsked"] = "LetterAsked"


@dataclass(frozen=True, slots=True)
class LetterLapsed:
    """The letter ended by itself."""

    type: Literal["LetterLapsed"] = "LetterLapsed"


Event = LetterIssued | LetterAsked | LetterLapsed

TAKES = (
    Takes(
        IssueLetter,
        (LetterIssued,),
        at=stages(Stage.ELIGIBILITY),
        by=Action.ANSWER,
        answers=("request_invitation_letter",),
    ),
    Takes(AskLetterAgain, (LetterAsked,), at=stages(Stage.VISA, Stage.ADMISSION, Stage.REDOSING)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about the letter: return the events it brings about. Raises Refused."""
    match command:
        case IssueLetter():
            require(command.valid_until > now, Reason.INVALID, "the letter has ended already", "valid_until")
            return [LetterIssued(command.ref, command.valid_until)]
        case AskLetterAgain():
            require(preparing(case), Reason.NOT_NOW, "no letter is needed now")
            require(not case.letter.unanswered, Reason.ALREADY, "a letter is asked for already")
            return [LetterAsked(command.reason, case.letter.round + 1)]
        case _:
            assert_never(command)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about the letter."""
    event = fact.event
    match event:
        case LetterIssued():
            return replace(case, letter=case.letter.held(event.ref, event.valid_until, fact.id))
        case LetterAsked():
            wrong = spare(case, "void_letter", case.letter)
            return replace(wrong, letter=case.letter.again(fact.id))
        case LetterLapsed():
            return replace(case, letter=case.letter.again(fact.id, "lapsed"))
        case _:
            assert_never(event)


def preparing(case: Case) -> bool:
    """Return whether the way to the accepting centre is still to be made: for the first time, or to come again."""
    if case.exit or case.accepted is None or case.entered is not None:
        return False
    return case.stage in (Stage.VISA, Stage.ADMISSION) or (case.stage is Stage.REDOSING and case.returning)


def needs_visa(case: Case) -> bool:
    """Return whether anybody crosses a border: the patient's country is not the centre's."""
    return bool(case.country != case.noted(case.centre).get("country", ""))


def lapse(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A letter ends at its own instant."""
    return [LetterLapsed()] if case.letter.ended_by(now) and preparing(case) else []


def _ends(case: Case) -> Instants:
    return [case.letter.until] if case.letter.state == "held" and preparing(case) else []


RULES = (Rule("letter_ends", 1, lapse, ("LetterIssued",), (LetterLapsed,), _ends),)


def _wanted(case: Case) -> Iterable[str]:
    visa_open = any(v.state != "granted" or v.again for v in case.visas.values()) or not case.visas
    asked = preparing(case) and needs_visa(case) and case.letter.unanswered and visa_open
    return [f"{case.centre}/{case.letter.round}"] if asked else []


def _answered(case: Case, about: str) -> bool:
    return case.letter.answered >= About.of(about).number and case.letter.state == "held"


OWES = (
    Owes(
        "invitation_letter", Party.HOSPITAL, Party.COORDINATOR, _wanted, _answered, asked_by="request_invitation_letter"
    ),
)

WANTS = (
    Wants(
        "request_invitation_letter",
        Party.HOSPITAL,
        _wanted,
        _answered,
        asks=service("Please issue an invitation letter"),
    ),
)
