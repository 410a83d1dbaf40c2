"""Results of a lot against its product's specification: what keeps it from being released, and who decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.catalogue.around import Around
from domain.catalogue.streams import named_by, read_model
from domain.core.errors import Reason, Refused
from domain.core.personal import ERASED
from domain.doses import codes
from domain.doses.lot import LotQuarantined, LotRecalled, LotRegistered, LotReleased, RecallLot, ReleaseLot
from domain.doses.product import (
    Limit,
    Product,
    ProductRegistered,
    RegisterProduct,
    SpecificationStated,
    SpecifyTests,
    stream_of,
)
from domain.doses.quality import (
    DecideOutOfSpecification,
    OutOfSpecificationDecided,
    OutOfSpecificationProposed,
    RecordResult,
    ResultRecorded,
)
from domain.doses.stock import Lot
from domain.doses.unit import HoldUnit
from tests.domain.catalogue.steps import AROUND, NOW, given, refused, when

LOT, PRODUCT = "lot-1", stream_of("X-1")
TESTS = (
    Limit(test="viability", unit="%", least=70.0),
    Limit(test="endotoxin", unit="EU/mL", most=5.0),
    Limit(test="mycoplasma", expected="not detected"),
    Limit(test="sterility", expected="no growth", late=True),
)
REGISTERED = LotRegistered("X-1", ("u1",), NOW + timedelta(days=300), "", "", "person-1")
TODAY = NOW.date()
RELEASE = ReleaseLot("person-2")


def around(*tests: Limit) -> Around:
    known = given(PRODUCT, ProductRegistered("X-1", ""), SpecificationStated(tests, "SPEC-7")) if tests else None
    return replace(AROUND, beside={PRODUCT: read_model(PRODUCT, known)} if known else {})


SPECIFIED = around(*TESTS)


def lot(*events: Any) -> Lot:
    state = given(LOT, REGISTERED, *events)
    assert isinstance(state, Lot)
    return state


def result(test: str, value: float | None = None, word: str = "", *, within: bool = True) -> ResultRecorded:
    unit = next(one.unit for one in TESTS if one.test == test)
    return ResultRecorded(test, TODAY, value, unit, word, within)


GOOD = (result("viability", 88.0), result("endotoxin", 0.5), result("mycoplasma", word="not detected"))
OUT = result("viability", 61.0, within=False)
USE = DecideOutOfSpecification("viability", "use", "physician asks for it", "person-2")
PROPOSED = OutOfSpecificationProposed("viability", "use", "physician asks for it", "person-2")


def test_a_product_is_one_however_its_code_is_written() -> None:
    assert stream_of(" x-1 ") == PRODUCT != stream_of("X-2")
    registered = ProductRegistered("X-1", "Anti-CD19")
    assert when(PRODUCT, given(PRODUCT), RegisterProduct("X-1", "Anti-CD19")) == [registered]
    assert refused(PRODUCT, given(PRODUCT, registered), RegisterProduct("x-1")) == (Reason.ALREADY, "code")
    assert refused(PRODUCT, given(PRODUCT), RegisterProduct(" ")) == (Reason.INVALID, "code")
    assert refused(PRODUCT, given(PRODUCT), SpecifyTests(TESTS, "SPEC-7")) == (Reason.NOT_FOUND, None)


@pytest.mark.parametrize(
    "limit",
    [
        Limit(test=" ", least=1.0, unit="%"),
        Limit(test="a"),
        Limit(test="a", least=1.0, expected="none", unit="%"),
        Limit(test="a", least=2.0, most=1.0, unit="%"),
        Limit(test="a", least=float("nan"), unit="%"),
        Limit(test="a", most=float("inf"), unit="%"),
        Limit(test="a", least=1.0),
    ],
    ids=repr,
)
def test_a_specification_that_judges_nothing_is_refused(limit: Limit) -> None:
    product = given(PRODUCT, ProductRegistered("X-1", ""))
    assert refused(PRODUCT, product, SpecifyTests((limit,), "SPEC-7")) == (Reason.INVALID, "tests")
    assert refused(PRODUCT, product, SpecifyTests(TESTS, " ")) == (Reason.INVALID, "source")
    twice = (TESTS[0], replace(TESTS[0], test="VIABILITY "))
    assert refused(PRODUCT, product, SpecifyTests(twice, "SPEC-7")) == (Reason.INVALID, "tests")
    assert when(PRODUCT, product, SpecifyTests(TESTS, "SPEC-7")) == [SpecificationStated(TESTS, "SPEC-7")]
    folded = given(PRODUCT, ProductRegistered("X-1", ""), SpecificationStated(TESTS, "SPEC-7"))
    assert isinstance(folded, Product)
    assert (folded.tests, folded.source, folded.version) == (TESTS, "SPEC-7", 2)


def test_no_lot_is_released_while_a_result_is_missing() -> None:
    assert named_by(RELEASE, lot()) == {PRODUCT}
    assert refused(LOT, lot(), RELEASE, around=SPECIFIED) == (Reason.MISSING, None)
    assert refused(LOT, lot(*GOOD[:2]), RELEASE, around=SPECIFIED) == (Reason.MISSING, None)
    assert when(LOT, lot(*GOOD), RELEASE, around=SPECIFIED) == [LotReleased("person-2")]
    assert when(LOT, lot(), RELEASE) == [LotReleased("person-2")], "a product that states no specification"


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (RecordResult("potency", TODAY, 3.0, "%"), "test"),
        (RecordResult("viability", TODAY + timedelta(days=2), 88.0, "%"), "tested"),
        (RecordResult("viability", TODAY, None, "%"), "value"),
        (RecordResult("viability", TODAY, float("nan"), "%"), "value"),
        (RecordResult("viability", TODAY, 88.0, "%", "good"), "value"),
        (RecordResult("viability", TODAY, 0.88, "1"), "unit"),
        (RecordResult("mycoplasma", TODAY), "word"),
        (RecordResult("mycoplasma", TODAY, 1.0, "", "not detected"), "word"),
    ],
)
def test_a_result_that_cannot_be_judged_is_refused(command: RecordResult, field: str) -> None:
    assert refused(LOT, lot(), command, around=SPECIFIED)[1] == field


def test_a_result_is_judged_by_its_limits() -> None:
    told = RecordResult("Viability ", TODAY, 70.0, "%")
    assert when(LOT, lot(), told, around=SPECIFIED) == [result("viability", 70.0)]
    assert when(LOT, lot(), replace(told, value=69.9), around=SPECIFIED) == [result("viability", 69.9, within=False)]
    word = RecordResult("mycoplasma", TODAY, word="Not Detected")
    assert when(LOT, lot(), word, around=SPECIFIED) == [result("mycoplasma", word="Not Detected")]
    assert when(LOT, lot(), replace(word, word="detected"), around=SPECIFIED) == [
        result("mycoplasma", word="detected", within=False)
    ]


def test_out_of_specification_is_not_measured_away() -> None:
    state = lot(*GOOD, OUT)
    assert refused(LOT, state, RELEASE, around=SPECIFIED) == (Reason.NEVER_WAIVED, None)
    assert refused(LOT, state, RELEASE) == (Reason.NEVER_WAIVED, None), "nor by another specification"
    again = RecordResult("viability", TODAY, 90.0, "%")
    assert refused(LOT, state, again, around=SPECIFIED) == (Reason.NOT_NOW, "test")


def test_two_people_decide_to_use_it() -> None:
    assert when(LOT, lot(*GOOD, OUT), USE) == [PROPOSED]
    state = lot(*GOOD, OUT, PROPOSED)
    assert refused(LOT, state, RELEASE, around=SPECIFIED) == (Reason.NEVER_WAIVED, None)
    assert refused(LOT, state, USE) == (Reason.FOUR_EYES, "by")
    second = replace(USE, by="person-3")
    decided = OutOfSpecificationDecided("viability", "use", "physician asks for it", "person-3")
    assert when(LOT, state, second) == [decided]
    assert when(LOT, lot(*GOOD, OUT, PROPOSED, decided), RELEASE, around=SPECIFIED) == [LotReleased("person-2")]
    assert when(LOT, state, replace(second, outcome="remeasure")) == [
        replace(PROPOSED, outcome="remeasure", by="person-3")
    ], "two who say different things decide nothing"
    for broken, field in ((replace(USE, reason=""), "reason"), (replace(USE, reason=ERASED), "reason"),
                          (replace(USE, by=""), "by"), (replace(USE, test="endotoxin"), "test")):  # fmt: skip
        assert refused(LOT, lot(*GOOD, OUT), broken)[1] == field


def test_after_an_error_of_the_laboratory_it_is_measured_anew() -> None:
    decided = OutOfSpecificationDecided("viability", "remeasure", "thermometer", "person-3")
    state = lot(*GOOD, OUT, replace(PROPOSED, outcome="remeasure"), decided)
    assert refused(LOT, state, RELEASE, around=SPECIFIED) == (Reason.MISSING, None)
    assert when(LOT, state, RecordResult("viability", TODAY, 90.0, "%"), around=SPECIFIED) == [
        result("viability", 90.0)
    ]


def test_one_person_rejects_a_lot_for_good() -> None:
    rejected = OutOfSpecificationDecided("viability", "reject", "too few", "person-2")
    assert when(LOT, lot(OUT), replace(USE, outcome="reject", reason="too few")) == [rejected]
    state = lot(OUT, rejected)
    assert read_model(LOT, state)["state"] == "rejected"
    assert refused(LOT, state, RELEASE) == (Reason.IRREVERSIBLE, None)
    hold = HoldUnit("case-1", "e", NOW + timedelta(days=3))
    assert refused(LOT, state, hold) == (Reason.UNAVAILABLE, None)
    assert when(LOT, state, RecallLot("sterility")) == [LotRecalled("sterility")]
    assert lot(OUT, LotRecalled("sterility"), rejected).state == "recalled"


def test_a_late_result_out_of_specification_stops_a_released_lot() -> None:
    late = RecordResult("sterility", TODAY, word="growth")
    released = lot(*GOOD, LotReleased("person-2"))
    assert when(LOT, released, late, around=SPECIFIED) == [
        result("sterility", word="growth", within=False),
        LotQuarantined("out of specification: sterility"),
    ]
    assert when(LOT, lot(*GOOD), late, around=SPECIFIED) == [result("sterility", word="growth", within=False)]
    assert when(LOT, released, replace(late, word="no growth"), around=SPECIFIED) == [
        result("sterility", word="no growth")
    ]


numbers = st.one_of(st.none(), st.floats(0, 10))
limits = st.builds(
    Limit,
    test=st.sampled_from(["a", "A ", "b"]),
    unit=st.just("%"),
    least=numbers,
    most=numbers,
    expected=st.sampled_from(["", "none"]),
    late=st.booleans(),
)
steps = st.lists(
    st.one_of(
        st.builds(
            RecordResult, st.sampled_from(["a", "b"]), st.just(TODAY), numbers, st.just("%"),
            st.sampled_from(["", "none"]),
        ),
        st.builds(
            DecideOutOfSpecification, st.sampled_from(["a", "b"]), st.sampled_from(["use", "remeasure", "reject"]),
            st.just("why"), st.sampled_from(["person-1", "person-2", "person-3"]),
        ),
        st.just(RELEASE),
    ),
    max_size=14,
)  # fmt: skip


@drawn(st.lists(limits, min_size=1, max_size=3), steps)
def test_whatever_is_told_a_released_lot_has_every_result_and_none_undecided(specified: Any, script: Any) -> None:
    product = given(PRODUCT, ProductRegistered("X-1", ""))
    try:
        when(PRODUCT, product, SpecifyTests(tuple(specified), "SPEC"))
    except Refused:
        return
    known, events = around(*specified), list[Any]()
    for command in script:
        try:
            new = when(LOT, lot(*events), command, around=known)
        except Refused:
            continue
        events += new
        if new == [LotReleased("person-2")]:
            newest: dict[str, Any] = {}
            for one in events:
                if isinstance(one, ResultRecorded | OutOfSpecificationDecided):
                    newest[codes.folded(one.test)] = one
            for limit in specified:
                last = newest.get(codes.folded(limit.test))
                good = (isinstance(last, ResultRecorded) and last.within) or getattr(last, "outcome", "") == "use"
                assert good or (limit.late and (last is None or getattr(last, "outcome", "") == "remeasure"))


def test_a_late_result_that_was_measured_wrongly_is_measured_again_before_the_lot_is_released_anew() -> None:
    """Growth was found after the release, and two people say the laboratory erred: until then nobody knows better."""
    grown = result("sterility", word="growth", within=False)
    void = OutOfSpecificationDecided("sterility", "remeasure", "plate was contaminated", "person-3")
    stopped = (*GOOD, LotReleased("person-2"), grown, LotQuarantined("out of specification: sterility"), void)
    assert refused(LOT, lot(*stopped), RELEASE, around=SPECIFIED) == (Reason.MISSING, None)
    again = result("sterility", word="no growth")
    assert when(LOT, lot(*stopped, again), RELEASE, around=SPECIFIED) == [LotReleased("person-2")]
    assert when(LOT, lot(*GOOD), RELEASE, around=SPECIFIED) == [LotReleased("person-2")], "at first it may come later"
