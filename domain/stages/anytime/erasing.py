"""Forgetting a person: one orders it, another confirms, the keys are destroyed, and a tombstone says so [P6]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, assert_never, cast, get_type_hints

from domain.case.erasure import ErasedClass, Erasure, Ground, Tombstone
from domain.case.stage import EVERY_STAGE, Stage
from domain.case.state import Case
from domain.case.table import Owes, Takes, Wants
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, Sealed, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.core.when import When
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.keeping import laws, require_free
from domain.stages.anytime.outcomes import RecordOutcome
from domain.stages.follow_up.closing import ReopenCase, RetractDeath
from domain.stages.follow_up.follow_up import FollowUpEnded
from domain.stages.treatment import admission

Keep = Literal["trace", "trace_and_clinical"]
"""What an erasure leaves readable."""
LAPSES = timedelta(days=14)
"""How long an order waits for somebody else to confirm it."""


@dataclass(frozen=True, slots=True)
class OrderErasure:
    """Make this person unreadable for good, once somebody else confirms. What the law keeps for tracing stays."""

    reason: Ground
    keep: Keep = "trace"
    stops: Literal["nothing", "follow_up"] = "nothing"
    note: Identity = ""
    by: str = ""
    type: Literal["OrderErasure"] = "OrderErasure"


@dataclass(frozen=True, slots=True)
class ConfirmErasure:
    """Somebody else agrees: from here nothing is sent to the family, and the keys go."""

    order: str
    by: str = ""
    type: Literal["ConfirmErasure"] = "ConfirmErasure"


@dataclass(frozen=True, slots=True)
class WithdrawErasure:
    """The order no longer stands; one that lapsed is answered by this, too."""

    order: str
    by: str = ""
    type: Literal["WithdrawErasure"] = "WithdrawErasure"


@dataclass(frozen=True, slots=True)
class RecordErasure:
    """The keys are destroyed; only the engine says this. `stone`: they were, and a restored ledger lacks it."""

    order: str
    stone: Tombstone | None = None
    type: Literal["RecordErasure"] = "RecordErasure"

    @property
    def occurred(self) -> When | None:
        """Return when the keys were destroyed; None = now."""
        return When.at(self.stone.at) if self.stone else None


Command = OrderErasure | ConfirmErasure | WithdrawErasure | RecordErasure


@dataclass(frozen=True, slots=True)
class ErasureOrdered:
    """Somebody wants this person forgotten; it lapses at `until` unless somebody else confirms it."""

    order: str
    reason: Ground
    classes: tuple[ErasedClass, ...]
    stops: str
    note: Identity
    by: str
    until: datetime
    type: Literal["ErasureOrdered"] = "ErasureOrdered"


@dataclass(frozen=True, slots=True)
class ErasureConfirmed:
    """Two people have said it; what follows cannot be taken back."""

    order: str
    by: str
    type: Literal["ErasureConfirmed"] = "ErasureConfirmed"


@dataclass(frozen=True, slots=True)
class ErasureWithdrawn:
    """The order was taken back before anything was destroyed."""

    order: str
    by: str
    type: Literal["ErasureWithdrawn"] = "ErasureWithdrawn"


@dataclass(frozen=True, slots=True)
class CaseErased:
    """The keys of these classes are destroyed, on whose order and why; `law` is why the rest stays."""

    order: str
    classes: tuple[ErasedClass, ...]
    reason: Ground
    ordered_by: str
    confirmed_by: str
    law: str
    type: Literal["CaseErased"] = "CaseErased"


Event = ErasureOrdered | ErasureConfirmed | ErasureWithdrawn | CaseErased

TAKES = (
    Takes(OrderErasure, (ErasureOrdered,), at=EVERY_STAGE, by=Action.ERASE),
    Takes(
        ConfirmErasure,
        (ErasureConfirmed, FollowUpEnded),
        at=EVERY_STAGE,
        by=Action.ERASE,
        settles=("erasure_confirmation",),
    ),
    Takes(WithdrawErasure, (ErasureWithdrawn,), at=EVERY_STAGE, by=Action.ERASE, settles=("erasure_confirmation",)),
    Takes(RecordErasure, (CaseErased,), at=EVERY_STAGE, by=Action.ENGINE, settles=("key_destruction",)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event | FollowUpEnded]:
    """Decide an order, its confirmation, its withdrawal or the deed: return the events. Raises Refused."""
    match command:
        case OrderErasure():
            return [_ordered(case, command, now, ids)]
        case ConfirmErasure():
            return _confirmed(case, command, now)
        case WithdrawErasure():
            _unanswered(case, command.order)
            return [ErasureWithdrawn(command.order, command.by)]
        case RecordErasure():
            return _erased(case, command)
        case _:
            assert_never(command)


def _ordered(case: Case, c: OrderErasure, now: datetime, ids: Ids) -> ErasureOrdered:
    classes: tuple[ErasedClass, ...] = ("identity", "clinical") if c.keep == "trace" else ("identity",)
    before = case.erasure
    waiting = before is not None and before.waits(now)
    require(not waiting, Reason.ALREADY, "an order stands already; confirm or withdraw that one")
    require(set(classes) - erased(case), Reason.ALREADY, "this was erased before")
    _may_begin(case, stops=c.stops)
    if "clinical" in classes:
        require_free(case, now)
    return ErasureOrdered(ids(), c.reason, classes, c.stops, c.note, c.by, now + LAPSES)


def _may_begin(case: Case, *, stops: str) -> None:
    """Nobody is forgotten whom somebody still has to reach."""
    ended = case.stage in (Stage.FOLLOW_UP, Stage.CLOSED)
    require(ended, Reason.NOT_NOW, f"the journey goes on, at {case.stage}: it needs the contacts; leave it first")
    away = admission.in_country(case)
    require(not away, Reason.NOT_NOW, "the patient is still away from home for the treatment; record the return first")
    alerted = any(o.state == "open" and o.kind in ALERTS for o in case.obligations.values())
    require(not alerted, Reason.NOT_NOW, "a safety alert is open: what is dangerous is told first")
    named = case.follow_up != "open" or stops == "follow_up"
    require(named, Reason.NOT_NOW, "the follow-up is open: end it, or say that it is stopped", "stops")


ALERTS = ("safety_alert", "safety_answer")


def _unanswered(case: Case, order: str) -> Erasure:
    known = case.erasure
    if known is None or known.order != order:
        raise Refused(Reason.NOT_FOUND, "no such order in this case", "order")
    require(not known.confirmed_by, Reason.ALREADY, "the order was confirmed before", "order")
    require(not known.withdrawn, Reason.ALREADY, "the order was withdrawn", "order")
    return known


def _standing(case: Case, order: str, now: datetime) -> Erasure:
    known = _unanswered(case, order)
    require(known.stands(now), Reason.LAPSED, f"the order lapsed on {known.until:%Y-%m-%d}; order it anew", "order")
    return known


def _confirmed(case: Case, c: ConfirmErasure, now: datetime) -> Sequence[Event | FollowUpEnded]:
    known = _standing(case, c.order, now)
    require(known.by != c.by, Reason.FOUR_EYES, "nobody confirms an order of their own", "by")
    _may_begin(case, stops=known.stops)
    if "clinical" in known.classes:
        require_free(case, now)
    ends = [FollowUpEnded("withdrawn", "")] if case.follow_up == "open" else []
    return [ErasureConfirmed(known.order, c.by), *ends]


def _erased(case: Case, c: RecordErasure) -> Sequence[CaseErased]:
    known = case.erasure
    if c.stone is not None:
        return _told_again(case, c.stone)
    if known is None or known.order != c.order or not known.confirmed_by:
        raise Refused(Reason.NOT_FOUND, "no such confirmed order in this case", "order")
    if known.done:
        return []
    return [CaseErased(known.order, known.classes, known.reason, known.by, known.confirmed_by, laws(case))]


def _told_again(case: Case, stone: Tombstone) -> Sequence[CaseErased]:
    """Of a ledger that was put back to before the erasure: what the key service remembers of it."""
    if set(stone.classes) <= erased(case):
        return []
    return [CaseErased(stone.order, stone.classes, stone.reason, stone.ordered_by, stone.confirmed_by, laws(case))]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event of an erasure."""
    event = fact.event
    known = case.erasure
    if isinstance(event, ErasureOrdered):
        return replace(case, erasure=_order(case, event))
    if isinstance(event, CaseErased):
        return replace(case, erasure=_deed(case, event, fact.at))
    if known is None or known.order != event.order:
        return case
    match event:
        case ErasureConfirmed():
            return replace(case, erasure=replace(known, confirmed_by=event.by))
        case ErasureWithdrawn():
            return replace(case, erasure=replace(known, withdrawn=True))
        case _:
            assert_never(event)


def _order(case: Case, e: ErasureOrdered) -> Erasure:
    known = case.erasure
    first = known.first if known and known.unanswered else e.order
    return Erasure(e.order, e.reason, e.classes, e.stops, e.by, e.until, erased(case), first=first)


def _deed(case: Case, e: CaseErased, at: datetime) -> Erasure:
    """Of an order this ledger has, or had before it was put back to an earlier state."""
    known = case.erasure
    if known is None or known.order != e.order:
        known = Erasure(e.order, e.reason, e.classes, "nothing", e.ordered_by, at, erased(case), first=e.order)
    return replace(known, confirmed_by=e.confirmed_by, done=True)


def erased(case: Case) -> frozenset[str]:
    """Return the key classes that are destroyed."""
    return case.erasure.erased if case.erasure else frozenset()


def takes(case: Case, command: Any) -> None:  # noqa: ANN401 - any command
    """Refuse to be told again what was forgotten, or to take the journey up again. Raises Refused."""
    going = case.erasure.going if case.erasure else frozenset[str]()
    if not going or isinstance(command, RecordOutcome):
        return
    again = isinstance(command, ReopenCase | RetractDeath)
    require(not again, Reason.IRREVERSIBLE, "this person was erased; open a new case")
    told = command.correction if isinstance(command, CorrectFact) else command
    _require_forgotten(told, going)


def _require_forgotten(told: Any, going: frozenset[str], at: str = "") -> None:  # noqa: ANN401 - any part of a command
    """Refuse what describes the person, in parts that a command has several of too, as the results of a file."""
    for name, key_class in _personal(cast("Any", type(told))):
        empty = key_class not in going or not readable(getattr(told, name))
        words = "this person was erased: nothing of that kind is kept; leave it empty"
        require(empty, Reason.INVALID, words, f"{at}{name}")
    for one in fields(told):
        part = getattr(told, one.name)
        for n, row in enumerate(part if isinstance(part, tuple) else ()):
            if is_dataclass(row):
                _require_forgotten(row, going, f"{at}{one.name}/{n}/")


@cache
def _personal(command: type[Any]) -> tuple[tuple[str, str], ...]:
    """The fields of a command that describe a person, and their key class."""
    hints = get_type_hints(command, include_extras=True)
    marks = {f.name: getattr(hints[f.name], "__metadata__", ()) for f in fields(command)}
    return tuple((name, one.key_class) for name, found in marks.items() for one in found if isinstance(one, Sealed))


def _to_erase(case: Case) -> Iterable[str]:
    known = case.erasure
    return [known.order] if known and known.confirmed_by and not known.done else []


def _to_confirm(case: Case) -> Iterable[str]:
    known = case.erasure
    return [known.first] if known and known.unanswered else []


def _done(case: Case, about: str) -> bool:
    return bool(case.erasure and case.erasure.order == about and case.erasure.done)


OWES = (
    # Regulation (EU) 2016/679 art. 12 (3): whoever asked to be forgotten hears within a month what became of it.
    Owes(
        "erasure_confirmation",
        Party.SUPERVISOR,
        Party.FAMILY,
        _to_confirm,
        lambda c, about: bool(c.erasure and c.erasure.first == about and c.erasure.confirmed_by),
    ),
    Owes("key_destruction", Party.SUPERVISOR, Party.FAMILY, _to_erase, _done),
)
WANTS = (
    Wants(
        "erase_case",
        Party.SUPERVISOR,
        _to_erase,
        _done,
    ),
)
