"""What the catalogue excludes is not chosen; what nobody knows excludes nothing [eligibility.excluded]."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.catalogue.site import SiteLease
from domain.core.errors import Reason
from domain.stages.anytime.watching import ProtocolStateNoted
from domain.stages.eligibility.excluding import checked
from domain.stages.eligibility.submissions import CentreChosen, ChooseCentre, ChooseExcludedCentre
from domain.stages.intake.inquiry import StateDiagnosis
from domain.stages.records.observing import DescribePatient
from tests.domain.course import CENTRE, PROTOCOL, start
from tests.domain.journey import DAY, START, Journey, when

THIS = ChooseCentre(CENTRE, PROTOCOL)
LAW = {"route": "cn_order_818"}
CELLS, CHILDREN = ("cell_therapy",), ("cell_therapy", "paediatric")


def site(state: Any = "open", centre: str = CENTRE, days: int = 30) -> dict[str, Any]:
    day = START.date()
    return {"sites": (SiteLease(centre, state, day, START + timedelta(days=days)),)}


def stands(there: dict[str, Any], trial: dict[str, Any], birth: str = "", disease: str = "") -> Journey:
    j = start("eligibility")
    if birth:
        j.tell(DescribePatient(birth, "female"))
    if disease:
        j.tell(StateDiagnosis("as coded", disease=disease))
    return j.source(CENTRE, **there).source(PROTOCOL, **trial)


EXCLUDED: tuple[tuple[str, Any, Any], ...] = (
    ("centre", ({"paused": True}, {}), ({"paused": False}, {})),
    ("protocol:full", ({}, site("full")), ({}, site())),
    ("protocol:paused", ({}, site("paused")), ({}, site())),
    ("protocol:closed", ({}, site("closed")), ({}, site())),
    ("protocol:closed", ({}, {"shut": True}), ({}, {"shut": False})),
    ("protocol:lapsed", ({}, site(days=-1)), ({}, site())),
    ("protocol:lapsed", ({}, {"open_until": START - DAY}), ({}, {"open": False, "open_until": None})),
    ("protocol:not_run_there", ({}, site(centre="centre-b")), ({}, site())),
    ("protocol:not_run_there", ({}, {"centre": "centre-b"}), ({}, {"centre": CENTRE})),
    ("international", ({"accepts_international": False}, {}), ({"accepts_international": True}, {})),
    ("international", ({"accepts_international": False}, {}), ({"accepts_international": None}, {})),
    ("international", ({"accepts_international": False}, {}), ({"accepts_international": False, "country": "IN"}, {})),
    ("paediatric", ({"capabilities": CELLS}, {}, "2020-05-01"), ({"capabilities": CHILDREN}, {}, "2020-05-01")),
    ("paediatric", ({"capabilities": CELLS}, {}, "2020-05-01"), ({"capabilities": CELLS}, {}, "1980")),
    ("paediatric", ({"capabilities": CELLS}, {}, "2020-05-01"), ({"capabilities": CELLS}, {})),
    ("hospital_class", ({"hospital_class": "other"}, LAW), ({"hospital_class": "class_iii_a"}, LAW)),
    ("hospital_class", ({"hospital_class": "other"}, LAW), ({}, LAW)),
    ("hospital_class", ({"hospital_class": "other"}, LAW), ({"hospital_class": "other"}, {"route": "cn_drug_trial"})),
    ("diagnosis", ({}, {"diseases": ("multiple myeloma",)}, "", "b_all"), ({}, {"diseases": ("B-ALL",)}, "", "b_all")),
    ("diagnosis", ({}, {"diseases": ("multiple myeloma",)}, "", "b_all"), ({}, {"diseases": ("multiple myeloma",)})),
)  # fmt: skip
"""What is recorded against it, where it stands so, and the control where it does not, or nobody knows."""


@pytest.mark.parametrize(("against", "so", "control"), EXCLUDED)
def test_what_the_catalogue_excludes_is_refused_and_a_supervisor_says_why(against: str, so: Any, control: Any) -> None:
    j = stands(*so)
    refused = f"the catalogue excludes this choice: {against}; choose another way, have the catalogue put right"
    when(j, THIS).then_refused(Reason.NOT_NOW, refused + ", or a supervisor chooses it with a reason")
    assert not j.case.submissions
    when(j, ChooseExcludedCentre(CENTRE, PROTOCOL, "")).then_refused(
        Reason.MISSING, "say why it is chosen all the same"
    )
    j.tell(ChooseExcludedCentre(CENTRE, PROTOCOL, "they told us today", 3, 40))
    [chosen] = [e for e in j.last if isinstance(e, CentreChosen)]
    assert (chosen.against, chosen.reason, chosen.rank, chosen.ranked) == ((against,), "they told us today", 3, 40)
    fine = stands(*control)
    nothing = ChooseExcludedCentre(CENTRE, PROTOCOL, "no reason needed")
    when(fine, nothing).then_refused(
        Reason.NOT_NOW, "the catalogue excludes nothing here; choose the centre (ChooseCentre)"
    )
    assert isinstance(fine.tell(THIS).decided[0], CentreChosen)


def test_every_reason_is_named_and_what_is_open_is_recorded() -> None:
    j = stands({"paused": True, "accepts_international": False}, site("full"))
    j.tried(THIS)
    assert j.refused
    assert "protocol:full, centre, international;" in j.refused.detail
    [chosen] = stands({}, {}).tell(ChooseCentre(CENTRE, PROTOCOL, "close by", 1, 7)).decided
    assert isinstance(chosen, CentreChosen)
    assert (chosen.against, chosen.open) == ((), ("international", "paediatric", "diagnosis"))
    assert (chosen.rank, chosen.ranked) == (1, 7)


@pytest.mark.parametrize(("rank", "ranked"), [(-1, 3), (4, 3), (1, 2_000_000)])
def test_a_rank_is_one_of_those_that_were_seen(rank: int, ranked: int) -> None:
    choice = ChooseCentre(CENTRE, PROTOCOL, "", rank, ranked)
    when(start("eligibility"), choice).then_refused(Reason.INVALID, "a rank is one of those that were seen")


def test_a_place_that_nobody_registered_and_words_of_a_diagnosis_exclude_nothing() -> None:
    j = start("eligibility").tell(ChooseCentre("centre-x", "protocol-x"))
    assert {one.result for one in checked(j.case, "centre-x", "protocol-x", j.now)} <= {"unknown", "yes", "no_matter"}
    words = stands({}, {"diseases": ("B-ALL",)}).tell(StateDiagnosis("multiple myeloma")).tell(THIS)
    assert words.case.submissions


def test_an_earlier_choice_is_not_judged_after_the_fact() -> None:
    """Chosen while nothing was noted against it, a centre that fills up later stays chosen."""
    j = start("eligibility").tell(THIS)
    before = dict(j.case.submissions)
    j.source(PROTOCOL, **site("full")).look()
    assert [type(e) for e in j.last][:1] == [ProtocolStateNoted]
    assert dict(j.case.submissions) == before
