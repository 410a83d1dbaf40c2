"""What is given in the body names its vector lot: owed, found, and reached by that lot's recall."""

from __future__ import annotations

import pytest

from domain.core.errors import Reason
from domain.stages.anytime.watching import watched
from domain.stages.supply.vector_lot import ConfirmVectorLot, NameVectorLot, VectorLotConfirmed, VectorLotNamed
from domain.stages.treatment.look_back import infused_lots
from domain.stages.treatment.observations import ReportDeath
from domain.stages.treatment.safety import RecallReached, ReportMalignancy
from tests.domain.course import start
from tests.domain.journey import Journey, when
from tests.domain.refusals import No
from tests.domain.stages.supply.given import CODE, MATERIAL, VIAL, confirm, in_the_body, name_lot


def given() -> Journey:
    return in_the_body(Journey())


def traced(j: Journey) -> Journey:
    return confirm(name_lot(in_the_body(j)))


REFUSALS = (
    No("infused", NameVectorLot(CODE), Reason.NOT_NOW, "nothing was given in the body"),
    No("infused", ConfirmVectorLot("nothing", MATERIAL), Reason.NOT_NOW, "another vector lot was named meanwhile"),
    No("", NameVectorLot(" "), Reason.INVALID, "name the vector lot, as its label says", in_the_body),
    No("", NameVectorLot("LV-9", 2), Reason.NOT_FOUND, "no such infusion was given in the body", in_the_body),
    No("", NameVectorLot("LV-9"), Reason.ALREADY, "the vector lot of each infusion is known; say which one", traced),
    No("", NameVectorLot("LV-9", 1), Reason.IRREVERSIBLE, "that vector lot knows the patient already", traced),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_the_hospital_owes_which_vector_lot_it_was_until_that_lot_knows_the_patient() -> None:
    j = given()
    owed = j.owed("vector_lot")
    fact = j.case.infusions[-1].fact
    assert owed.about == fact
    name_lot(j)
    assert j.decided == [VectorLotNamed(fact, CODE)]
    assert j.case.obligations[owed.id].state == "open", "named, and not found yet"
    confirm(j)
    assert VectorLotConfirmed(fact, MATERIAL) in j.last
    assert j.case.obligations[owed.id].state == "met"
    assert (j.case.infusions[-1].vector, j.case.infusions[-1].lot, j.case.infusions[-1].unit) == (MATERIAL, "", VIAL)
    assert j.refold() == j.case


def test_cells_of_a_lot_are_traced_by_it_and_owe_nothing_more() -> None:
    assert start("infused").all_owed("vector_lot") == []


def test_a_wrong_code_is_named_again_and_the_answer_to_the_first_is_refused() -> None:
    j = name_lot(given())
    first = j.case.infusions[-1].vector_named
    j.tell(NameVectorLot("LV-8"))
    when(j, ConfirmVectorLot(first, MATERIAL)).then_refused(Reason.NOT_NOW, "another vector lot was named meanwhile")
    assert [e.state for e in j.asked("trace_vector_lot")][-1] == "requested"
    confirm(j)
    assert j.case.infusions[-1].vector == MATERIAL


def test_the_recall_of_the_vector_lot_reaches_the_patient_once_whatever_became_of_the_case() -> None:
    j = confirm(name_lot(given()))
    assert MATERIAL in watched(j.case)
    j.source(MATERIAL, state="").look()
    assert not [a for a in j.case.alerts.values() if a.kind == "recall"]
    j.tell(ReportDeath())
    j.source(MATERIAL, state="recalled").look()
    assert RecallReached(MATERIAL) in j.last
    j.source(MATERIAL, state="recalled").look()
    assert [a.about for a in j.case.alerts.values() if a.kind == "recall"] == [MATERIAL]


def test_a_new_cancer_is_looked_back_from_to_the_vector_lot() -> None:
    j = given()
    j.tell(ReportMalignancy("T cell"))
    assert j.asked("look_back") == [], "nobody knows yet what was given"
    confirm(name_lot(j))
    assert infused_lots(j.case) == [MATERIAL]
    assert [e.state for e in j.asked("look_back")] == ["requested"]
