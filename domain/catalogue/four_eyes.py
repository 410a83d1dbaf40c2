"""Says how one person proposes and another confirms: where hospitals are reached, who may do what, desks' addresses.

Until two people hold the right nobody could be asked, so what is told is in force at once. From then on, for ever, it
is proposed; what was there goes on until another confirms it, a proposal lapses by itself, and the newest change that
was confirmed is undone by one person in one step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol, assert_never

from domain.catalogue.around import Around
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.roles import Action
from domain.core.telling import notices
from domain.core.telling.notices import CONTACT, ClaimNotice, NoticeClaimed, NoticeEnded, NoticeOwed, Owed, RecordNotice

NOT_ALONE = "two people decide this; sign in as one of them (CARAVEL_API and CARAVEL_TOKEN on the command line)"


@dataclass(frozen=True, slots=True)
class ConfirmProposal:
    """Bring into force what somebody else proposed."""

    proposal: str
    type: Literal["ConfirmProposal"] = "ConfirmProposal"


@dataclass(frozen=True, slots=True)
class WithdrawProposal:
    """Take back what was proposed, or turn down what another proposed."""

    proposal: str
    type: Literal["WithdrawProposal"] = "WithdrawProposal"


@dataclass(frozen=True, slots=True)
class UndoChange:
    """Put back at once what stood before the newest confirmed change; what it is named by is its proposal."""

    proposal: str
    type: Literal["UndoChange"] = "UndoChange"


Command = ConfirmProposal | WithdrawProposal | UndoChange | notices.Command

BY: Mapping[type[Any], Action] = {
    ConfirmProposal: Action.KEEP_CATALOGUE,
    WithdrawProposal: Action.KEEP_CATALOGUE,
    UndoChange: Action.KEEP_CATALOGUE,
    notices.ClaimNotice: Action.ENGINE,
    notices.RecordNotice: Action.ENGINE,
}
"""What giving each command is called in the table of roles."""


@dataclass(frozen=True, slots=True)
class ProposalConfirmed:
    """A second person agreed to what was proposed; it can be undone in one step until then."""

    proposal: str
    undone_until: datetime
    type: Literal["ProposalConfirmed"] = "ProposalConfirmed"


@dataclass(frozen=True, slots=True)
class ProposalWithdrawn:
    """What was proposed is off the table."""

    proposal: str
    type: Literal["ProposalWithdrawn"] = "ProposalWithdrawn"


@dataclass(frozen=True, slots=True)
class ChangeUndone:
    """What was confirmed is undone: what stood before stands again."""

    proposal: str
    type: Literal["ChangeUndone"] = "ChangeUndone"


Event = ProposalConfirmed | ProposalWithdrawn | ChangeUndone | notices.Event


class Proposed(Protocol):
    """An event by which something is proposed."""

    @property
    def proposal(self) -> str: ...
    @property
    def until(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """Holds what waits for a second person: `change` is the event that brings it into force. It lapses at `until`."""

    id: str
    by: str
    change: Any
    until: datetime


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Holds the newest change two people made, and until when `back`, an event, puts back what stood before."""

    id: str
    by: tuple[str, str]
    back: Any
    until: datetime


@dataclass(frozen=True, slots=True)
class FourEyes:
    """Holds what is proposed of a stream, what was confirmed last, and who is still to be told of it."""

    proposal: Proposal | None = None
    confirmed: Confirmed | None = None
    owed: tuple[Owed, ...] = ()


NOTHING = FourEyes()
Propose = Callable[[str, datetime], Any]
"""Makes the event of a proposal: (its id, when it lapses)."""


@dataclass(frozen=True, slots=True)
class Told:
    """Holds what those who are told of a change read, and the contact from before it."""

    says: str
    contact: str = ""


def from_to(*parts: tuple[str, str, str]) -> str:
    """Say of each named part what it was and what it becomes, in no language: whoever confirms sees all of it."""
    said = [f"{name} {old or '-'} → {new or '-'}" if old != new else f"{name} {old or '-'}" for name, old, new in parts]
    return "; ".join(said).strip()


def told(
    eyes: FourEyes,
    change: Any,  # noqa: ANN401 - an event of any stream
    propose: Propose,
    tell: Told,
    around: Around,
    now: datetime,
    ids: Ids,
) -> Sequence[Any]:
    """Return the events of a change: itself while nobody can be asked, else its proposal. Raises Refused."""
    if not around.closed:
        return [change]
    _require_keeper(around)
    _require_other(around, None)
    waits = eyes.proposal is not None and now < eyes.proposal.until
    require(not waits, Reason.ALREADY, "another proposal waits here; confirm or withdraw it first")
    proposal = ids()
    return [propose(proposal, now + around.lapse), _owed(proposal, "proposed", tell, around)]


def decide(
    eyes: FourEyes, command: Command, tell: Callable[[Any], Told], around: Around, now: datetime
) -> Sequence[Any]:
    """Decide what is said of a proposal or of the newest change: return the events. Raises Refused.

    `tell` says of an event of the stream what is told of it, as the stream stands.
    """
    if isinstance(command, ClaimNotice | RecordNotice):
        return notices.decide(eyes.owed, command, now)
    _require_keeper(around)
    match command:
        case ConfirmProposal():
            found = _waiting(eyes, command.proposal, now)
            require(around.by != found.by, Reason.FOUR_EYES, "whoever proposed it cannot confirm it", "proposal")
            _require_other(around, "proposal")
            require(found.by in around.keepers, Reason.LAPSED, "whoever proposed it has lost the right to", "proposal")
            confirmed = ProposalConfirmed(found.id, now + around.lapse)
            return [confirmed, found.change, _owed(found.id, "confirmed", tell(found.change), around)]
        case WithdrawProposal():
            found = _waiting(eyes, command.proposal, now)
            _require_other(around, "proposal")
            return [ProposalWithdrawn(found.id), _owed(found.id, "withdrawn", tell(found.change), around)]
        case UndoChange():
            done = _undoable(eyes, command.proposal, now)
            _require_other(around, "proposal")
            restored = replace(tell(done.back), contact=getattr(done.back, "mail", ""))
            return [ChangeUndone(done.id), done.back, _owed(done.id, "undone", restored, around)]
        case _:
            assert_never(command)


def _owed(proposal: str, what: notices.What, tell: Told, around: Around) -> NoticeOwed:
    """Everybody who keeps the catalogue is told, but for whoever did it, and the contact from before."""
    to = (*sorted(around.keepers - {around.by}), *([CONTACT] if tell.contact else ()))
    return NoticeOwed(proposal, what, to, tell.contact, tell.says)


def _undoable(eyes: FourEyes, proposal: str, now: datetime) -> Confirmed:
    found = eyes.confirmed
    if found is None or found.id != proposal:
        raise Refused(Reason.NOT_FOUND, "that is not the newest change two people made here", "proposal")
    require(now < found.until, Reason.LAPSED, "it has stood too long; propose another change", "proposal")
    return found


def _require_keeper(around: Around) -> None:
    require(around.signed_in, Reason.FOUR_EYES, NOT_ALONE)
    require(around.by in around.keepers, Reason.NOT_ALLOWED, "this is for whoever keeps the catalogue")


def _require_other(around: Around, field: str | None) -> None:
    """So whoever loses the right leaves two behind who have it: the one who proposed and the one who confirmed."""
    require(around.by != around.stream, Reason.FOUR_EYES, "nobody decides about themselves", field)


def _waiting(eyes: FourEyes, proposal: str, now: datetime) -> Proposal:
    found = eyes.proposal
    if found is None or found.id != proposal:
        raise Refused(Reason.NOT_FOUND, "no such proposal waits here", "proposal")
    require(now < found.until, Reason.LAPSED, "the proposal has lapsed; propose it again", "proposal")
    return found


def proposed(eyes: FourEyes, fact: Fact[Proposed], change: Any) -> FourEyes:  # noqa: ANN401 - an event of any stream
    """Fold a proposal, by the event it would bring."""
    return replace(eyes, proposal=Proposal(fact.event.proposal, fact.actor, change, fact.event.until))


def evolve(eyes: FourEyes, fact: Fact[Event], back: Callable[[], Any]) -> FourEyes:
    """Fold what was said of a proposal; `back` makes, before a change, the event that will undo it."""
    event = fact.event
    match event:
        case ProposalConfirmed():
            assert eyes.proposal is not None
            both = (eyes.proposal.by, fact.actor)
            done = Confirmed(event.proposal, both, back(), event.undone_until)
            return replace(eyes, proposal=None, confirmed=done)
        case ProposalWithdrawn():
            return replace(eyes, proposal=None)
        case ChangeUndone():
            return replace(eyes, confirmed=None)
        case NoticeOwed() | NoticeClaimed() | NoticeEnded():
            return replace(eyes, owed=notices.evolve(eyes.owed, fact))  # type: ignore[arg-type] # its event
        case _:
            assert_never(event)


def read_model(eyes: FourEyes) -> Mapping[str, Any]:
    """Return what waits to be confirmed, what was confirmed last, and how many are still to be told, if any."""
    waits = eyes.proposal
    listed: dict[str, Any] = {}
    if waits:
        listed["proposal"] = {"id": waits.id, "by": waits.by, "until": waits.until}
    if eyes.confirmed:
        listed["confirmed"] = {"id": eyes.confirmed.id, "until": eyes.confirmed.until}
    if eyes.owed:
        listed["untold"] = len(eyes.owed)
    return listed
