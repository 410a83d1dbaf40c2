"""The search for a donor: owed from the decision on a transplant on, over when one is found, or none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.core.errors import Reason
from domain.core.fact import Command
from domain.core.personal import ERASED
from domain.stages.response.assessing import AssessResponse
from domain.stages.response.donor_search import (
    DonorSearchRecorded,
    RecordDonorSearch,
    often_followed,
    searched,
)
from domain.stages.treatment.observations import ReportDeath
from domain.stages.treatment.recovery import DecidePathway
from domain.stages.treatment.transplant import DeclineTransplant, RecordTransplant, ReferTransplant
from tests.domain.course import start
from tests.domain.journey import DAY, when
from tests.domain.refusals import No

REFUSALS = (
    No("infused", RecordDonorSearch("maybe"), Reason.INVALID, "a search stands at one of these: begun, sibling"),
    No("infused", RecordDonorSearch("sibling"), Reason.MISSING, "say how the donor matches, such as 10/10"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_deciding_on_a_transplant_opens_referral_and_search() -> None:
    j = start("infused").away(28 * DAY).tell(DecidePathway("transplant", "Dr Li"))
    assert j.owed("transplant_referral").opened_at == j.now
    assert j.owed("donor_search").due == j.now + 30 * DAY
    j.tell(ReferTransplant("Dr Li"))
    assert j.owed("donor_search").about == "donor/1"
    j.tell(RecordDonorSearch("begun"))
    assert j.owed("donor_search").about == "donor/1"
    when(j, RecordDonorSearch("unrelated", "9/10", "R-7")).then_told(
        DonorSearchRecorded("unrelated", "9/10", "R-7", "")
    )
    assert j.all_owed("donor_search") == []
    known = searched(j.case)
    assert known is not None
    assert (known.search, known.hla_match, known.donor_ref) == ("unrelated", "9/10", "R-7")


@pytest.mark.parametrize("ends", [DeclineTransplant("no"), RecordTransplant(1), ReportDeath()])
def test_what_ends_the_transplant_ends_the_search(ends: Command) -> None:
    j = start("infused").tell(ReferTransplant("Dr Li"))
    assert j.owed("donor_search").about == "donor/1"
    j.tell(ends)
    assert j.all_owed("donor_search") == []


def test_the_next_transplant_has_a_search_of_its_own() -> None:
    j = start("infused").tell(ReferTransplant("Dr Li")).tell(RecordDonorSearch("sibling", "10/10"))
    j.tell(RecordTransplant(1, "sibling"))
    assert searched(j.case) is None
    j.tell(ReferTransplant("Dr Li"))
    assert j.owed("donor_search").about == "donor/2"


def test_a_search_whose_key_is_gone_is_owed_still() -> None:
    j = start("infused").tell(ReferTransplant("Dr Li")).record(DonorSearchRecorded(ERASED, ERASED, ERASED, ERASED))
    j.look()
    assert j.owed("donor_search").about == "donor/1"


@pytest.mark.parametrize(
    ("disease", "result", "hint"),
    [("b_all", "CR", True), ("t_lbl", "CRi", True), ("dlbcl", "CR", False), ("b_all", "PR", False), ("", "CR", False)],
)
def test_a_hint_where_a_transplant_is_often_talked_about(disease: str, result: str, *, hint: bool) -> None:
    j = start("infused").tell(AssessResponse(result))
    j.case = replace(j.case, disease=disease)
    assert often_followed(j.case) is hint
    decided = j.fork().tell(DecidePathway("observe", "Dr Li"))
    assert not often_followed(replace(decided.case, disease=disease))
