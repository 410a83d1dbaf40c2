"""Links cases of one person, and merges one into the other for good; each hears of it by an effect [people.links].

A supervisor asks in one case. The other is asked by an effect and says yes or no in its own history; only then does
the first record what it came to. So two cases never close in favour of each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.phases.links import Births, CaseLink, LinkAsked, LinkRequest, LinkType, OtherCase
from domain.case.phases.submissions import HandedWait
from domain.case.stage import EVERY_STAGE, Exit, Stage
from domain.case.state import Case
from domain.case.table import Takes, Wants, not_answered
from domain.core.about import About
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.anytime.wait_handover import WaitHandedOver, WaitTakenOver, handed_over, taken_over
from domain.stages.follow_up.closing import JourneyLeft
from domain.stages.intake.duplicates import same_birth


@dataclass(frozen=True, slots=True)
class LinkCase:
    """Say that another case is of the same person; both go on. `other` is its id or number.

    `despite_birth` is the reason where the birth dates contradict each other.
    """

    other: str
    reason: Identity
    despite_birth: Identity = ""
    by: str = ""
    type: Literal["LinkCase"] = "LinkCase"


@dataclass(frozen=True, slots=True)
class UnlinkCase:
    """The other case is of somebody else after all; both forget the link."""

    other: str
    reason: Identity
    by: str = ""
    type: Literal["UnlinkCase"] = "UnlinkCase"


@dataclass(frozen=True, slots=True)
class MergeCase:
    """Close this case for good in favour of another of the same person. `other` is the id or number that goes on.

    It cannot be taken back, so the first answer names both cases and asks; `confirmed` says that this was read.
    `despite_birth` is the reason where the birth dates contradict each other.
    """

    other: str
    reason: Identity
    confirmed: bool = False
    despite_birth: Identity = ""
    by: str = ""
    type: Literal["MergeCase"] = "MergeCase"


@dataclass(frozen=True, slots=True)
class AcceptLink:
    """Another case asks to be linked, unlinked or merged into this one; only the engine says this.

    `open`: the other case is open, so a merge would close it; `waits` are those it hands over then.
    """

    other: str
    number: str
    kind: LinkRequest
    open: bool = False
    waits: tuple[HandedWait, ...] = ()
    type: Literal["AcceptLink"] = "AcceptLink"


@dataclass(frozen=True, slots=True)
class ConfirmLink:
    """The other case has said yes; only the engine says this. `kept`: waits for a place that go on there."""

    asked: str
    kept: tuple[str, ...] = ()
    type: Literal["ConfirmLink"] = "ConfirmLink"


@dataclass(frozen=True, slots=True)
class RefuseLink:
    """The other case has said no, and why; only the engine says this."""

    asked: str
    code: str
    type: Literal["RefuseLink"] = "RefuseLink"


Command = LinkCase | UnlinkCase | MergeCase | AcceptLink | ConfirmLink | RefuseLink


@dataclass(frozen=True, slots=True)
class OtherCaseNoted:
    """Another case as it stood when this one was to be linked with it; whether the birth dates agree."""

    other: str
    number: str
    open: bool
    merged_into: str
    erased: bool
    births: Births
    type: Literal["OtherCaseNoted"] = "OtherCaseNoted"


@dataclass(frozen=True, slots=True)
class CaseLinkAsked:
    """A supervisor wants this case linked with another, unlinked, or merged into it; the other is asked."""

    other: str
    number: str
    kind: LinkRequest
    reason: Identity
    despite_birth: Identity
    by: str
    type: Literal["CaseLinkAsked"] = "CaseLinkAsked"


@dataclass(frozen=True, slots=True)
class CaseLinked:
    """Another case is of the same person: both go on, or one goes on in place of the other."""

    other: str
    number: str
    kind: LinkType
    type: Literal["CaseLinked"] = "CaseLinked"


@dataclass(frozen=True, slots=True)
class CaseUnlinked:
    """The other case is of somebody else after all."""

    other: str
    type: Literal["CaseUnlinked"] = "CaseUnlinked"


@dataclass(frozen=True, slots=True)
class CaseLinkRefused:
    """The other case could not be linked with; nothing changed in either."""

    other: str
    kind: LinkRequest
    code: str
    type: Literal["CaseLinkRefused"] = "CaseLinkRefused"


Event = OtherCaseNoted | CaseLinkAsked | CaseLinked | CaseUnlinked | CaseLinkRefused
Decided = Event | JourneyLeft | WaitTakenOver | WaitHandedOver

TAKES = (
    Takes(LinkCase, (CaseLinkAsked,), at=EVERY_STAGE, by=Action.SUPERVISE),
    Takes(UnlinkCase, (CaseLinkAsked,), at=EVERY_STAGE, by=Action.SUPERVISE),
    Takes(MergeCase, (CaseLinkAsked,), at=EVERY_STAGE, by=Action.SUPERVISE),
    Takes(AcceptLink, (CaseLinked, CaseUnlinked, WaitTakenOver), at=EVERY_STAGE, by=Action.ENGINE),
    Takes(ConfirmLink, (CaseLinked, CaseUnlinked, WaitHandedOver, JourneyLeft), at=EVERY_STAGE, by=Action.ENGINE),
    Takes(RefuseLink, (CaseLinkRefused,), at=EVERY_STAGE, by=Action.ENGINE),
)
KIND: dict[type[LinkCase | UnlinkCase | MergeCase], LinkRequest] = {
    LinkCase: "link",
    UnlinkCase: "unlink",
    MergeCase: "merge",
}


def other_named(command: object) -> str:
    """Return the case a command is to be linked with, whose history is looked up before it is decided."""
    return command.other if isinstance(command, LinkCase | UnlinkCase | MergeCase) else ""


def noted(case: Case, other: Case) -> OtherCaseNoted:
    """Return what one case notes of another of probably the same person; nothing that describes either."""
    ended = other.merged_into
    erased = bool(other.erasure and other.erasure.going)
    into = ended.number if ended else ""
    return OtherCaseNoted(other.id, other.number, other.open, into, erased, same_birth(case.birth, other.birth))


def as_noted(e: OtherCaseNoted) -> OtherCase:
    """Return what a case keeps of what it noted."""
    return OtherCase(e.number, e.open, e.merged_into, e.erased, e.births)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Decided]:
    """Decide a link, a merge, or an answer to one: return the events it brings about. Raises Refused."""
    match command:
        case LinkCase() | UnlinkCase() | MergeCase():
            return [_asked(case, command)]
        case AcceptLink():
            return _accepted(case, command)
        case ConfirmLink():
            return _confirmed(case, command)
        case RefuseLink():
            asked = _standing(case, command.asked)
            return [CaseLinkRefused(asked.other, asked.kind, command.code)]
        case _:
            assert_never(command)


def _asked(case: Case, c: LinkCase | UnlinkCase | MergeCase) -> CaseLinkAsked:
    require(c.other != case.id, Reason.INVALID, "a case is not linked with itself", "other")
    known = case.others.get(c.other)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such case", "other")
    require(readable(c.reason), Reason.INVALID, "say why, so that others can follow it", "reason")
    waits = case.link_asked
    require(waits is None, Reason.NOT_NOW, f"case {waits.number if waits else ''} is being asked; wait for its answer")
    linked = case.links.get(c.other)
    despite: Identity = ""
    match c:
        case UnlinkCase():
            require(linked, Reason.MISSING, "these cases are not linked", "other")
            merged = linked is not None and linked.kind != "see_also"
            require(not merged, Reason.IRREVERSIBLE, "a merge is final", "other")
        case LinkCase() | MergeCase():
            despite = c.despite_birth
            _of_one_person(known, despite)
            require(not (linked and isinstance(c, LinkCase)), Reason.ALREADY, "these cases are linked", "other")
    if isinstance(c, MergeCase):
        _may_close(case, known)
        final = f"case {case.number} closes for good and case {known.number} goes on; this is final, so confirm it"
        require(c.confirmed, Reason.MISSING, final, "confirmed")
    return CaseLinkAsked(c.other, known.number, KIND[type(c)], c.reason, despite, c.by)


def _of_one_person(other: OtherCase, despite: Identity) -> None:
    """Refuse where nobody can tell any more, where one was merged before, and where the birth dates exclude it."""
    require(not other.erased, Reason.IRREVERSIBLE, "the person of that case was erased", "other")
    into = other.merged_into
    require(not into, Reason.MERGED, f"that case was merged into {into}; name that one", "other")
    apart = other.births == "contradict" and not readable(despite)
    require(not apart, Reason.INVALID, "the birth dates contradict each other; say why it is one", "despite_birth")


def _may_close(case: Case, other: OtherCase) -> None:
    """Refuse to close the case that the treatment hangs on, and one that goes on in favour of one that does not."""
    begun = case.entered or case.admitted or case.infusions or case.follow_up == "open"
    require(not begun, Reason.IRREVERSIBLE, "the treatment began in this case: merge the other one into it", "other")
    require(other.open or not case.open, Reason.NOT_NOW, "that case is closed; reopen it, or merge it here", "other")
    alive = not case.died or not other.open
    require(alive, Reason.NOT_NOW, "a death is recorded here, and that case goes on; set one of them right", "other")


def _accepted(case: Case, c: AcceptLink) -> Sequence[Decided]:
    """Say yes, unless the case stands otherwise by now than when the other one looked. Raises Refused."""
    asked = case.link_asked
    closing = asked is not None and asked.kind == "merge"
    require(not closing, Reason.NOT_NOW, "this case is itself about to be merged into another")
    require(not (case.erasure and case.erasure.going), Reason.IRREVERSIBLE, "the person of this case was erased")
    known = case.links.get(c.other)
    match c.kind:
        case "link":
            return [] if known else [CaseLinked(c.other, c.number, "see_also")]
        case "unlink":
            return [CaseUnlinked(c.other)] if known and known.kind == "see_also" else []
        case "merge":
            merged = known is not None and known.kind == "replaces"
            require(
                merged or case.open or not c.open, Reason.NOT_NOW, "this case was closed meanwhile; reopen it first"
            )
            return [] if merged else [CaseLinked(c.other, c.number, "replaces"), *taken_over(case, c.waits, c.other)]
        case _:
            assert_never(c.kind)


def _standing(case: Case, asked: str) -> LinkAsked:
    known = case.link_asked
    if known is None or known.fact != asked:
        raise Refused(Reason.NOT_FOUND, "no such link is asked for in this case", "asked")
    return known


def _confirmed(case: Case, c: ConfirmLink) -> Sequence[Decided]:
    asked = _standing(case, c.asked)
    match asked.kind:
        case "link":
            return [CaseLinked(asked.other, asked.number, "see_also")]
        case "unlink":
            return [CaseUnlinked(asked.other)]
        case "merge":
            left = case.exit or case.stage is Stage.CLOSED
            closed = [] if left else [JourneyLeft(Exit.MERGED, case.stage, "")]
            waits = handed_over(case, c.kept, asked.other)
            return [CaseLinked(asked.other, asked.number, "replaced_by"), *waits, *closed]
        case _:
            assert_never(asked.kind)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about another case of the same person."""
    event = fact.event
    match event:
        case OtherCaseNoted():
            return replace(case, others={**case.others, event.other: as_noted(event)})
        case CaseLinkAsked():
            return replace(case, link_asked=LinkAsked(fact.id, event.other, event.number, event.kind))
        case CaseLinked():
            link = CaseLink(event.other, event.number, event.kind, fact.id, fact.at)
            return replace(_answered(case, event.other), links={**case.links, event.other: link})
        case CaseUnlinked():
            kept = {other: link for other, link in case.links.items() if other != event.other}
            return replace(_answered(case, event.other), links=kept)
        case CaseLinkRefused():
            return _answered(case, event.other)
        case _:
            assert_never(event)


def _answered(case: Case, other: str) -> Case:
    asked = case.link_asked
    return replace(case, link_asked=None) if asked and asked.other == other else case


def _to_tell(case: Case) -> Iterable[str]:
    return [case.link_asked.fact] if case.link_asked else []


def _to_erase(case: Case) -> Iterable[str]:
    """The other cases of a person whose erasure two people have confirmed here, each once for that order."""
    known = case.erasure
    return [str(About(known.order, other)) for other in case.links] if known and known.confirmed_by else []


WANTS = (
    Wants("tell_linked_case", Party.SUPERVISOR, _to_tell, not_answered),
    Wants("erase_linked_case", Party.SUPERVISOR, _to_erase, not_answered),
)
