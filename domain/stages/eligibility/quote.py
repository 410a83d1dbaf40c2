"""The price [S4]: a realistic range from the service, then the hospital's own quote, which ends by itself.

Both are told line by line [eligibility.cost-lines]; what a trial bears is marked and never charged to the family.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Literal, assert_never

from domain.case.asking import service
from domain.case.costs import KINDS, MOST, TOO_MUCH, CostLines, Costs, lines_of
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
from domain.stages.eligibility.filing import require_free_of_research
from domain.stages.eligibility.submissions import LIVE, standing
from domain.stages.intake.people import require_person


@dataclass(frozen=True, slots=True)
class IssueEstimate(CostLines):
    """Realistic ranges before travel, in the currency's main unit (ISO 4217).

    `low` and `high` are what the family pays in all: needed where no line is given, else the sum of the lines.
    """

    currency: str
    low: int | None = None
    high: int | None = None
    type: Literal["IssueEstimate"] = "IssueEstimate"


@dataclass(frozen=True, slots=True)
class AcknowledgeEstimate:
    """The family has seen the range and wants to go on."""

    person: str
    type: Literal["AcknowledgeEstimate"] = "AcknowledgeEstimate"


@dataclass(frozen=True, slots=True)
class GiveQuote(CostLines):
    """The hospital's own price, in the currency's main unit; it supersedes the estimate line by line.

    `total` is what the family pays at most: needed where no line is given, else the sum of the lines.
    """

    submission: str
    currency: str
    valid_until: datetime
    total: int | None = None
    type: Literal["GiveQuote"] = "GiveQuote"


@dataclass(frozen=True, slots=True)
class AcceptQuote:
    """The family accepts the hospital's price while it is valid."""

    person: str
    type: Literal["AcceptQuote"] = "AcceptQuote"


Command = IssueEstimate | AcknowledgeEstimate | GiveQuote | AcceptQuote


@dataclass(frozen=True, slots=True)
class EstimateIssued(CostLines):
    """The family was told realistic ranges."""

    low: int
    high: int
    currency: str
    schema_version: ClassVar[int] = 2
    type: Literal["EstimateIssued"] = "EstimateIssued"


@dataclass(frozen=True, slots=True)
class EstimateAcknowledged:
    """The family knows the range."""

    person: str
    type: Literal["EstimateAcknowledged"] = "EstimateAcknowledged"


@dataclass(frozen=True, slots=True)
class QuoteGiven(CostLines):
    """The hospital named its price, valid until."""

    submission: str
    total: int
    currency: str
    valid_until: datetime
    schema_version: ClassVar[int] = 2
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
    Takes(IssueEstimate, (EstimateIssued,), at=stages(Stage.ELIGIBILITY, Stage.ADMISSION), settles=("estimate",)),
    Takes(
        AcknowledgeEstimate,
        (EstimateAcknowledged,),
        at=stages(Stage.ELIGIBILITY, Stage.ADMISSION),
        answers=("send_estimate",),
        settles=("estimate_answer",),
    ),
    Takes(
        GiveQuote,
        (QuoteGiven,),
        at=stages(Stage.ELIGIBILITY, Stage.ADMISSION, Stage.REDOSING),
        by=Action.ANSWER,
        answers=("request_quote",),
    ),
    Takes(
        AcceptQuote,
        (QuoteAccepted,),
        at=stages(Stage.ELIGIBILITY, Stage.ADMISSION, Stage.REDOSING),
        answers=("send_quote",),
        settles=("quote_answer",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about the price: return the events it brings about. Raises Refused."""
    match command:
        case IssueEstimate():
            return [_estimate(case, command)]
        case AcknowledgeEstimate():
            require(case.estimate == "issued", Reason.MISSING, "no estimate is waiting to be acknowledged")
            require_person(case, command.person)
            return [EstimateAcknowledged(command.person)]
        case GiveQuote():
            return [_quote(case, command, now)]
        case AcceptQuote():
            require(case.quote.state == "asked", Reason.MISSING, "no quote is waiting to be accepted")
            require_person(case, command.person)
            return [QuoteAccepted(command.person)]
        case _:
            assert_never(command)


def _estimate(case: Case, c: IssueEstimate) -> EstimateIssued:
    require_currency(c.currency)
    require_lines(c)
    live = [case.accepted] if case.accepted else standing(case, *LIVE)
    require_free_of_research(case, (s.protocol for s in live), c)
    low, high = c.charged if c.itemised else (c.low or 0, c.high or 0)
    require(c.itemised or high <= MOST, Reason.INVALID, TOO_MUCH, "high")
    require(c.itemised or 0 < low <= high, Reason.INVALID, "a range goes from low to high", "low")
    _require_sum(c.low, low, "low")
    _require_sum(c.high, high, "high")
    return EstimateIssued(low, high, c.currency, **_lines(c))


def _quote(case: Case, c: GiveQuote, now: datetime) -> QuoteGiven:
    accepted = case.accepted is not None and case.accepted.id == c.submission
    require(accepted, Reason.MISSING, "only the centre that accepted names a price", "submission")
    require_currency(c.currency)
    require_lines(c)
    require_free_of_research(case, [case.protocol], c)
    total = c.charged[1] if c.itemised else c.total or 0
    require(c.itemised or total <= MOST, Reason.INVALID, TOO_MUCH, "total")
    require(c.itemised or total > 0, Reason.INVALID, "a price is more than nothing", "total")
    _require_sum(c.total, total, "total")
    require(c.valid_until > now, Reason.INVALID, "the quote has ended already", "valid_until")
    return QuoteGiven(c.submission, total, c.currency, c.valid_until, **_lines(c))


def require_lines(told: CostLines) -> None:
    """Refuse a range that runs backwards or is no sum of money. Raises Refused that names the line."""
    for kind in KINDS:
        if line := told.line(kind):
            require(0 <= line.low <= line.most, Reason.INVALID, "a range goes from low to high", kind)
            require(line.most <= MOST, Reason.INVALID, TOO_MUCH, kind)


def _require_sum(said: int | None, sum_of_lines: int, field: str) -> None:
    words = f"the lines that the family pays come to {sum_of_lines}; leave this out, or correct a line"
    require(said is None or said == sum_of_lines, Reason.INVALID, words, field)


def _lines(told: CostLines) -> dict[str, Any]:
    return {one.name: getattr(told, one.name) for one in fields(CostLines)}


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about the price."""
    event = fact.event
    match event:
        case EstimateIssued():
            costs = Costs(fact.id, fact.at, event.currency, event.low, event.high, lines_of(event))
            return replace(case, estimate="issued", estimated=costs)
        case EstimateAcknowledged():
            return replace(case, estimate="acknowledged")
        case QuoteGiven():
            given = replace(case.quote.held("", event.valid_until, fact.id), state="asked")
            low = event.charged[0] if event.itemised else event.total
            costs = Costs(fact.id, fact.at, event.currency, low, event.total, lines_of(event))
            return replace(case, quote=given, quoted=costs)
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


def _unread_estimate(case: Case) -> Iterable[str]:
    """The estimate the family has not acknowledged; the hospital's price takes its place."""
    waits = before_travel(case) and case.estimate == "issued" and case.quote.state == "none"
    return [case.estimated.fact] if waits and case.estimated else []


def _unanswered_price(case: Case) -> Iterable[str]:
    return [case.quote.fact] if case.quote.state == "asked" and before_travel(case) else []


def _price_taken(case: Case, about: str) -> bool:
    return case.quote.state == "held" and case.quote.fact == about


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
        "estimate_answer",
        Party.FAMILY,
        Party.COORDINATOR,
        _unread_estimate,
        lambda c, _: c.estimate == "acknowledged",
    ),
    Owes("quote_answer", Party.FAMILY, Party.HOSPITAL, _unanswered_price, _price_taken),
)

WANTS = (
    Wants("request_quote", Party.HOSPITAL, _unpriced, _priced, asks=service("Please name the price of the treatment")),
    Wants("send_estimate", Party.FAMILY, _unread_estimate, lambda c, _: c.estimate == "acknowledged"),
    Wants("send_quote", Party.FAMILY, _unanswered_price, _price_taken),
)
