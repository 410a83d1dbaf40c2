"""Two clocks: what was known at an instant is what was shown then, and which dated facts held at another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from activities.views import case_views
from domain.case.stage import Stage
from domain.core.policy import Span
from domain.core.when import When
from domain.engine.agenda import agenda
from domain.engine.evolve import fold
from domain.history.dated import as_of, known, standing
from domain.history.difference import changes, moves
from domain.journey import RULES
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.response.assessing import AssessResponse, ResponseAssessed
from domain.stages.travel.visa import PassportRecorded, RecordPassport
from domain.stages.treatment.adverse_events import ReportToxicity, ToxicityReported
from domain.stages.treatment.observations import ReportDeath
from tests.domain.course import STEPS, patient, start
from tests.domain.journey import DAY, HOUR, Journey
from tests.domain.test_properties import ACTS, STARTS, Act, act
from tests.drawing import draws

Shown = tuple[Any, Any, Any]


def shown(j: Journey) -> Shown:
    """Everything a person is shown of a case at this instant."""
    return j.case, j.agenda, case_views(j.case)


def asked_later(j: Journey, at: datetime) -> Shown:
    case = replace(fold(known(j.facts, at)), id="case-1")
    return case, agenda(case, at), case_views(case)


@given(STARTS, ACTS)
@draws(40)
def test_what_was_shown_at_an_instant_is_what_is_asked_of_it_later(name: str, acts: Sequence[Act]) -> None:
    j = start(name)
    seen = {j.now: shown(j)}
    for what in acts:
        act(j, what)
        seen[j.now] = shown(j)
    for at, then in seen.items():
        assert asked_later(j, at) == then


def test_what_was_shown_stays_the_same_across_corrections_and_new_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    j = start("granted")
    seen = {j.now: shown(j)}
    j.away(HOUR).tell(CorrectFact(j.newest(PassportRecorded), RecordPassport(patient(j), date(2035, 9, 1)), "x"))
    seen[j.now] = shown(j)
    newer = tuple(replace(rule, version=rule.version + 1) for rule in RULES)
    monkeypatch.setattr("domain.engine.advance.RULES", newer)
    shorter = {kind: replace(row, due=row.due and Span(1, "hours"), rungs=()) for kind, row in j.policy.ladders.items()}
    j.policy = replace(j.policy, hash="another", ladders=shorter)
    for step in ("fit", "booking", "admission", "arrived"):
        STEPS[step](j)
        j.deliver()
        seen[j.now] = shown(j)
    assert {f.why.rule_version for f in j.facts if f.why} >= {1, 2}
    assert {f.why.policy for f in j.facts if f.why} == {"another", start("granted").policy.hash}
    for at, then in seen.items():
        assert asked_later(j, at) == then
    assert len({str(then[0].passports) for then in seen.values()}) == 2


def test_a_fold_of_everything_would_show_what_nobody_knew_then() -> None:
    """Control: the newest correction put in the place of the old fact is not what was shown."""
    j = start("infused").tell(ReportToxicity("CRS", 2))
    before, at = shown(j), j.now
    j.away(HOUR).tell(CorrectFact(j.newest(ToxicityReported), ReportToxicity("CRS", 4), "chart"))
    everything = replace(fold([f for f in j.facts if f.version <= before[0].version]), id="case-1")
    wrong = replace(fold(j.facts), version=before[0].version)
    assert everything == before[0] == asked_later(j, at)[0]
    assert wrong.correctable != before[0].correctable


def view(j: Journey, at: datetime, kind: str = "ToxicityReported") -> Sequence[tuple[Any, str]]:
    return [(one.fact.event, one.standing) for one in as_of(j.facts, at) if one.fact.event.type == kind]


@pytest.mark.parametrize(
    ("occurred", "days", "expected"),
    [
        (When.at, 0, "true"),
        (lambda now: When.on(now.date()), 0, "uncertain"),
        (lambda now: When.on(now.date()), 1, "true"),
        (lambda now: When.between(None, now), -1, "uncertain"),
        (lambda now: When.between(now - 3 * DAY, now), -2, "uncertain"),
        (lambda now: When.between(now - 3 * DAY, now), -4, None),
        (lambda now: When.between(now - 3 * DAY, None), 400, "uncertain"),
        (lambda _: When.unknown(), -4000, "uncertain"),
        (When.at, -1, None),
    ],
)
def test_a_fact_is_true_uncertain_or_not_yet(occurred: Any, days: int, expected: str | None) -> None:
    j = start("infused")
    j.tell(ReportToxicity("CRS", 2, None, "", occurred(j.now)))
    found = [standing for _, standing in view(j, j.now + days * DAY)]
    assert found == ([expected] if expected else [])


def test_both_tellings_of_a_corrected_fact_are_in_the_view_and_name_each_other() -> None:
    j = start("infused")
    day = When.at(j.now - HOUR)
    j.tell(ReportToxicity("CRS", 2, None, "", day))
    first = j.newest(ToxicityReported)
    for grade in (3, 4):
        j.tell(CorrectFact(first, ReportToxicity("CRS", grade, None, "", day), "chart"))
    toxic = [one for one in as_of(j.facts, j.now) if one.fact.event.type == "ToxicityReported"]
    assert [(one.fact.event.grade, one.standing) for one in toxic] == [
        (2, "superseded"), (3, "superseded"), (4, "true"),
    ]  # fmt: skip
    assert {one.by for one in toxic[:2]} == {toxic[2].fact.id}
    assert [f.event.grade for f in standing(j.facts) if f.event.type == "ToxicityReported"] == [4]


def test_the_view_is_of_what_was_known_then() -> None:
    """The two clocks together: on the day itself nobody knew yet."""
    j = start("infused")
    happened = j.now
    j.away(20 * DAY).tell(ReportToxicity("ICANS", 1, None, "", When.at(happened)))
    assert [s for _, s in view(j, happened)] == ["true"]
    assert not [one for one in as_of(known(j.facts, happened), happened) if one.fact.event.type == "ToxicityReported"]


def test_a_corrected_day_shows_the_wrong_one_wherever_either_lies() -> None:
    j = start("infused")
    late, early = j.now - DAY, j.now - 10 * DAY
    j.tell(AssessResponse("CR", "", When.at(late)))
    j.tell(CorrectFact(j.newest(ResponseAssessed), AssessResponse("CR", "", When.at(early)), "typo"))
    between = early + DAY
    assert [s for _, s in view(j, between, "ResponseAssessed")] == ["superseded", "true"]
    assert view(j, early - HOUR, "ResponseAssessed") == []


def test_no_rule_and_no_engine_speaks_in_the_view() -> None:
    j = start("handed_over")
    found = as_of(j.facts, j.now)
    assert found
    assert all(one.fact.why is None for one in found)
    assert "engine" not in {one.fact.actor for one in found}
    assert {f.event.type for f in j.facts} - {one.fact.event.type for one in found} >= {"StageEntered"}


def test_the_difference_of_two_moments_is_what_was_recorded_between() -> None:
    j = start("eligibility")
    j.look()
    before = j.case
    j.away(HOUR)
    for step in ("chosen", "submitted"):
        STEPS[step](j)
    named = {one.name: one.keys for one in changes(before, j.case)}
    assert named["submissions"] == tuple(j.case.submissions)
    assert "people" not in named
    moved = {
        (one.after.kind, one.before.state if one.before else None, one.after.state) for one in moves(before, j.case)
    }
    assert {("next_centre", "open", "met"), ("submission_receipt", None, "open")} <= moved
    assert not changes(j.case, j.case)
    assert not moves(j.case, j.case)


@given(STARTS, ACTS)
@draws(20)
def test_a_difference_says_all_that_changed(name: str, acts: Sequence[Act]) -> None:
    """Put back what the difference names, and the earlier case is there again."""
    j = start(name)
    before = j.case
    for what in acts:
        act(j, what)
    back = {one.name: getattr(before, one.name) for one in changes(before, j.case)}
    owed = {**j.case.obligations, **{m.after.id: m.before for m in moves(before, j.case) if m.before}}
    new = {m.after.id for m in moves(before, j.case) if m.before is None}
    apart = {
        n: getattr(before, n) for n in ("version", "people_version", "seen", "correctable", "corrected", "decisions")
    }
    kept = {key: o for key, o in owed.items() if key not in new}
    assert replace(j.case, **{**back, **apart, "obligations": kept}) == before


def test_a_death_reported_late_was_not_known_at_the_door() -> None:
    j = start("infused")
    at = j.now
    j.away(timedelta(days=2)).tell(ReportDeath("", When.at(at)))
    assert asked_later(j, at)[0].stage is Stage.INFUSION
    assert [f for f in as_of(j.facts, at) if f.fact.event.type == "DeathReported"]
