"""Tells where slides and blocks are from the day they are asked for: at hand, on to a centre, home [records.specimens].

Once on their way to a centre they are accounted for as everything acquired there (acquired.py): received, sent back,
returned, used up or lost, and asked back when they serve nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.case.phases.records import Specimen, SpecimenState
from domain.case.phases.submissions import ASKED, Resource
from domain.case.stage import EVERY_STAGE, Stage
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Trace
from domain.core.policy import Party, Policy
from domain.stages.eligibility.submissions import may_receive, require_submission
from domain.stages.follow_up.acquired import ResourceAcquired, in_vain

Told = Literal["at_hand", "forwarded", "returned", "lost", "not_available"]


@dataclass(frozen=True, slots=True)
class ReportSpecimen:
    """Say where slides or blocks are: at hand, sent on to a centre, given back, lost, or that there are none.

    `submission` names the centre they are sent on to, `ref` the parcel. What the centre does with them is told of
    what it then holds.
    """

    specimen: str
    fate: Told
    kind: Literal["slides", "blocks"] = "slides"
    submission: str = ""
    ref: Trace = ""
    type: Literal["ReportSpecimen"] = "ReportSpecimen"


Command = ReportSpecimen


@dataclass(frozen=True, slots=True)
class SpecimenReported:
    """It is told where slides or blocks are. `resource`: what the centre they went to accounts for them as."""

    specimen: str
    fate: Told
    kind: Literal["slides", "blocks"]
    resource: str
    type: Literal["SpecimenReported"] = "SpecimenReported"


Event = SpecimenReported
TAKES = (
    Takes(
        ReportSpecimen,
        (SpecimenReported, ResourceAcquired),
        at=EVERY_STAGE,
        settles=("specimen", "specimen_from_doctor", "specimen_at_hand"),
    ),
)
FROM: Mapping[Told, tuple[SpecimenState, ...]] = {
    "at_hand": ("asked", "not_available", "lost", "returned"),
    "forwarded": ("asked", "at_hand", "returned"),
    "returned": ("at_hand",),
    "lost": ("asked", "at_hand"),
    "not_available": ("asked",),
}
"""What may be told → as they stand then. What one centre sent home may go on to another."""


def decide(
    case: Case, c: ReportSpecimen, now: datetime, ids: Ids, policy: Policy
) -> Sequence[SpecimenReported | ResourceAcquired]:
    """Decide what is told of slides or blocks. Raises Refused."""
    known = case.specimens.get(c.specimen)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no slides or blocks of that name were asked for", "specimen")
    words = "they are with a centre: tell it of what the centre holds (ReportResource)"
    stands = _home(case, known) or known.state
    require(stands != "forwarded", Reason.NOT_NOW, words, "specimen")
    require(stands in FROM[c.fate], Reason.NOT_NOW, f"they are {stands.replace('_', ' ')}", "fate")
    if c.fate != "forwarded":
        require(not c.submission, Reason.INVALID, "a centre is named when they are sent on", "submission")
        return [SpecimenReported(known.id, c.fate, c.kind, "")]
    to = require_submission(case, c.submission, *ASKED, "accepted")
    require(may_receive(case, to.centre), Reason.MISSING, "consent to send to this centre is not given", "submission")
    resource = ids()
    return [
        SpecimenReported(known.id, c.fate, c.kind, resource),
        ResourceAcquired(resource, c.kind, to.id, c.ref, "", None, ""),
    ]


def _home(case: Case, known: Specimen) -> Literal["returned", "lost"] | None:
    """How they stand again once a centre has told that they came home, or were lost; None = it has not."""
    held = case.resources.get(known.resource)
    return "returned" if held and held.state == "returned" else "lost" if held and held.state == "lost" else None


def evolve(case: Case, fact: Fact[SpecimenReported]) -> Case:
    """Fold where they are."""
    e, known = fact.event, case.specimens.get(fact.event.specimen)
    if known is None:
        return case
    stands = replace(known, state=e.fate, kind=e.kind, resource=e.resource)
    return replace(case, specimens={**case.specimens, known.id: stands})


@dataclass(frozen=True, slots=True)
class SpecimenLine:
    """Tells where one specimen is: of one with a centre what was told of it there, `held` = on its way."""

    id: str
    kind: str
    state: str
    submission: str


def specimen_lines(case: Case) -> Sequence[SpecimenLine]:
    """Return where the slides and blocks are that were asked for, in the order they were."""
    found = ((one, case.resources.get(one.resource)) for one in case.specimens.values())
    return [SpecimenLine(s.id, s.kind, r.state if r else s.state, r.submission if r else "") for s, r in found]


def _at_hand(case: Case) -> Iterable[str]:
    """Here, and there is a centre to send them on to, or nothing they serve any more: then they go home."""
    asked = any(s.state in (*ASKED, "accepted") and may_receive(case, s.centre) for s in case.submissions.values())
    over = bool(case.exit) or case.stage in (Stage.FOLLOW_UP, Stage.CLOSED)
    return [one.id for one in case.specimens.values() if one.state == "at_hand" and (asked or over)]


def _moved_on(case: Case, about: str) -> bool:
    known = case.specimens.get(about)
    return known is not None and known.state != "at_hand"


def _forwarded(case: Case) -> Iterable[Resource]:
    return (case.resources[one.resource] for one in case.specimens.values() if one.resource in case.resources)


def _on_the_way(case: Case) -> Iterable[str]:
    return [r.id for r in _forwarded(case) if r.state == "held" and not in_vain(case, r)]


def _received(case: Case, about: str) -> bool:
    known = case.resources.get(about)
    return known is not None and known.state != "held"


OWES = (
    Owes("specimen_at_hand", Party.COORDINATOR, Party.FAMILY, _at_hand, _moved_on),
    Owes("specimen_receipt", Party.HOSPITAL, Party.COORDINATOR, _on_the_way, _received, settled_in="acquired"),
)
