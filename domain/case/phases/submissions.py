"""Says which hospitals were asked under which protocols, what they said and what was acquired there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.case.costs import Costs
from domain.case.track import Track
from domain.core.about import About
from domain.core.personal import Clinical, TraceCode

SubmissionState = Literal["chosen", "submitted", "acknowledged", "more_info", "accepted", "declined", "withdrawn"]
ASKED: tuple[SubmissionState, ...] = ("submitted", "acknowledged", "more_info")
"""A centre has the dossier and has not decided."""
CriterionResult = Literal["met", "not_met", "unknown", "needs_review"]


@dataclass(frozen=True, slots=True)
class Reading:
    """Says how one criterion of the protocol stands, as a person read it last."""

    criterion: str
    result: CriterionResult


@dataclass(frozen=True, slots=True)
class Submission:
    """One dossier put before one centre under one protocol. `valid_until` bounds an acceptance.

    `criteria` holds the newest reading of each criterion. `documents` are those of the dossier version submitted last;
    `handed` says which the centre has opened, each with the SHA-256 of what it was given, `read` which of them it
    confirmed by that digest, and `misread` is the fact by which it named something else, until that is explained.
    """

    id: str
    centre: str
    protocol: str
    dossier: int
    state: SubmissionState
    round: int = 0
    valid_until: datetime | None = None
    fact: str = ""
    copies_gone: bool = False  # the centre confirmed that it destroyed them
    criteria: tuple[Reading, ...] = ()
    unseen: str = ""  # the change of condition another centre reviewed since, and this one that accepted did not
    documents: tuple[str, ...] = ()
    handed: Mapping[str, Clinical] = field(default_factory=dict)
    read: tuple[str, ...] = ()
    misread: str = ""
    version: int = 0  # of the protocol, under which the acceptance was given; 0 = not known
    filed: str = ""  # the day of the study's review after which the hospital told the number of its filing

    @property
    def not_met(self) -> tuple[str, ...]:
        """Return the criteria that stand as not met, by name."""
        return tuple(read.criterion for read in self.criteria if read.result == "not_met")


ResourceKind = Literal["slides", "blocks", "manufacturing_slot", "patient_cells", "registry_enrolment", "payment"]


@dataclass(frozen=True, slots=True)
class Resource:
    """Something acquired at a centre beside the tracks. `state` is what was told last, `held` until then.

    `order`: what somebody signed to be done with the patient's own cells, until it is carried out.
    """

    id: str
    kind: ResourceKind
    submission: str
    ref: TraceCode = ""
    amount: int | None = None
    state: str = "held"
    order: str = ""
    orders: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """A place at a protocol that the case waits for since `since`; `centre`: there only, empty = at any centre.

    `place`, `at` and `until` are of the newest offer, `passed` those it let go. `round` counts what the protocol's list
    was told, `urgent` is what it knows. `asked`: the submissions there were when the place was taken.
    `unanswered`: the first place whose offer lapsed since the family last spoke. `came_from`: the merged case that
    waited before; `pressing`: that one was urgent, and nobody has said so of this one.
    """

    id: str
    protocol: str
    centre: str
    since: datetime
    urgent: bool
    state: Literal["waiting", "offered", "taken", "ended"] = "waiting"
    round: int = 1
    place: str = ""
    at: str = ""
    until: datetime | None = None
    passed: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    unanswered: str = ""
    came_from: str = ""
    pressing: bool = False

    @property
    def live(self) -> bool:
        """Return whether the list still knows of it."""
        return self.state != "ended"


@dataclass(frozen=True, slots=True)
class HandedWait:
    """A wait as one case hands it to another; `place` and `at` only where a place is taken."""

    wait: str
    protocol: str
    centre: str
    since: datetime
    urgent: bool
    round: int
    place: str = ""
    at: str = ""
    passed: tuple[str, ...] = ()
    unanswered: str = ""


@dataclass(frozen=True, slots=True)
class RankedWay:
    """A protocol at a centre, and the checks that a change of the catalogue turned there; empty = none did."""

    protocol: str
    centre: str
    turned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FirstRank:
    """Tells what stood first for a case before and after the catalogue changed last, up to which position of it."""

    fact: str
    at: datetime
    before: tuple[RankedWay, ...]
    after: tuple[RankedWay, ...]
    position: int


@dataclass(frozen=True)
class Submissions:
    """Holds what was put before hospitals, and what came of it."""

    submissions: Mapping[str, Submission] = field(default_factory=dict)
    estimate: Literal["none", "issued", "acknowledged"] = "none"
    estimated: Costs | None = None
    quoted: Costs | None = None
    resources: Mapping[str, Resource] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)  # centre abroad → where the assessment is kept
    quote: Track = field(default_factory=Track)
    alternative: str = ""
    chosen: str = ""  # the submission whose acceptance the family took
    offered: str = ""  # the acceptance with which the present choice opened
    waiting: Mapping[str, Wait] = field(default_factory=dict)
    first_rank: FirstRank | None = None  # what a change of the catalogue made of it last

    @property
    def accepted(self) -> Submission | None:
        """Return the submission the journey goes on with: the chosen acceptance, or the only one if none else waits.

        None also while acceptances stand and the family still has a choice.
        """
        if not self.submissions:  # asked some seventy times a turn, and most cases are not that far yet
            return None
        chosen = self.submissions.get(self.chosen)
        if chosen is not None and chosen.state == "accepted":
            return chosen
        open_ones = [s for s in self.submissions.values() if s.state == "accepted" or s.state in ASKED]
        return open_ones[0] if len(open_ones) == 1 and open_ones[0].state == "accepted" else None

    @property
    def centre(self) -> str:
        """Return the treating centre's stream, once one accepted."""
        return self.accepted.centre if self.accepted else ""

    @property
    def protocol(self) -> str:
        """Return the protocol's stream, once a centre accepted under it."""
        return self.accepted.protocol if self.accepted else ""

    def submission_of(self, about: str) -> Submission | None:
        """Return the submission an obligation or effect is about: itself, or the one something was acquired under."""
        first = About.of(about).id
        resource = self.resources.get(first)
        return self.submissions.get(resource.submission if resource else first)
