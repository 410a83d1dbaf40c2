"""Holds what is acquired beside the tracks: sent, booked, enrolled, paid; undone, or its fate told [undoing.matrix]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.asking import service
from domain.case.phases.submissions import ASKED, Resource, ResourceKind
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Takes, Wants
from domain.case.undoing import UNDOING, Fate, Final, ended
from domain.catalogue.protocols.classes import CLASSES
from domain.core.about import About
from domain.core.codes import require_currency
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, Trace
from domain.core.policy import Party, Policy
from domain.core.when import When
from domain.stages.eligibility.submissions import may_receive, moved, require_submission
from domain.stages.intake.people import require_decider

Disposition = Literal["stored", "remade", "destroyed"]


@dataclass(frozen=True, slots=True)
class RecordResource:
    """Something was acquired for this case at a centre: `ref` is its own number, of a parcel, a slot, a payment.

    `amount` in the currency's main unit (ISO 4217), of a payment only.
    """

    kind: ResourceKind
    submission: str
    ref: Trace = ""
    detail: Identity = ""
    amount: int | None = None
    currency: str = ""
    occurred: When | None = None
    type: Literal["RecordResource"] = "RecordResource"


@dataclass(frozen=True, slots=True)
class ReportResource:
    """Report where it is on its way, or how it ended. `amount` is what was paid back, None = all of it."""

    resource: str
    fate: Fate
    ref: Trace = ""
    amount: int | None = None
    occurred: When | None = None
    type: Literal["ReportResource"] = "ReportResource"


@dataclass(frozen=True, slots=True)
class OrderCells:
    """The patient's own cells are not used: `person` signed what is done with them."""

    resource: str
    disposition: Disposition
    person: str
    type: Literal["OrderCells"] = "OrderCells"


@dataclass(frozen=True, slots=True)
class ConfirmDestruction:
    """The centre destroyed its copies of the dossier; `kept_by_law`: all but what it must keep."""

    submission: str
    kept_by_law: bool = False
    type: Literal["ConfirmDestruction"] = "ConfirmDestruction"


Command = RecordResource | ReportResource | OrderCells | ConfirmDestruction


@dataclass(frozen=True, slots=True)
class ResourceAcquired:
    """Something is with a centre, booked, enrolled or paid, and will have to be accounted for."""

    resource: str
    kind: ResourceKind
    submission: str
    ref: Trace
    detail: Identity
    amount: int | None
    currency: str
    type: Literal["ResourceAcquired"] = "ResourceAcquired"


@dataclass(frozen=True, slots=True)
class ResourceReported:
    """Where it is on its way, or how it ended."""

    resource: str
    fate: Fate
    ref: Trace
    amount: int | None
    type: Literal["ResourceReported"] = "ResourceReported"


@dataclass(frozen=True, slots=True)
class CellsOrdered:
    """Somebody who may decide signed what is done with the patient's own cells."""

    resource: str
    disposition: Disposition
    person: str
    type: Literal["CellsOrdered"] = "CellsOrdered"


@dataclass(frozen=True, slots=True)
class CopiesDestroyed:
    """A centre has no copies of the dossier any more, but for those the law makes it keep."""

    submission: str
    kept_by_law: bool
    type: Literal["CopiesDestroyed"] = "CopiesDestroyed"


Event = ResourceAcquired | ResourceReported | CellsOrdered | CopiesDestroyed

TAKES = (
    Takes(
        RecordResource,
        (ResourceAcquired,),
        at=stages(Stage.ELIGIBILITY),
        over_fhir=True,
        settles=("manufacturing_failed",),
    ),
    Takes(
        ReportResource,
        (ResourceReported,),
        at=stages(Stage.ELIGIBILITY),
        over_fhir=True,
        answers=("carry_out_order", "specimen_receipt", *(one.effect for one in UNDOING.values())),
        settles=("resource_undone",),
    ),
    Takes(OrderCells, (CellsOrdered,), at=stages(Stage.ELIGIBILITY), settles=("cells_order",)),
    Takes(
        ConfirmDestruction,
        (CopiesDestroyed,),
        at=stages(Stage.ELIGIBILITY),
        over_fhir=True,
        answers=("withdraw_submission", "recall_dossier"),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about something acquired: return the events it brings about. Raises Refused."""
    match command:
        case RecordResource():
            return [_acquired(case, command, ids)]
        case ReportResource():
            return [_reported(case, command)]
        case OrderCells():
            return [_ordered(case, command, now)]
        case ConfirmDestruction():
            known = require_submission(case, command.submission, *ASKED, "accepted", "declined", "withdrawn")
            require(known.round, Reason.NOT_NOW, "this centre was never sent anything", "submission")
            require(not known.copies_gone, Reason.ALREADY, "the destruction is confirmed", "submission")
            return [CopiesDestroyed(command.submission, command.kept_by_law)]
        case _:
            assert_never(command)


def _acquired(case: Case, c: RecordResource, ids: Ids) -> Event:
    known = require_submission(case, c.submission, *ASKED, "accepted", "declined", "withdrawn")
    paid = c.kind == "payment"
    require(paid == (c.amount is not None), Reason.INVALID, "a payment, and nothing else, has an amount", "amount")
    if paid:
        require_currency(c.currency)
        require((c.amount or 0) > 0, Reason.INVALID, "a payment is more than nothing", "amount")
        _require_charged(case, c)
    if c.kind in ("slides", "blocks"):
        require(may_receive(case, known.centre), Reason.MISSING, "consent to send to this centre is not given")
    if c.kind in OWN_CELLS:
        kind = case.noted(known.protocol).get("product_class", "not_said")
        words = f"nothing is made of the patient's own cells for a product that is {kind}"
        require(kind == "not_said" or CLASSES[kind].own_cells, Reason.INVALID, words, "kind")
    if c.kind == "registry_enrolment":
        require(case.consented("registry"), Reason.MISSING, "consent to a registry is not given")
    return ResourceAcquired(ids(), c.kind, c.submission, c.ref, c.detail, c.amount, c.currency)


OWN_CELLS: tuple[ResourceKind, ...] = ("manufacturing_slot", "patient_cells")
"""What only a product of the patient's own cells asks for [doses.manufacturing-failed]."""


def _require_charged(case: Case, c: RecordResource) -> None:
    """Refuse more than the price the family accepted: the trial's share is not charged [eligibility.trial-borne]."""
    price = case.quoted if case.accepted and case.accepted.id == c.submission else None
    if price is None or case.quote.state != "held" or price.currency != c.currency:
        return
    paid = sum(r.amount or 0 for r in case.resources.values() if r.submission == c.submission and r.state != "refunded")
    words = f"the family pays {price.high} {price.currency} at most by the price it accepted, {paid} of it is recorded"
    require(paid + (c.amount or 0) <= price.high, Reason.INVALID, words, "amount")


def _known(case: Case, resource: str) -> Resource:
    found = case.resources.get(resource)
    if found is None:
        raise Refused(Reason.NOT_FOUND, "nothing of that name was acquired", "resource")
    return found


def _reported(case: Case, c: ReportResource) -> Event:
    known = _known(case, c.resource)
    fates = UNDOING[known.kind].fates
    require(c.fate in fates, Reason.INVALID, f"of this kind is told: {', '.join(fates)}", "fate")
    require(c.fate != known.state, Reason.ALREADY, "that is what was told last", "fate")
    if c.amount is not None:
        require(c.fate == "refunded", Reason.INVALID, "an amount is told of what was paid back", "amount")
        words = "more than nothing was paid back, and no more than was paid"
        require(0 < c.amount <= (known.amount or 0), Reason.INVALID, words, "amount")
    return ResourceReported(c.resource, c.fate, c.ref, c.amount)


def _ordered(case: Case, c: OrderCells, now: datetime) -> Event:
    known = _known(case, c.resource)
    require(known.kind == "patient_cells", Reason.INVALID, "only the patient's own cells are ordered about", "resource")
    require(not ended(known), Reason.NOT_NOW, f"the cells are {known.state}", "resource")
    signer = require_decider(case, c.person, now)
    require(not (case.died and signer.role == "patient"), Reason.INVALID, "the dead do not sign", "person")
    return CellsOrdered(c.resource, c.disposition, c.person)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about something acquired."""
    event = fact.event
    match event:
        case ResourceAcquired():
            e = event
            new = Resource(e.resource, e.kind, e.submission, e.ref if isinstance(e.ref, str) else "", e.amount)
            return replace(case, resources={**case.resources, new.id: new})
        case ResourceReported():
            return _changed(case, event.resource, state=event.fate, order="")
        case CellsOrdered():
            known = case.resources.get(event.resource)
            return _changed(case, event.resource, order=event.disposition, orders=known.orders + 1 if known else 1)
        case CopiesDestroyed():
            return moved(case, event.submission, copies_gone=True)
        case _:
            assert_never(event)


def _changed(case: Case, resource: str, **changes: object) -> Case:
    known = case.resources.get(resource)
    if known is None:
        return case
    return replace(case, resources={**case.resources, resource: replace(known, **changes)})  # type: ignore[arg-type]


def in_vain(case: Case, r: Resource) -> bool:
    """Return whether it serves nothing any more: the journey was left or is over, or the centre is no longer asked."""
    if r.kind == "registry_enrolment":
        consent = case.consents.get("registry:")
        return bool(case.exit and not case.infusions) or (consent is not None and not consent.given)
    asked = case.submissions.get(r.submission)
    gone = asked is None or asked.state in ("declined", "withdrawn")
    over = bool(case.exit) or gone or case.stage in (Stage.FOLLOW_UP, Stage.CLOSED)
    return over and not (r.kind == "payment" and case.infusions)


def undone_by(effect: str) -> Callable[[Case], Iterable[str]]:
    """Find what that effect gives back, stops or holds now."""

    def wanted(case: Case) -> Iterable[str]:
        rows = ((r, UNDOING[r.kind]) for r in case.resources.values() if in_vain(case, r))
        return [r.id for r, row in rows if row.effect == effect and r.state in ("held", *row.undoable) and not r.order]

    return wanted


def irreversible(case: Case) -> Iterable[tuple[Final, str]]:
    """List what was acquired and cannot be undone as it stands, and what happens instead."""
    found = (UNDOING[r.kind].final.get(r.state) for r in case.resources.values())
    return dict.fromkeys(final for final in found if final)


def shared(case: Case) -> Iterable[str]:
    """Return every centre that is to destroy its copies on leaving; the one that treats the patient keeps its own."""
    live = [s for s in case.submissions.values() if s.round and s.state not in ("withdrawn", "declined")]
    return [f"{s.id}/{s.round}" for s in live if case.exit and not (case.admitted and s.state == "accepted")]


def _to_destroy(case: Case) -> Iterable[str]:
    recalled = {About.of(about).id for about in shared(case)}
    told = [s for s in case.submissions.values() if s.round and (s.state == "withdrawn" or s.id in recalled)]
    return [s.id for s in told if not s.copies_gone]


def _destroyed(case: Case, about: str) -> bool:
    known = case.submission_of(about)
    return known is not None and known.copies_gone


def _over(case: Case, about: str) -> bool:
    known = _of(case, about)
    return known is not None and ended(known)


ANSWERED: Mapping[str, Callable[[Case, str], bool]] = {
    **{row.effect: _over for row in UNDOING.values()},
    "recall_dossier": _destroyed,
}
"""What shows that an effect of leaving reached the centre."""


def _about(r: Resource) -> str:
    return f"{r.id}/{r.orders}"


def _of(case: Case, about: str) -> Resource | None:
    return case.resources.get(About.of(about).id)


def _to_be_undone(case: Case) -> Iterable[str]:
    open_ = [r for r in case.resources.values() if in_vain(case, r) and not ended(r)]
    return [_about(r) for r in open_ if r.kind != "patient_cells" or r.order]


def _accounted_for(case: Case, about: str) -> bool:
    known = _of(case, about)
    return known is not None and (ended(known) or (known.kind == "patient_cells" and not known.order))


def _unsigned(case: Case) -> Iterable[str]:
    cells = [r for r in case.resources.values() if r.kind == "patient_cells" and in_vain(case, r)]
    return [_about(r) for r in cells if not (ended(r) or r.order)]


def _signed(case: Case, about: str) -> bool:
    known = _of(case, about)
    return known is not None and (bool(known.order) or ended(known))


def _failed(case: Case) -> Iterable[str]:
    """A slot in which nothing could be made, and nothing else to go on with."""
    given = case.treatment is not None and case.treatment.complete
    if case.exit or case.accepted is None or given or _another_way(case):
        return []
    slots = [r for r in case.resources.values() if r.kind == "manufacturing_slot"]
    return [r.id for r in slots[-1:] if r.state == "failed" and r.submission == case.accepted.id]


def _another_way(case: Case) -> bool:
    slots = [r for r in case.resources.values() if r.kind == "manufacturing_slot"]
    return case.dose.state == "held" or (bool(slots) and slots[-1].state != "failed")


def _to_carry_out(case: Case) -> Iterable[str]:
    return [_about(r) for r in case.resources.values() if r.order and not ended(r)]


OWES = (
    Owes("resource_undone", Party.HOSPITAL, Party.COORDINATOR, _to_be_undone, _accounted_for),
    Owes("cells_order", Party.COORDINATOR, Party.HOSPITAL, _unsigned, _signed),
    Owes(
        "destruction_confirmation",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _to_destroy,
        _destroyed,
        asked_by="recall_dossier",
    ),
    Owes(
        "manufacturing_failed",
        Party.COORDINATOR,
        Party.FAMILY,
        _failed,
        lambda c, _: c.exit is None and _another_way(c),
    ),
)

WANTS = (
    Wants(
        "carry_out_order",
        Party.HOSPITAL,
        _to_carry_out,
        _accounted_for,
        asks=service("Please carry out the order about the patient's cells"),
    ),
)
