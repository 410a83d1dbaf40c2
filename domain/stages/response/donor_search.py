"""The search for a donor of stem cells: owed from the decision on a transplant on [transplant.donor].

For which diseases a transplant is often talked about after cells is a hint to whoever decides, never a proposal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.case.phases.redosing import DonorSearch
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Trace, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.core.when import When
from domain.criteria.diseases import closest
from domain.criteria.response import response_code

BEGUN, NONE_FOUND = "begun", "none_found"
DONORS = ("sibling", "haploidentical", "unrelated", "cord_blood")
SEARCHES = (BEGUN, *DONORS, NONE_FOUND)
OFTEN_FOLLOWED = ("b_all", "t_cell")
"""Diseases after whose cell therapy a transplant is often talked about [transplant.after-cells]."""


@dataclass(frozen=True, slots=True)
class RecordDonorSearch:
    """The transplant team says how the search for a donor stands: begun, which donor was found, or that none was.

    `hla_match` as the laboratory writes it, such as 10/10; `donor_ref` is the registry's own number of the donor.
    """

    search: Clinical
    hla_match: Clinical = ""
    donor_ref: Trace = ""
    detail: Clinical = ""
    occurred: When | None = None
    type: Literal["RecordDonorSearch"] = "RecordDonorSearch"


Command = RecordDonorSearch


@dataclass(frozen=True, slots=True)
class DonorSearchRecorded:
    """How the search for a donor stands."""

    search: Clinical
    hla_match: Clinical
    donor_ref: Trace
    detail: Clinical
    type: Literal["DonorSearchRecorded"] = "DonorSearchRecorded"


Event = DonorSearchRecorded

TAKES = (
    Takes(
        RecordDonorSearch,
        (DonorSearchRecorded,),
        at=stages(Stage.ADMISSION),
        by=Action.ANSWER,
        answers=("donor_search", "refer_transplant"),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide how a search stands: it becomes a fact. Raises Refused."""
    c = command
    words = f"a search stands at one of these: {', '.join(SEARCHES)}"
    require(c.search in SEARCHES, Reason.INVALID, words, "search")
    found = c.search in DONORS
    require(not found or readable(c.hla_match), Reason.MISSING, "say how the donor matches, such as 10/10", "hla_match")
    return [DonorSearchRecorded(c.search, c.hla_match, c.donor_ref, c.detail)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold how it stands, for the transplant that comes next."""
    e = fact.event
    search, match, donor = (one if isinstance(one, str) else "" for one in (e.search, e.hla_match, e.donor_ref))
    return replace(case, donor_search=DonorSearch(case.transplants + 1, search, match, donor, fact.occurred))


def searched(case: Case) -> DonorSearch | None:
    """Return the search for the transplant that comes next; of one that was given there is none."""
    known = case.donor_search
    return known if known and known.transplant == case.transplants + 1 else None


def _to_search(case: Case) -> Iterable[str]:
    """A transplant was decided on or is being asked for, and nobody has said how the search ended."""
    wanted = case.transplant == "referred" or (case.pathway == "transplant" and case.transplant == "none")
    known = searched(case)
    open_ = known is None or known.search in (BEGUN, "")
    return [f"donor/{case.transplants + 1}"] if wanted and open_ and not case.left else []


def _ended(case: Case, about: str) -> bool:
    known = searched(case)
    return bool(known and known.search not in (BEGUN, "")) or about != f"donor/{case.transplants + 1}"


def often_followed(case: Case) -> bool:
    """Tell whether a transplant is often talked about now: of such a disease, in complete response, nothing decided."""
    told = [one for one in case.responses.values() if response_code(one.result)]
    answered = bool(told) and response_code(told[-1].result) == "CR" and bool(case.infusions)
    disease = case.disease if isinstance(case.disease, str) else ""
    undecided = not case.pathway and case.transplant == "none" and not (case.died or case.exit)
    return answered and undecided and bool(disease) and closest(disease, OFTEN_FOLLOWED) is True


OWES = (Owes("donor_search", Party.HOSPITAL, Party.COORDINATOR, _to_search, _ended, asked_by="refer_transplant"),)
