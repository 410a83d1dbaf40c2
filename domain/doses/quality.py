"""Results of a lot against its product's specification: none is released while one is missing or out of it.

What is out of specification stays so until two people decide about it, or one rejects the lot [doses.oos].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import isfinite
from typing import Any, Literal, assert_never

from domain.core.codes import require_day_come
from domain.core.errors import Reason, Refused, require
from domain.core.personal import Identity, readable
from domain.doses import codes
from domain.doses.linking import Beside
from domain.doses.product import Limit, stream_of

Outcome = Literal["use", "remeasure", "reject"]
"""What quality assurance decides about a result out of specification; `remeasure` after an error of the laboratory."""
ResultState = Literal["within", "out", "accepted", "void"]


@dataclass(frozen=True, slots=True)
class RecordResult:
    """A test of the lot has a result: a number in the specification's unit, or a word; `tested` is its day."""

    test: str
    tested: date
    value: float | None = None
    unit: str = ""
    word: str = ""
    type: Literal["RecordResult"] = "RecordResult"


@dataclass(frozen=True, slots=True)
class DecideOutOfSpecification:
    """Say what is done about a result out of specification, and why.

    To use the lot all the same, or to measure anew, takes two people who say the same; rejecting it takes one.
    """

    test: str
    outcome: Outcome
    reason: Identity
    by: str = ""
    type: Literal["DecideOutOfSpecification"] = "DecideOutOfSpecification"


Command = RecordResult | DecideOutOfSpecification


@dataclass(frozen=True, slots=True)
class ResultRecorded:
    """A test of the lot has a result, within its specification or not."""

    test: str
    tested: date
    value: float | None
    unit: str
    word: str
    within: bool
    type: Literal["ResultRecorded"] = "ResultRecorded"


@dataclass(frozen=True, slots=True)
class OutOfSpecificationProposed:
    """One person said what is to be done about a result; a second is needed."""

    test: str
    outcome: Outcome
    reason: Identity
    by: str
    type: Literal["OutOfSpecificationProposed"] = "OutOfSpecificationProposed"


@dataclass(frozen=True, slots=True)
class OutOfSpecificationDecided:
    """It is decided what is done about a result out of specification."""

    test: str
    outcome: Outcome
    reason: Identity
    by: str
    type: Literal["OutOfSpecificationDecided"] = "OutOfSpecificationDecided"


Event = ResultRecorded | OutOfSpecificationProposed | OutOfSpecificationDecided


@dataclass(frozen=True, slots=True)
class LotResult:
    """The newest result of one test, when it was told, and what was proposed about it: outcome and by whom."""

    test: str
    tested: date
    value: float | None
    unit: str
    word: str
    state: ResultState
    proposed: str = ""
    proposed_by: str = ""
    told_at: datetime | None = None


Results = Mapping[str, LotResult]
"""Results by the folded name of their test."""


def decide(product: str, results: Results, command: Command, now: datetime, beside: Beside) -> Sequence[Event]:
    """Decide what is told of a result of a lot of this product. Raises Refused."""
    match command:
        case RecordResult():
            return [_recorded(product, results, command, now, beside)]
        case DecideOutOfSpecification():
            return [_decided(results, command)]
        case _:
            assert_never(command)


def tests_of(product: str, beside: Beside) -> Sequence[Limit]:
    """Return the specification of a product; nothing where it has none."""
    stated: Sequence[Limit] = beside.get(stream_of(product), {}).get("tests", ())
    return stated


def _recorded(product: str, results: Results, c: RecordResult, now: datetime, beside: Beside) -> Event:
    limit = next((one for one in tests_of(product, beside) if codes.same(one.test, c.test)), None)
    if limit is None:
        raise Refused(Reason.MISSING, "the product's specification has no such test (SpecifyTests)", "test")
    require_day_come(c.tested, now, "tested")
    if limit.expected:
        require(codes.folded(c.word) and c.value is None, Reason.INVALID, "this test has a word as its result", "word")
    else:
        number = c.value is not None and isfinite(c.value) and not c.word
        require(number, Reason.INVALID, "this test has a number as its result", "value")
        told = f"this test is measured in {limit.unit}; convert it before it is recorded"
        require(c.unit.strip() == limit.unit, Reason.INVALID, told, "unit")
    known = results.get(codes.folded(limit.test))
    undecided = known is not None and known.state == "out"
    require(not undecided, Reason.NOT_NOW, "a result out of specification stands; decide about it first", "test")
    return ResultRecorded(limit.test, c.tested, c.value, c.unit.strip(), c.word, limit.holds(c.value, c.word))


def _decided(results: Results, c: DecideOutOfSpecification) -> Event:
    known = results.get(codes.folded(c.test))
    if known is None or known.state != "out":
        raise Refused(Reason.NOT_NOW, "no result of this test is out of specification and undecided", "test")
    require(readable(c.reason), Reason.INVALID, "say why", "reason")
    require(c.by, Reason.FOUR_EYES, "somebody decides this, by name", "by")
    told = OutOfSpecificationDecided(known.test, c.outcome, c.reason, c.by)
    if c.outcome == "reject" or (known.proposed == c.outcome and known.proposed_by != c.by):
        return told
    require(known.proposed != c.outcome, Reason.FOUR_EYES, "you said so already; another person has to", "by")
    return OutOfSpecificationProposed(known.test, c.outcome, c.reason, c.by)


def require_tested(product: str, results: Results, beside: Beside) -> None:
    """Refuse the release of a lot while a result is missing, or out of specification and not accepted."""
    out = sorted(one.test for one in results.values() if one.state == "out")
    told = f"out of specification and undecided: {', '.join(out)} (DecideOutOfSpecification)"
    require(not out, Reason.NEVER_WAIVED, told)
    good = {name for name, one in results.items() if one.state in ("within", "accepted")}
    void = {name for name, one in results.items() if one.state == "void"}  # of a late test too it is measured first
    asked = [one.test for one in tests_of(product, beside) if not one.late or codes.folded(one.test) in void]
    missing = [test for test in asked if codes.folded(test) not in good]
    require(not missing, Reason.MISSING, f"there is no result yet of: {', '.join(missing)} (RecordResult)")


def evolve(results: Results, event: Event, at: datetime) -> Results:
    """Fold what is told of a result, recorded at that instant."""
    name = codes.folded(event.test)
    match event:
        case ResultRecorded():
            state: ResultState = "within" if event.within else "out"
            after = LotResult(event.test, event.tested, event.value, event.unit, event.word, state, told_at=at)
        case OutOfSpecificationProposed():
            after = replace(results[name], proposed=event.outcome, proposed_by=event.by)
        case OutOfSpecificationDecided():
            ends: Mapping[str, Any] = {"use": "accepted", "remeasure": "void", "reject": "out"}
            after = replace(results[name], state=ends[event.outcome], proposed="", proposed_by="")
        case _:
            assert_never(event)
    return {**results, name: after}
