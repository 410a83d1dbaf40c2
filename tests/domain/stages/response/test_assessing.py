"""Assessments of the response: what is taken, refused, computed beside them, and asked again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.case.phases.redosing import ResponseTold
from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.core.when import When
from domain.criteria import response as published
from domain.criteria.diseases import DISEASES
from domain.stages.response.assessing import AssessResponse, ResponseAssessed
from domain.stages.response.course import BEST_FIRST, response_courses, response_lines
from domain.stages.treatment.observations import ReportDeath, ReportProgression
from tests.domain.course import start
from tests.domain.journey import DAY, when
from tests.domain.refusals import No
from tests.domain.stages.response.assessed import FOUR

MRD: dict[str, Any] = {"mrd": "negative", "mrd_method": "flow", "mrd_sensitivity": "0.0001"}


def test_a_result_is_kept_with_who_how_and_by_which_system() -> None:
    said = AssessResponse("CRi", "day 28", system="all", assessor="independent_committee", examination="marrow", **MRD)
    told = ResponseAssessed("CRi", "day 28", "all", "independent_committee", "marrow", "negative", "flow", "0.0001")
    j = start("infused")
    when(j, said).then_told(told)
    [line] = response_lines(j.case)
    assert (line.counts_as, line.deep_enough, line.told.assessor) == ("CR", True, "independent_committee")


METHOD = "say by which method residual disease was looked for"
SHARE = "is a share of cells between 0 and 1, such as 0.0001"
UPTAKE = "uptake is compared at a score of 4 or 5"

REFUSALS = (
    No("infused", AssessResponse("CRi", system="lugano"), Reason.INVALID, "categories of this system are CMR, CR, PMR"),
    No("infused", AssessResponse("CR", system="cheson"), Reason.INVALID, ", or left out"),
    No("infused", AssessResponse("CR", assessor="me"), Reason.INVALID, "investigator, independent_committee"),
    No(
        "infused",
        AssessResponse("CR", mrd="negative"),
        Reason.MISSING,
        METHOD,
    ),
    No("infused", AssessResponse("CR", mrd="negative", mrd_method="ngs"), Reason.MISSING, "smallest share of cells"),
    No("infused", AssessResponse("CR", mrd_method="ngs"), Reason.INVALID, "goes with a result of residual disease"),
    No(
        "infused",
        AssessResponse("CR", **{**MRD, "mrd_sensitivity": "10"}),
        Reason.INVALID,
        SHARE,
    ),
    No("infused", AssessResponse("CR", deauville=6), Reason.INVALID, "the score runs from 1 to 5"),
    No(
        "infused",
        AssessResponse("CR", deauville=3, uptake="less"),
        Reason.INVALID,
        UPTAKE,
    ),
    No("infused", AssessResponse("CR", uptake="less"), Reason.INVALID, UPTAKE),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_words_of_no_system_are_kept_as_ever() -> None:
    when(start("infused"), AssessResponse("as expected")).then_told(ResponseAssessed("as expected", ""))


@pytest.mark.parametrize("code", published.SYSTEMS)
def test_every_category_counts_as_its_row_says(code: str) -> None:
    system = published.SYSTEMS[code]
    assert system.categories[published.NOT_EVALUABLE] is None
    for written, counts in system.categories.items():
        assert published.response_code(written) == counts
    assert set(system.diseases) <= set(DISEASES)


@pytest.mark.parametrize(
    ("disease", "systems"),
    [("dlbcl", ["lugano"]), ("t_all", ["all"]), ("myeloma", ["imwg"]), ("cll", ["iwcll"]), ("aml", ["eln_aml"]),
     ("hodgkin", ["lugano"]), ("sle", []), ("", [])],
)  # fmt: skip
def test_a_disease_has_its_system(disease: str, systems: list[str]) -> None:
    assert list(published.systems_for(disease)) == systems


@pytest.mark.parametrize(
    ("score", "uptake", "category"),
    [(1, "", "CMR"), (3, "", "CMR"), (4, "less", "PMR"), (5, "unchanged", "NMR"), (4, "more", "PMD"),
     (5, "new_lesion", "PMD"), (4, "", ""), (None, "", "")],
)  # fmt: skip
def test_lugano_by_score_and_uptake(score: int | None, uptake: str, category: str) -> None:
    assert published.by_deauville(score, uptake) == category


@pytest.mark.parametrize(
    ("system", "share", "enough"),
    [("all", "0.0001", True), ("all", "0.001", False), ("imwg", "0.0001", False), ("imwg", "0.00001", True),
     ("lugano", "0.1", None)],
)  # fmt: skip
def test_nothing_found_counts_from_the_depth_a_system_asks(system: str, share: str, enough: bool | None) -> None:
    assert published.deep_enough(system, Decimal(share)) is enough


def test_two_assessments_of_one_day_stand_beside_each_other() -> None:
    j = start("infused").away(28 * DAY)
    j.tell(AssessResponse("CMR", system="lugano", assessor="investigator", deauville=3))
    j.tell(AssessResponse("PMR", system="lugano", assessor="independent_committee", deauville=4, uptake="less"))
    assert [one.told.result for one in response_lines(j.case)] == ["CMR", "PMR"]
    assert [(one.assessor, one.best) for one in response_courses(j.case)] == [
        ("investigator", "CR"),
        ("independent_committee", "PR"),
    ]


def test_a_response_lasts_from_its_first_day_to_the_progression() -> None:
    j = start("infused").away(28 * DAY).tell(AssessResponse("PR")).away(60 * DAY).tell(AssessResponse("CR"))
    [course] = response_courses(j.case)
    assert (course.best, course.until, course.days) == ("CR", None, 60)
    j.away(30 * DAY).tell(ReportProgression()).tell(AssessResponse("CR", occurred=When.unknown()))
    [course] = response_courses(j.case)
    assert course.until == j.now.date()
    assert (course.best, course.days, course.undated) == ("CR", 90, 1)


def test_after_a_progression_no_later_response_is_the_best() -> None:
    j = start("infused").away(28 * DAY).tell(ReportProgression()).away(60 * DAY).tell(AssessResponse("CR"))
    [course] = response_courses(j.case)
    assert (course.best, course.since, course.days) == ("PD", None, None)


def test_a_score_of_four_is_assessed_again_by_day_100() -> None:
    j = start("infused").away(28 * DAY)
    when(j, FOUR).then_told(ResponseAssessed("PMR", "", "lugano", deauville=4, uptake="less"))
    given = j.case.infusions[-1].occurred.earliest
    assert given is not None
    assert j.owed("response_recheck").due == given + 100 * DAY
    calm = start("infused").away(28 * DAY).tell(replace(FOUR, deauville=5))
    assert calm.all_owed("response_recheck") == []
    j.away(DAY).tell(ReportDeath())
    assert j.all_owed("response_recheck") == []


def test_a_word_whose_key_is_gone_counts_as_none() -> None:
    j = start("infused")
    j.record(ResponseAssessed(ERASED, ERASED, ERASED, ERASED, ERASED, ERASED, ERASED, ERASED, None, ERASED))
    [line] = response_lines(j.case)
    assert (line.told, line.counts_as) == (ResponseTold("", line.told.occurred), "")
    assert response_courses(j.case)[0].best == ""


DAYS = st.integers(0, 400)


@drawn(st.lists(st.tuples(DAYS, st.sampled_from(("CR", "PR", "SD", "PD", "fine")), st.booleans()), max_size=6))
def test_no_response_outlasts_what_was_told(told: list[tuple[int, str, bool]]) -> None:
    j = start("infused")
    first = j.now
    for n, (days, word, dated) in enumerate(told):
        on = When.on((first + days * DAY).date()) if dated else When.unknown()
        j.case = replace(j.case, responses={**j.case.responses, str(n): ResponseTold(word, on)})
    codes = [(days, word) for days, word, dated in told if dated and word in BEST_FIRST]
    for one in response_courses(j.case):
        ends = [days for days, word in codes if word == "PD"]
        seen = [word for days, word in codes if not ends or days <= min(ends)]
        assert one.best == min(seen, key=BEST_FIRST.index, default="")
        assert (one.days is None) == (one.since is None)
        assert one.days is None or 0 <= one.days <= max(days for days, _ in codes)
        assert one.undated == sum(not dated for _, _, dated in told)
