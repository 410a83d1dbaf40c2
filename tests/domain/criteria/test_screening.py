"""Criteria against observations [criteria.three-valued]: vectors of the field, and what no history may bring about."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.when import When
from domain.criteria.criterion import Comparison, Criterion
from domain.criteria.observation import Observation, aged
from domain.criteria.screening import (
    OPEN,
    Gap,
    Lacks,
    Questions,
    Result,
    _plain,
    by_what,
    next_steps,
    screen,
    screen_by,
)
from tests.domain.criteria.observed import NOW, among, asks, days_ago, finding, measured, number, stated

GILBERT = asks(
    (number("bilirubin", "<=", "2", "{ULN}"),),
    (among("gilbert_syndrome", "yes"), number("bilirubin", "<=", "3", "{ULN}")),
)
KIDNEY = asks((number("creatinine", "<=", "1.5", "{ULN}"),), (number("creatinine_clearance", ">=", "60", "mL/min"),))
HEPATITIS_B = asks(  # [criteria.hepatitis-b]
    (among("hbsag", "positive"),),
    (among("anti_hbc", "positive"), among("hbv_dna", "positive")),
    kind="exclusion",
)
CD33 = asks(
    (number("antigen_percentage", ">", "50", "%", target="CD33", methods=("ihc",)),),
    (number("antigen_percentage", ">", "80", "%", target="CD33", methods=("flow",)),),
)
RELAPSED = asks((among("disease_status", "relapsed", "refractory"),))
UNTRANSFUSED = asks((number("platelets", ">=", "45", "10*9/L", unsupported=True),))
ALL_ADULTS = asks(
    (number("age", ">=", "18", "a"), number("age", "<", "70", "a")), only_if=(among("disease_group", "nhl"),)
)


def cd7(percent: str, method: str, age: int = 0) -> Observation:
    return measured("antigen_percentage", percent, "%", target="CD7", method=method, age=age)


def cd33(percent: str, method: str) -> Observation:
    return measured("antigen_percentage", percent, "%", target="CD33", method=method)


def bilirubin(value: str) -> Observation:
    return measured("bilirubin", value, "umol/L", limit="20")


LVEF_50, ALT_120 = measured("lvef", "50", "%"), measured("alt", "120", "U/L", limit="40")
CD7_70 = asks((number("antigen_percentage", ">=", "70", "%", target="CD7"),))
VECTORS: list[tuple[str, Criterion, list[Observation], Result]] = [
    ("at the threshold", asks((number("lvef", ">=", "50", "%"),)), [LVEF_50], "met"),
    ("above is not at", asks((number("lvef", ">", "50", "%"),)), [LVEF_50], "not_met"),
    ("34 umol/L is 1.988 mg/dL", asks((number("bilirubin", "<=", "2.0", "mg/dL"),)), [bilirubin("34")], "met"),
    ("35 umol/L is not", asks((number("bilirubin", "<=", "2.0", "mg/dL"),)), [bilirubin("35")], "not_met"),
    ("three upper limits", asks((number("alt", "<=", "2.5", "x ULN"),)), [ALT_120], "not_met"),
    ("and exactly three", asks((number("alt", "<=", "3", "x ULN"),)), [ALT_120], "met"),
    ("no limit told", asks((number("alt", "<=", "3", "x ULN"),)), [measured("alt", "120", "U/L")], "unknown"),
    ("transfused", UNTRANSFUSED, [measured("platelets", "50", "10*9/L", supported=True)], "not_met"),
    ("not transfused", UNTRANSFUSED, [measured("platelets", "50", "10*9/L")], "met"),
    (
        "transfused is not shown to be out of an exclusion either",
        asks((number("platelets", "<", "45", "10*9/L", unsupported=True),), kind="exclusion"),
        [measured("platelets", "50", "10*9/L", supported=True)],
        "not_met",
    ),
    ("missing is not absent", asks((number("neutrophils", "<", "0.5", "10*9/L"),), kind="exclusion"), [], "unknown"),
    ("two methods", CD7_70, [cd7("72", "flow"), cd7("60", "ihc")], "conflicting"),
    ("two methods, not of one day", CD7_70, [cd7("72", "flow"), cd7("60", "ihc", 9)], "conflicting"),
    ("one method, the newest", CD7_70, [cd7("72", "flow"), cd7("60", "flow", 9)], "met"),
    ("another antigen", CD7_70, [cd33("99", "flow")], "unknown"),
    ("old", asks((number("lvef", ">=", "50", "%"),), within=90), [measured("lvef", "60", "%", age=120)], "stale"),
    ("on the last day", asks((number("lvef", ">=", "50", "%"),), within=90), [measured("lvef", "60", "%", age=90)],
     "met"),
    ("what lasts does not grow old", asks((among("gilbert_syndrome", "yes"),), within=7),
     [stated("gilbert_syndrome", "yes", 900)], "met"),
    ("of no known day", asks((number("lvef", ">=", "50", "%"),), within=90), [measured("lvef", "60", "%", age=None)],
     "unknown"),
    ("DNA is missing", HEPATITIS_B, [stated("hbsag", "negative"), stated("anti_hbc", "positive")], "unknown"),
    ("no antibody, no DNA needed", HEPATITIS_B, [stated("hbsag", "negative"), stated("anti_hbc", "negative")], "met"),
    ("antigen", HEPATITIS_B, [stated("hbsag", "positive")], "not_met"),
    ("indeterminate is not positive", HEPATITIS_B, [stated("hbsag", "indeterminate")], "unknown"),
    ("within the limit", GILBERT, [bilirubin("40")], "met"),
    ("Gilbert not asked yet", GILBERT, [bilirubin("50")], "unknown"),
    ("Gilbert", GILBERT, [bilirubin("50"), stated("gilbert_syndrome", "yes")], "met"),
    ("no Gilbert", GILBERT, [bilirubin("50"), stated("gilbert_syndrome", "no")], "not_met"),
    ("too high for Gilbert", GILBERT, [bilirubin("61")], "not_met"),
    ("the other way", KIDNEY, [measured("creatinine_clearance", "60", "mL/min")], "met"),
    ("neither way", KIDNEY, [measured("creatinine", "200", "umol/L", limit="100"),
     measured("creatinine_clearance", "59", "mL/min")], "not_met"),
    ("by tissue", CD33, [cd33("60", "ihc")], "met"),
    ("60 by flow does not do", CD33, [cd33("60", "flow")], "unknown"),
    ("neither method", CD33, [cd33("60", "flow"), cd33("50", "ihc")], "not_met"),
    ("of one day, both sides", KIDNEY, [measured("creatinine_clearance", "61", "mL/min"),
     measured("creatinine_clearance", "59", "mL/min")], "conflicting"),
    ("the newest day counts", KIDNEY, [measured("creatinine_clearance", "61", "mL/min"),
     measured("creatinine_clearance", "59", "mL/min", age=1)], "met"),
    ("another disease", ALL_ADULTS, [stated("disease_group", "all")], "not_applicable"),
    ("which disease is not known", ALL_ADULTS, [], "unknown"),
    ("four weeks ago", asks((number("last_therapy", ">=", "4", "wk"),)), [stated("last_therapy", "", 28)], "met"),
    ("not yet", asks((number("last_therapy", ">=", "4", "wk"),)), [stated("last_therapy", "", 27)], "not_met"),
    ("relapsed", RELAPSED, [stated("disease_status", "relapsed")], "met"),
    ("in remission now", RELAPSED, [stated("disease_status", "relapsed", 90), stated("disease_status", "in_remission")],
     "not_met"),
    ("nobody said how it stands", RELAPSED, [], "unknown"),
    ("not in the source", asks(), [LVEF_50], "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "criterion", "facts", "result"), VECTORS, ids=[v[0] for v in VECTORS])
def test_a_criterion_stands_as_the_field_reads_it(
    name: str, criterion: Criterion, facts: list[Observation], result: Result
) -> None:
    for ordered in (facts, facts[::-1]):
        assert finding(criterion, *ordered).result == result, name


def age_is(born: str, *tests: Comparison) -> Result:
    return screen([asks(tests)], [found] if (found := aged(born, NOW)) else [], NOW)[0].result


@pytest.mark.parametrize(
    ("born", "result"),
    [
        ("1960-12-01", "met"),  # 65 years and 11 months are 65
        ("1960-11-30", "not_met"),  # 66 today
        ("1960", "unknown"),  # 65 or 66
        ("1980", "met"),
        ("2009", "not_met"),
        ("", "unknown"),
        ("2027", "unknown"),
    ],
)
def test_an_age_is_counted_by_the_day_or_by_both_ends_of_the_year(born: str, result: Result) -> None:
    assert age_is(born, number("age", ">=", "18", "a"), number("age", "<=", "65", "a")) == result


def test_half_a_year_is_counted_in_months() -> None:
    above = number("age", ">", "0.5", "a")
    assert [age_is(born, above) for born in ("2026-05-31", "2026-05-30", "2026-04-30")] == ["not_met", "not_met", "met"]


def test_a_finding_names_what_it_rests_on_and_what_would_settle_it() -> None:
    high, dna = bilirubin("50"), [stated("hbsag", "negative"), stated("anti_hbc", "positive")]
    assert finding(GILBERT, high).rests_on == (high.id,)
    assert finding(GILBERT, high).gaps == (Gap("nothing_observed", "gilbert_syndrome"),)
    assert finding(HEPATITIS_B, *dna).gaps == (Gap("nothing_observed", "hbv_dna"),)
    assert finding(CD33, cd33("60", "flow")).gaps == (Gap("nothing_observed", "antigen_percentage", "CD33", ("ihc",)),)
    assert finding(asks()).gaps == (Gap("not_in_source"),)
    assert finding(GILBERT, bilirubin("40")).gaps == (), "what is met asks for nothing"
    no_limit = measured("alt", "120", "U/L")
    assert finding(asks((number("alt", "<=", "3", "x ULN"),)), no_limit).gaps == (Gap("no_upper_limit", "alt"),)


def test_what_settles_most_comes_first() -> None:
    twice = asks((number("lvef", ">=", "50", "%"),))
    findings = screen([KIDNEY, twice, asks((number("lvef", ">=", "45", "%"),)), asks()], [], NOW)
    assert next_steps(findings)[0] == (Gap("nothing_observed", "lvef"), 2)
    assert {gap.analyte for gap, _ in next_steps(findings)} == {"lvef", "creatinine", "creatinine_clearance"}


def test_what_lies_ahead_counts_for_nothing() -> None:
    ahead = measured("lvef", "20", "%", age=-1)
    assert finding(asks((number("lvef", ">=", "50", "%"),)), ahead, LVEF_50).result == "met"


CRITERIA = [criterion for _, criterion, _, _ in VECTORS]
POOL = [fact for _, _, facts, _ in VECTORS for fact in facts] + [
    stated("gilbert_syndrome", "no"),
    stated("hbv_dna", "positive"),
    stated("disease_group", "nhl"),
    aged("2015-01-01", NOW) or LVEF_50,
    measured("creatinine", "90", "umol/L", limit="100"),
]
FACTS = st.lists(st.sampled_from(POOL), unique_by=lambda fact: fact.id, max_size=12)


@given(FACTS, st.sampled_from(CRITERIA))
def test_what_is_no_longer_known_only_leaves_a_criterion_open(facts: list[Observation], criterion: Criterion) -> None:
    """Nothing becomes met, nor not met, by forgetting all that was observed of one thing."""
    before = finding(criterion, *facts).result
    for what in {fact.analyte for fact in facts}:
        after = finding(criterion, *(fact for fact in facts if fact.analyte != what)).result
        assert after == before or after in OPEN or before == "not_applicable", what


@given(FACTS)
def test_results_alone_are_those_of_the_findings(facts: list[Observation]) -> None:
    """The short way is taken for criteria of one number, and says what the long one does; turned round too."""
    turned = {"inclusion": "exclusion", "exclusion": "inclusion"}
    criteria = (*CRITERIA, *(replace(one, kind=turned[one.kind]) for one in CRITERIA))  # type: ignore[arg-type] # of the two
    assert any(_plain(one) for one in criteria)
    found = screen_by(criteria, by_what(facts, NOW))
    questions = Questions()
    places = [questions.place(one) for one in criteria]
    assert places == [questions.place(replace(one, id="other", words="others")) for one in criteria], "asked once"
    assert len(set(places)) == len({replace(one, id="", words="") for one in criteria}), "the control"
    results = questions.results(by_what(facts, NOW))
    assert [results[place] for place in places] == [one.result for one in found]


@given(FACTS, st.sampled_from(CRITERIA))
def test_what_a_finding_does_not_rest_on_can_go_and_nothing_changes(
    facts: list[Observation], criterion: Criterion
) -> None:
    """So nothing hides behind the newest result: while that cannot be used, an older one settles nothing."""
    before = finding(criterion, *facts)
    for fact in facts:
        if fact.id not in before.rests_on:
            assert finding(criterion, *(one for one in facts if one is not fact)).result == before.result, fact


@pytest.mark.parametrize(("name", "criterion", "facts", "result"), VECTORS, ids=[v[0] for v in VECTORS])
def test_what_a_criterion_does_not_ask_for_changes_nothing(
    name: str, criterion: Criterion, facts: list[Observation], result: Result
) -> None:
    asked = {(test.analyte, test.target) for test in criterion.tests}
    others = [fact for fact in POOL if (fact.analyte, fact.target) not in asked]
    assert others, name
    assert {finding(criterion, *facts, other).result for other in others} == {result}


UNITS = [("creatinine", "mg/dL", "umol/L", "88.4"), ("bilirubin", "mg/dL", "umol/L", "17.1"),
         ("haemoglobin", "g/dL", "g/L", "10"), ("platelets", "10*9/L", "/uL", "1000")]  # fmt: skip
NUMBERS = st.decimals("0.1", "99", places=2)


@given(st.sampled_from(UNITS), NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["<", "<=", ">", ">="]), st.booleans())
def test_the_unit_in_which_something_is_told_changes_nothing(
    unit: tuple[str, str, str, str], value: Decimal, limit: Decimal, threshold: Decimal, op: str, uln: bool
) -> None:
    what, one, other, factor = unit
    by = Decimal(factor)
    told = measured(what, str(value), one, limit=str(limit))
    again = measured(what, str(value * by), other, limit=str(limit * by))
    asked = [number(what, op, str(threshold), "{ULN}" if uln else one)]  # type: ignore[arg-type]
    asked += [] if uln else [number(what, op, str(threshold * by), other)]  # type: ignore[arg-type]
    assert len({finding(asks((test,)), fact).result for test in asked for fact in (told, again)}) == 1


def test_the_properties_can_fail() -> None:
    """Controls: a screening that takes the missing for normal, all facts for asked, or units for equal, is noticed."""
    assert finding(asks((number("lvef", ">=", "50", "%"),))).result in OPEN
    assert finding(CD7_70, cd7("60", "flow"), cd7("72", "flow", 9)).result == "not_met", "facts do change results"
    apart = [measured("bilirubin", "2", unit) for unit in ("mg/dL", "umol/L")]
    assert len({finding(asks((number("bilirubin", "<=", "2", "umol/L"),)), fact).result for fact in apart}) == 2


def test_every_way_in_which_something_may_lack_is_really_said() -> None:
    said = {gap.lacks for _, criterion, facts, _ in VECTORS for gap in finding(criterion, *facts).gaps}
    born = screen([asks((number("age", "<=", "65", "a"),))], [aged("1960", NOW) or LVEF_50], NOW)
    assert said | {gap.lacks for one in born for gap in one.gaps} == set(get_args(Lacks))


def test_an_undated_observation_that_says_otherwise_is_not_passed_over() -> None:
    lvef = asks((number("lvef", ">=", "50", "%"),))
    undated = measured("lvef", "40", "%", age=None)
    assert finding(lvef, LVEF_50, undated).result == "conflicting"
    assert finding(lvef, undated).result == "not_met"
    late = Observation(id="x", analyte="lvef", low=Decimal(60), high=Decimal(60), taken=When.at(NOW + timedelta(1)))
    assert finding(lvef, late).result == "unknown"
    assert days_ago(0).day == NOW.date()
