"""What may happen at any stage: owners, notes, holds, snoozes, corrections, moving on, settling what failed, import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, assert_never

from domain.effects import BY_PERSON, Effect, EffectDelivered, EffectRefused, EffectWithdrawn
from domain.errors import Reason, Refused, require
from domain.fact import Fact, Ids
from domain.obligations import Obligation, ObligationRedated, Owes, Step
from domain.personal import Clinical, Identity
from domain.policy import Party, Policy
from domain.state import Case, Consent, Infusion, Stage, Submission, Treatment
from domain.when import When


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
class HoldCase:
    """Stop moving on and stop reminding, until resumed."""

    reason: Clinical
    type: Literal["HoldCase"] = "HoldCase"


@dataclass(frozen=True, slots=True)
class ResumeCase:
    """Go on; what was owed is put off by as long as the hold lasted."""

    type: Literal["ResumeCase"] = "ResumeCase"


@dataclass(frozen=True, slots=True)
class Snooze:
    """No reminders of this obligation before `until`; its deadline stays."""

    obligation: str
    until: datetime
    reason: str
    type: Literal["Snooze"] = "Snooze"


@dataclass(frozen=True, slots=True)
class Redate:
    """A supervisor moves a deadline."""

    obligation: str
    due: datetime
    reason: str
    type: Literal["Redate"] = "Redate"


@dataclass(frozen=True, slots=True)
class SettleEffect:
    """A person found out what became of an effect, or wants it tried again."""

    effect: str
    outcome: Literal["delivered", "refused", "try_again"]
    note: Identity = ""
    by: str = ""
    type: Literal["SettleEffect"] = "SettleEffect"


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """Bring in a running case from a spreadsheet: where it stands, with its own dates; nothing past is chased."""

    stage: Stage
    owner: str = ""
    team: str = ""
    centre: str = ""
    protocol: str = ""
    accepted_until: datetime | None = None
    consents: tuple[str, ...] = ()
    entered: datetime | None = None
    stay_until: datetime | None = None
    infusions: tuple[When, ...] = ()
    home: datetime | None = None
    type: Literal["ImportFacts"] = "ImportFacts"


Command = AssignCase | AddNote | AttachDocument | HoldCase | ResumeCase | Snooze | Redate | SettleEffect | ImportFacts


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


@dataclass(frozen=True, slots=True)
class CaseHeld:
    """The case stands still; `round` counts the holds."""

    reason: Clinical
    round: int
    type: Literal["CaseHeld"] = "CaseHeld"


@dataclass(frozen=True, slots=True)
class CaseResumed:
    """The case moves again."""

    type: Literal["CaseResumed"] = "CaseResumed"


@dataclass(frozen=True, slots=True)
class FactsImported:
    """A running case was taken over with its own dates."""

    stage: Stage
    owner: str
    team: str
    submission: str
    centre: str
    protocol: str
    accepted_until: datetime | None
    consents: tuple[str, ...]
    entered: datetime | None
    stay_until: datetime | None
    infusions: tuple[When, ...]
    home: datetime | None
    type: Literal["FactsImported"] = "FactsImported"


Event = CaseAssigned | NoteAdded | DocumentAttached | CaseHeld | CaseResumed | FactsImported
Also = ObligationRedated | EffectDelivered | EffectRefused | EffectWithdrawn


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event | Also]:
    """What a command of any stage brings about."""
    match command:
        case AssignCase():
            require(command.owner or command.team, Reason.INVALID, "a case has an owner or a team", "owner")
            return [CaseAssigned(command.owner, command.team, command.reason)]
        case AddNote():
            require(command.text, Reason.INVALID, "an empty note says nothing", "text")
            return [NoteAdded(command.kind, command.text)]
        case AttachDocument():
            return [DocumentAttached(command.document, command.name, command.media_type, command.bytes)]
        case HoldCase():
            require(case.on_hold is None, Reason.ALREADY, "the case is on hold")
            return [CaseHeld(command.reason, case.hold_round + 1)]
        case ResumeCase():
            return _resume(case, now)
        case Snooze():
            return [_snooze(case, command, now)]
        case Redate():
            return [_redate(case, command, now)]
        case SettleEffect():
            return [_settle(case, command)]
        case ImportFacts():
            return [_import(case, command, ids)]
        case _:
            assert_never(command)


def _resume(case: Case, now: datetime) -> Sequence[Event | Also]:
    if case.on_hold is None:
        raise Refused(Reason.NOT_NOW, "the case is not on hold")
    lasted = now - case.on_hold
    waiting = [o for o in case.obligations.values() if o.state == "open" and o.kind != "hold_review"]
    return [CaseResumed(), *(_moved(o, lasted, "hold") for o in waiting)]


def _moved(o: Obligation, by: timedelta, reason: str) -> ObligationRedated:
    ahead = tuple(replace(s, at=s.at + by) for n, s in enumerate(o.steps) if n not in o.done)
    return ObligationRedated(o.id, o.due + by, ahead, reason)


def _open_obligation(case: Case, obligation: str) -> Obligation:
    known = case.obligations.get(obligation)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such obligation in this case", "obligation")
    require(known.state == "open", Reason.NOT_NOW, f"the obligation is {known.state}", "obligation")
    return known


def _snooze(case: Case, c: Snooze, now: datetime) -> ObligationRedated:
    known = _open_obligation(case, c.obligation)
    require(now < c.until, Reason.INVALID, "that lies in the past", "until")
    require(c.until < known.due, Reason.INVALID, "a snooze ends before the deadline; redate it instead", "until")
    left = [s for n, s in enumerate(known.steps) if n not in known.done]
    put_off = [replace(s, at=c.until) for s in left if s.at < c.until][-1:]
    steps: tuple[Step, ...] = tuple(put_off + [s for s in left if s.at >= c.until])
    return ObligationRedated(known.id, known.due, steps, c.reason)


def _redate(case: Case, c: Redate, now: datetime) -> ObligationRedated:
    known = _open_obligation(case, c.obligation)
    require(now < c.due, Reason.INVALID, "a deadline lies ahead", "due")
    ahead = tuple(s for n, s in enumerate(known.steps) if n not in known.done and s.at < c.due)
    return ObligationRedated(known.id, c.due, ahead, c.reason)


def _settle(case: Case, c: SettleEffect) -> Also:
    known = case.effects.get(c.effect)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such effect in this case", "effect")
    require(known.state in ("unknown", "refused"), Reason.NOT_NOW, f"the effect is {known.state}", "effect")
    match c.outcome:
        case "delivered":
            return EffectDelivered(known.id, known.tries, f"settled by {c.by}")
        case "refused":
            return EffectRefused(known.id, known.tries, BY_PERSON, c.note)
        case "try_again":
            return EffectWithdrawn(known.id)
        case _:
            assert_never(c.outcome)


def _import(case: Case, c: ImportFacts, ids: Ids) -> Event:
    require(case.imported, Reason.NOT_ALLOWED, "only a case opened as imported takes imported facts")
    require("FactsImported" not in case.seen, Reason.ALREADY, "the facts were imported")
    later = list(Stage).index(c.stage) >= list(Stage).index(Stage.VISA)
    require(not later or (c.centre and c.protocol), Reason.INVALID, "from visa on a case has a centre", "centre")
    treated = c.stage in (Stage.REDOSING, Stage.FOLLOW_UP)
    require(not treated or c.infusions, Reason.INVALID, "a treated case names its infusions", "infusions")
    return FactsImported(
        c.stage,
        c.owner,
        c.team,
        ids(),
        c.centre,
        c.protocol,
        c.accepted_until,
        c.consents,
        c.entered,
        c.stay_until,
        c.infusions,
        c.home,
    )


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event of any stage."""
    event = fact.event
    match event:
        case CaseAssigned():
            return replace(case, owner=event.owner, team=event.team)
        case NoteAdded() | DocumentAttached():
            return case
        case CaseHeld():
            return replace(case, on_hold=fact.at, hold_round=event.round)
        case CaseResumed():
            return replace(case, on_hold=None)
        case FactsImported():
            return _imported(case, event, fact)
        case _:
            assert_never(event)


def _imported(case: Case, e: FactsImported, fact: Fact[Event]) -> Case:
    submission = Submission(e.submission, e.centre, e.protocol, 0, "accepted", 0, e.accepted_until, fact.id)
    infusions = tuple(Infusion(n, when, "", fact.id) for n, when in enumerate(e.infusions, 1))
    given = Treatment(1, max(1, len(infusions)), gate=fact.id, depletion="omitted", infusions=infusions)
    consents = {f"{p}:": Consent(p, "", True, fact.id) for p in e.consents}
    return replace(
        case,
        stage=e.stage,
        stage_since=fact.at,
        owner=e.owner or case.owner,
        team=e.team or case.team,
        submissions={submission.id: submission} if e.centre else {},
        consents={**case.consents, **consents},
        entered=e.entered,
        stay_until=e.stay_until,
        treatments=(given,) if infusions else (),
        follow_up="open" if infusions else case.follow_up,
        home=e.home,
        admitted=fact.id if infusions else "",
        screening="confirmed" if infusions else "none",
        replied=fact.id,
        scope_acknowledged=fact.id,
    )


def _needs_a_person(e: Effect) -> bool:
    return (e.state == "refused" and not e.settled) or (e.state == "unknown" and e.not_before is None)


def _settled(case: Case, about: str) -> bool:
    known = case.effects.get(about.split("/", maxsplit=1)[0])
    return known is None or known.settled or known.state in ("delivered", "withdrawn")


OWES = (
    Owes(
        "hold_review",
        Party.COORDINATOR,
        Party.SUPERVISOR,
        lambda c: [str(c.hold_round)] if c.on_hold else [],
        lambda c, _: c.on_hold is None,
    ),
    Owes(
        "settle_effect",
        Party.COORDINATOR,
        Party.SUPERVISOR,
        lambda c: [f"{e.id}/{e.tries}" for e in c.effects.values() if _needs_a_person(e)],
        _settled,
    ),
    Owes(
        "owner",
        Party.SUPERVISOR,
        Party.FAMILY,
        lambda c: ["owner"] if not c.owner and not c.exit else [],
        lambda c, _: bool(c.owner),
    ),
)
