"""Takes at any stage owners, notes, documents, and the settling of what could not be delivered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.effect import (
    BY_PERSON,
    Effect,
    EffectDelivered,
    EffectRefused,
    EffectRequested,
    EffectUnknown,
    EffectWithdrawn,
)
from domain.case.phases.records import StoredDocument
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.about import About, chased
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.records.documents import keeping


@dataclass(frozen=True, slots=True)
class AssignCase:
    """Somebody else owns the case from now on; exactly one owner at all times. Opaque ids."""

    owner: str
    team: str
    reason: Identity = ""
    type: Literal["AssignCase"] = "AssignCase"


@dataclass(frozen=True, slots=True)
class AddNote:
    """A note or the outcome of a call."""

    kind: Literal["note", "call", "message"]
    text: Identity
    type: Literal["AddNote"] = "AddNote"


@dataclass(frozen=True, slots=True)
class AttachDocument:
    """A document belongs to the case. `document` is the SHA-256 of its stored ciphertext; `bytes` its size."""

    document: str
    name: Identity
    media_type: str
    bytes: int
    type: Literal["AttachDocument"] = "AttachDocument"


@dataclass(frozen=True, slots=True)
class SettleEffect:
    """A person found out what became of an effect, or wants it tried again.

    Nobody knows whether it arrived: tried again under the same id. It was refused or came back: asked for anew.
    """

    effect: str
    outcome: Literal["delivered", "refused", "try_again"]
    note: Identity = ""
    by: str = ""
    type: Literal["SettleEffect"] = "SettleEffect"


Command = AssignCase | AddNote | AttachDocument | SettleEffect


@dataclass(frozen=True, slots=True)
class CaseAssigned:
    """The case has an owner and a team."""

    owner: str
    team: str
    reason: Identity
    type: Literal["CaseAssigned"] = "CaseAssigned"


@dataclass(frozen=True, slots=True)
class NoteAdded:
    """Somebody wrote something down."""

    kind: str
    text: Identity
    type: Literal["NoteAdded"] = "NoteAdded"


@dataclass(frozen=True, slots=True)
class DocumentAttached:
    """A document belongs to the case."""

    document: str
    name: Identity
    media_type: str
    bytes: int
    type: Literal["DocumentAttached"] = "DocumentAttached"


Event = CaseAssigned | NoteAdded | DocumentAttached
Also = EffectRequested | EffectDelivered | EffectRefused | EffectUnknown | EffectWithdrawn

TAKES = (
    Takes(AssignCase, (CaseAssigned,), at=EVERY_STAGE, settles=("owner",)),
    Takes(AddNote, (NoteAdded,), at=EVERY_STAGE, by=Action.NOTE),
    Takes(AttachDocument, (DocumentAttached,), at=EVERY_STAGE, by=Action.NOTE),
    Takes(
        SettleEffect,
        (EffectDelivered, EffectRefused, EffectUnknown, EffectWithdrawn, EffectRequested),
        at=EVERY_STAGE,
        by=Action.SETTLE,
        settles=("settle_effect",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event | Also]:
    """Decide a command of any stage: return the events it brings about. Raises Refused."""
    match command:
        case AssignCase():
            require(command.owner or command.team, Reason.INVALID, "a case has an owner or a team", "owner")
            return [CaseAssigned(command.owner, command.team, command.reason)]
        case AddNote():
            require(command.text, Reason.INVALID, "an empty note says nothing", "text")
            return [NoteAdded(command.kind, command.text)]
        case AttachDocument():
            require(command.bytes > 0, Reason.INVALID, "an empty document says nothing", "bytes")
            return [DocumentAttached(command.document, command.name, command.media_type, command.bytes)]
        case SettleEffect():
            return _settle(case, command, now, ids)
        case _:
            assert_never(command)


ONLY_WE_KNOW = {"erase_case": "keys are destroyed", "tell_linked_case": "the other case was told"}
"""What happens in our own ledger and keys, and never by somebody's word."""


def _settle(case: Case, c: SettleEffect, now: datetime, ids: Ids) -> Sequence[Also]:
    known = case.effects.get(c.effect)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such effect in this case", "effect")
    open_still = known.state in ("unknown", "refused") or known.bounced
    require(open_still, Reason.NOT_NOW, f"the effect is {known.state}", "effect")
    require(not known.settled, Reason.ALREADY, "a person has settled it", "effect")
    ours = c.outcome != "try_again" and known.kind in ONLY_WE_KNOW
    words = f"only the engine can tell that {ONLY_WE_KNOW.get(known.kind, '')}; try again"
    require(not ours, Reason.NOT_NOW, words, "outcome")
    match c.outcome:
        case "delivered":
            return [EffectDelivered(known.id, known.tries, f"settled by {c.by}")]
        case "refused":
            return [EffectRefused(known.id, known.tries, BY_PERSON, c.note)]
        case "try_again":
            return _again(known, now, ids)
        case _:
            assert_never(c.outcome)


def _again(known: Effect, now: datetime, ids: Ids) -> Sequence[Also]:
    if known.state == "unknown":
        return [EffectUnknown(known.id, known.tries, now)]
    return [EffectWithdrawn(known.id), EffectRequested(ids(), known.kind, known.about, known.to)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event of any stage."""
    event = fact.event
    match event:
        case CaseAssigned():
            return replace(case, owner=event.owner, team=event.team)
        case DocumentAttached():
            return keeping(case, event.document, StoredDocument(event.media_type, event.bytes))
        case NoteAdded():
            return case
        case _:
            assert_never(event)


def _needs_a_person(case: Case, e: Effect) -> bool:
    if e.bounced:
        return not e.settled and e.state == "delivered" and not _about_settling(case, e)
    return (e.state == "refused" and not e.settled) or (e.state == "unknown" and e.not_before is None)


def _about_settling(case: Case, e: Effect) -> bool:
    """A reminder to settle an effect that itself comes back would ask for itself for ever."""
    owed = case.obligations.get(About.of(e.about).id)
    return owed is not None and "settle_effect" in (owed.kind, chased(owed.about)[0])


def _settled(case: Case, about: str) -> bool:
    known = case.effects.get(About.of(about).id)
    if known is None or known.settled or known.state == "withdrawn":
        return True
    return known.state == "delivered" and not known.bounced


def _unowned(case: Case) -> Iterable[str]:
    return ["owner"] if not (case.owner or case.team or case.exit) else []


OWES = (
    Owes(
        "settle_effect",
        Party.COORDINATOR,
        Party.SUPERVISOR,
        lambda c: [f"{e.id}/{e.tries}" for e in c.effects.values() if _needs_a_person(c, e)],
        _settled,
    ),
    Owes("owner", Party.SUPERVISOR, Party.FAMILY, _unowned, lambda c, _: bool(c.owner or c.team)),
)
