"""The list of documents: what disease, age and protocol need, how its lines stand, and that the dossier waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import permutations

import pytest

from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.core.policy import Party
from domain.criteria.criterion import Comparison, Criterion
from domain.stages.eligibility.submissions import ChooseCentre
from domain.stages.intake.inquiry import StateDiagnosis
from domain.stages.records.checklist import ChecklistDrawnUp, DrawUpChecklist, draw
from domain.stages.records.dossier import DossierFrozen, DraftSummary, SignSummary
from domain.stages.records.needed import lines, needed, outstanding
from domain.stages.records.observing import DescribePatient
from domain.stages.records.records import ReceiveRecord, RecordRequested, RejectRecord, VerifyRecord, WaiveRecord
from tests.domain.course import CENTRE, DOCUMENT, PROTOCOL, start
from tests.domain.journey import Journey, when
from tests.domain.refusals import No

REFUSALS = (
    No(
        "records",
        DrawUpChecklist(),
        Reason.ALREADY,
        "the list is drawn up, and everything on it asked for",
        lambda j: j.tell(DrawUpChecklist()),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def kinds(j: Journey) -> set[str]:
    return {one.kind for one in needed(j.case)}


@pytest.mark.parametrize(
    ("disease", "marrow", "imaging", "antigen"),
    [
        ("b_all", True, False, True),
        ("aml", True, False, True),
        ("dlbcl", True, True, True),
        ("autoimmune", False, False, False),
        ("", True, True, True),
    ],
)
def test_the_disease_says_what_is_needed(disease: str, marrow: bool, imaging: bool, antigen: bool) -> None:
    j = start("records")
    if disease:
        j.tell(StateDiagnosis("as told", disease=disease))
    told = kinds(j)
    assert ("marrow_mrd" in told, "imaging" in told, "antigen" in told) == (marrow, imaging, antigen)
    assert {"passport", "labs", "infection_serology", "cardiac_lung", "treatment_history"} <= told
    erased = replace(j.case, disease=ERASED)
    assert {"marrow_mrd", "imaging"} <= {one.kind for one in needed(erased)}, "erased = unknown = needed"


def test_age_and_protocol_add_what_they_need() -> None:
    j = start("eligibility")
    j.tell(StateDiagnosis("B-ALL", disease="b_all"))
    assert "imaging" not in kinds(j)
    assert "consent_form" not in kinds(j)
    who = j.case.patient
    assert who
    child = replace(j.case, people={**j.case.people, who.id: replace(who, minor=True)})
    assert ("consent_form", "age") in [(one.kind, one.because) for one in needed(child)]
    asks = Criterion(
        id="m", kind="inclusion", words="w", ways=((Comparison(analyte="measurable_lesions", op=">=", value="1"),),)
    )
    j.source(PROTOCOL, criteria=(asks,)).tell(ChooseCentre(CENTRE, PROTOCOL))
    assert ("imaging", "protocol") in [(one.kind, one.because) for one in needed(j.case)]


def states(j: Journey) -> Mapping[str, tuple[str, Party | None]]:
    return {one.kind: (one.state, one.owes) for one in lines(j.case)}


def test_everything_on_it_is_asked_for_once_and_of_whoever_has_it() -> None:
    j = start("received")
    assert states(j)["pathology"] == ("received", Party.COORDINATOR)
    assert states(j)["labs"] == ("missing", Party.COORDINATOR)
    told = when(j, DrawUpChecklist()).journey.last
    assert isinstance(told[0], ChecklistDrawnUp)
    asked = [e for e in told if isinstance(e, RecordRequested)]
    assert {e.kind for e in asked} == kinds(j) - {"pathology"}, "what was asked for is not asked for again"
    assert {e.source for e in asked if e.kind in ("antigen", "marrow_mrd")} == {"home_oncologist"}
    assert states(j)["labs"] == ("requested", Party.FAMILY)
    assert states(j)["antigen"] == ("requested", Party.HOME_ONCOLOGIST)


def settle(j: Journey, *but: str) -> None:
    for known in list(j.case.records.values()):
        if not known.settled and known.kind not in but:
            j.tell(ReceiveRecord(known.id, DOCUMENT, "en") if known.state == "requested" else VerifyRecord(known.id))
            if j.case.records[known.id].state == "received":
                j.tell(VerifyRecord(known.id))


def test_the_dossier_waits_for_the_list() -> None:
    """One verified document and a signed summary made a dossier; with a list they do not."""
    j = start("received")
    j.tell(StateDiagnosis("B-ALL", disease="b_all")).tell(DrawUpChecklist())
    settle(j, "labs")
    j.tell(DraftSummary(DOCUMENT, "person-2"))
    j.tell(SignSummary("person-3"))
    assert j.case.stage == Stage.RECORDS
    assert outstanding(j.case)
    labs = next(i.id for i in j.case.records.values() if i.kind == "labs")
    told = when(j, WaiveRecord(labs, "the centre does them itself")).journey
    assert any(isinstance(e, DossierFrozen) for e in told.last)
    assert told.case.stage is Stage.ELIGIBILITY


def test_a_disease_told_more_exactly_draws_the_list_anew_and_the_dossier_waits_for_it() -> None:
    j = start("received")
    j.tell(StateDiagnosis("B-ALL", disease="b_all")).tell(DrawUpChecklist())
    settle(j)
    assert not outstanding(j.case)
    j.tell(StateDiagnosis("DLBCL", disease="dlbcl"))
    assert [e.kind for e in j.last if isinstance(e, RecordRequested)] == ["imaging"], "what was asked for is not again"
    assert outstanding(j.case)
    settle(j)
    assert not outstanding(j.case)
    j.tell(StateDiagnosis("B-ALL after all", disease="b_all"))
    assert [type(e) for e in j.last if isinstance(e, ChecklistDrawnUp | RecordRequested)] == [ChecklistDrawnUp]
    assert "imaging" not in j.case.checklist


ASKS = Criterion(
    id="m", kind="inclusion", words="w", ways=((Comparison(analyte="measurable_lesions", op=">=", value="1"),),)
)
KNOWN: tuple[Callable[[Journey], object], ...] = (
    lambda j: j.tell(DescribePatient("1980-05-01", "female")),
    lambda j: j.tell(StateDiagnosis("B-ALL", disease="b_all")),
    lambda j: j.tell(ChooseCentre(CENTRE, PROTOCOL)),
)


def drawn(j: Journey) -> list[ChecklistDrawnUp]:
    return [fact.event for fact in j.facts if isinstance(fact.event, ChecklistDrawnUp)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_disease_age_and_protocol_draw_the_list_up_by_themselves_in_whatever_order(order: tuple[int, ...]) -> None:
    j = start("eligibility")
    for n in order:
        assert not drawn(j), "two of the three are no ground for a list"
        KNOWN[n](j)
    [told] = drawn(j)
    asked = {item.kind for item in j.case.records.values()}
    assert set(told.kinds) == kinds(j) <= asked
    assert j.look().last == []


def test_an_amended_protocol_adds_to_the_list_and_what_was_waived_stays_so() -> None:
    j = start("eligibility")
    for step in KNOWN:
        step(j)
    labs = next(item.id for item in j.case.records.values() if item.kind == "labs")
    j.tell(WaiveRecord(labs, "the centre does them itself"))
    j.source(PROTOCOL, criteria=(ASKS,)).look()
    assert [e.kind for e in j.last if isinstance(e, RecordRequested)] == ["imaging"]
    assert (states(j)["labs"][0], states(j)["imaging"][0]) == ("waived", "requested")


def test_once_a_centre_accepted_nothing_more_is_asked_for_by_itself() -> None:
    j = start("accepted")
    j.tell(DescribePatient("1980-05-01", "female")).tell(StateDiagnosis("B-ALL", disease="b_all"))
    assert not drawn(j)


def test_an_erased_disease_and_a_code_nobody_knows_are_no_ground_for_a_list() -> None:
    j = start("eligibility").tell(DescribePatient("1980-05-01", "female")).tell(ChooseCentre(CENTRE, PROTOCOL))
    for disease in (ERASED, "", "no_such"):
        assert draw(replace(j.case, disease=disease), j.now, j.ids, j.policy) == []
    assert draw(replace(j.case, disease="b_all"), j.now, j.ids, j.policy)


def test_a_rejected_document_is_owed_again_and_a_case_without_a_list_keeps_its_rule() -> None:
    j = start("verified")
    assert not outstanding(j.case), "no list was drawn up"
    assert "labs" in kinds(j), "the control: a list would ask for more"
    pathology = next(iter(j.case.records))
    j.tell(RejectRecord(pathology, "illegible"))
    assert states(j)["pathology"] == ("rejected", Party.FAMILY)
