"""The price [S4]: a realistic range from the service, then the hospital's own quote, which ends by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.asking import service
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Instants, Owes, Rule, Takes, Wants
from domain.core.about import About
from domain.core.codes import require_currency
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.eligibility.eligibility import before_travel
from domain.stages.intake.people import require_person


@dataclass(frozen=True, slots=True)
class IssueEstimate:
    """Realistic range before travel, in the currency's main unit (ISO 4217)."""

    low: int
    high: int
    currency: str
    type: Literal["IssueEstimate"] = "IssueEstimate"


@dataclass(frozen=True, slots=True)
class AcknowledgeEstimate:
    """The family has seen the range and wants to go on."""

    person: str
    type: Literal["AcknowledgeEstimate"] = "AcknowledgeEstimate"


@dataclass(frozen=True, slots=True)
class GiveQuote:
    """The hospital's own price, in the currency's main unit; it supersedes the estimate."""

    submission: str
    total: int
    currency: str
    valid_until: datetime
    type: Literal["GiveQuote"] = "GiveQuote"


@dataclass(frozen=True, slots=True)
class AcceptQuote:
    """The family accepts the hospital's price while it is valid."""

    person: str
    type: Literal["AcceptQuote"] = "AcceptQuote"


Command = IssueEstimate | AcknowledgeEstimate | GiveQuote | AcceptQuote


@dataclass(frozen=True, slots=True)
class EstimateIssued:
    """The family was told a realistic range."""

    low: int
    high: int
    currency: str
    type: Literal["EstimateIssued"] = "EstimateIssued"


@dataclass(frozen=True, slots=True)
class EstimateAcknowledged:
    """The family knows the range."""

    person: str
    type: Literal["EstimateAcknowledged"] = "EstimateAcknowledged"


@dataclass(frozen=True, slots=True)
class QuoteGiven:
    """The hospital named its price, valid until."""

    submission: str
    total: int
    currency: str
    valid_until: datetime
    type: Literal["QuoteGiven"] = "QuoteGiven"


@dataclass(frozen=True, slots=True)
class QuoteAccepted:
    """The family accepted the price."""

    person: str
    type: Literal["QuoteAccepted"] = "QuoteAccepted"


@dataclass(frozen=True, slots=True)
class QuoteLapsed:
    """The price ended before the family accepted it."""

    type: Literal["QuoteLapsed"] = "QuoteLapsed"


Event = EstimateIssued | EstimateAcknowledged | QuoteGiven | QuoteAccepted | QuoteLapsed

TAKES = (
    Takes(IssueEstimate, (EstimateIssued,), at=stages(Stage.ELIGIBILITY, Stage.ADMISSION)),
    Takes(AcknowledgeEstimate, (EstimateAcknowledged,), at=stages(Stage.ELIGIBILITY, Stage.ADMISSION)),
    Takes(
        GiveQuote,
        (QuoteGiven,),
        at=stages(Stage.ELIGIBILITY, Stage.ADMISSION, Stage.REDOSING),
        by=Action.ANSWER,
        answers=("request_quote",),
    ),
    Takes(AcceptQuote, (QuoteAccepted,), at=stages(Stage.ELIGIBILITY, Stage.ADMISSION, Stage.REDOSING)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about the price: return the events it brings about. Raises Refused."""
    match command:
        case IssueEstimate():
            require_currency(command.currency)
            require(0 < command.low <= command.high, Reason.INVALID, "a range goes from low to high", "low")
            return [EstimateIssued(command.low, command.high, command.currency)]
        case AcknowledgeEstimate():
            require(case.estimate == "issued", Reason.MISSING, "no estimate is waiting to be acknowledged")
            require_person(case, command.person)
            return [EstimateAcknowledged(command.person)]
        case GiveQuote():
            accepted = case.accepted is not None and case.accepted.id == command.submission
            require(accepted, Reason.MISSING, "only the centre that accepted names a price", "submission")
            require_currency(command.currency)
            require(command.total > 0, Reason.INVALID, "a price is more than nothing", "total")
            require(command.valid_until > now, Reason.INVALID, "the quote has ended already", "valid_until")
            return [QuoteGiven(command.submission, command.total, command.currency, command.valid_until)]
        case AcceptQuote():
            require(case.quote.state == "asked", Reason.MISSING, "no quote is waiting to be accepted")
            require_person(case, command.person)
            return [QuoteAccepted(command.person)]
        case _:
            assert_never(command)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about the price."""
    event = fact.event
    match event:
        case EstimateIssued():
            return replace(case, estimate="issued")
        case EstimateAcknowledged():
            return replace(case, estimate="acknowledged")
        case QuoteGiven():
            given = replace(case.quote.held("", event.valid_until, fact.id), state="asked")
            return replace(case, quote=given)
        case QuoteAccepted():
            return replace(case, quote=replace(case.quote, state="held", until=None))
        case QuoteLapsed():
            return replace(case, quote=case.quote.again(fact.id, "lapsed"))
        case _:
            assert_never(event)


def lapse(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A price nobody accepted ends at its own instant."""
    over = case.quote.state == "asked" and case.quote.until is not None and case.quote.until <= now
    return [QuoteLapsed()] if over else []


def _ends(case: Case) -> Instants:
    return [case.quote.until] if case.quote.state == "asked" else []


RULES = (Rule("quote_ends", 1, lapse, ("QuoteGiven",), (QuoteLapsed,), _ends),)


def _unpriced(case: Case) -> Iterable[str]:
    open_question = before_travel(case) and case.accepted is not None and case.quote.unanswered
    return [f"{case.accepted.id}/{case.quote.round}"] if open_question and case.accepted else []


def _priced(case: Case, about: str) -> bool:
    return case.quote.answered >= About.of(about).number


def _guess_owed(case: Case) -> bool:
    return before_travel(case) and case.estimate == "none" and case.quote.state == "none"


OWES = (
    Owes(
        "estimate",
        Party.COORDINATOR,
        Party.FAMILY,
        lambda c: ["estimate"] if _guess_owed(c) else [],
        lambda c, _: c.estimate != "none" or c.quote.state != "none",
    ),
    Owes("quote", Party.HOSPITAL, Party.FAMILY, _unpriced, _priced, asked_by="request_quote"),
    Owes(
        "quote_answer",
        Party.FAMILY,
        Party.HOSPITAL,
        lambda c: [c.quote.fact] if c.quote.state == "asked" and before_travel(c) else [],
        lambda c, about: c.quote.state == "held" and c.quote.fact == about,
    ),
)

WANTS = (
    Wants("request_quote", Party.HOSPITAL, _unpriced, _priced, asks=service("Please name the price of the treatment")),
)
