"""A vector lot knows to whom it was given itself, whatever became of it, and a recall of what is above finds them."""

from __future__ import annotations

from typing import Any

from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.doses.custody.giving import GivenTo, GiveVector, RecallVector, VectorGiven, VectorRecalled
from domain.doses.genealogy import Trace, UnitFound, patients_of, units_of
from domain.doses.material import Material, MaterialRegistered, read_model
from tests.domain.catalogue.steps import NOW, given, refused, when

STREAM, RUN = "material-v", "material-run"
REGISTERED = MaterialRegistered("vector_lot", "LV-7", vector="lentiviral", integrating=True)


def vector(*events: Any) -> Material:
    state = given(STREAM, REGISTERED, *events)
    assert isinstance(state, Material)
    return state


def test_each_infusion_is_noted_once_and_also_after_a_recall() -> None:
    assert when(STREAM, vector(), GiveVector("case-1", "f-1", "vial 3")) == [VectorGiven("case-1", "f-1", "vial 3")]
    once = vector(VectorGiven("case-1", "f-1", "vial 3"))
    assert when(STREAM, once, GiveVector("case-1", "f-1", "vial 3")) == []
    gone = vector(VectorGiven("case-1", "f-1", ""), VectorRecalled("defect"))
    assert when(STREAM, gone, GiveVector("case-2", "f-2")) == [VectorGiven("case-2", "f-2", "")]
    assert when(STREAM, gone, RecallVector("defect")) == []
    assert ("state" in read_model(once), read_model(gone)["state"]) == (False, "recalled")


def test_only_a_vector_lot_is_given_itself() -> None:
    run = given(RUN, MaterialRegistered("vector_run", "R-1", volume_l=5.0, titre=1e8, titre_unit="TU/mL"))
    assert refused(RUN, run, GiveVector("case-1", "f-1")) == (Reason.INVALID, "type")


def test_a_recall_of_the_run_finds_who_got_the_vector_and_not_who_got_what_is_above() -> None:
    lot = vector(
        VectorGiven("case-1", "f-1", "vial 3"), VectorGiven("case-2", "f-2", ""), VectorGiven(ERASED, "f-3", "")
    )
    assert lot.given.to[2] == GivenTo("", "f-3", "")
    links = frozenset({(STREAM, RUN)})
    below = Trace((RUN,), frozenset(), links, {STREAM: lot, RUN: Material(kind="vector_run")}, {}, ())
    found = units_of(below, NOW)
    assert found[:2] == [UnitFound(STREAM, "vial 3", "used", "case-1"), UnitFound(STREAM, "2", "used", "case-2")]
    assert (below.given, list(patients_of(found))) == ([STREAM], ["case-1", "case-2"])
    above = Trace(("lot-1",), links, frozenset(), {STREAM: lot}, {}, ())
    assert (above.given, units_of(above, NOW)) == ([], [])
