"""Figures: what ended in the period counts, with the time a case stood still left out; sums agree however it is cut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.history.figures import Figure, RecordedEvent, figures, within
from tests.drawing import draws

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def said(day: float, kind: str, stream: str = "case-1", **data: Any) -> RecordedEvent:
    return RecordedEvent(stream, kind, START + day * DAY, data)


JOURNEY = [
    said(0, "CaseOpened", country="IN"),
    said(1, "ObligationOpened", obligation="o1", debtor="family"),
    said(2, "CaseHeld"),
    said(4, "CaseResumed"),
    said(5, "ObligationStepTaken", obligation="o1"),
    said(6, "ObligationMet", obligation="o1"),
    said(7, "StageEntered", stage="records", before="inquiry"),
    said(8, "CentreChosen", submission="s1", centre="centre-a"),
    said(8, "DossierSubmitted", submission="s1"),
    said(11, "PatientDeclined", submission="s1", code="cohort_full"),
    said(12, "CentreChosen", submission="s2", centre="centre-b"),
    said(12, "DossierSubmitted", submission="s2"),
    said(17, "PatientAccepted", submission="s2"),
    said(18, "ObligationOpened", obligation="o2", debtor="hospital"),
    said(19, "ObligationStepTaken", obligation="o2"),
    said(20, "ObligationMissed", obligation="o2"),
    said(30, "InfusionCompleted", treatment=1, number=1),
    said(40, "InfusionCompleted", treatment=1, number=2),
]


def counted(events: list[RecordedEvent], first: float = 0, until: float = 100, **more: str) -> dict[Any, Figure]:
    found = figures(events, START + first * DAY, START + until * DAY, **more)
    return {(one.measure, one.of): one for one in found}


def test_every_measure_of_one_journey_with_the_days_it_stood_still_left_out() -> None:
    told = {key: (one.count, one.median) for key, one in counted(JOURNEY).items()}
    assert told == {
        ("stage", "inquiry"): (1, 5.0),
        ("waiting", "family"): (1, 3.0),
        ("waiting", "hospital"): (1, 2.0),
        ("reminded_done", "family"): (1, None),
        ("reminded_not_done", "hospital"): (1, None),
        ("centre_answer", "centre-a"): (1, 3.0),
        ("centre_answer", "centre-b"): (1, 5.0),
        ("centre_declined", "centre-a"): (1, None),
        ("centre_accepted", "centre-b"): (1, None),
        ("refused", "cohort_full"): (1, None),
        ("centre_infused", "centre-b"): (2, None),
        ("to_infusion", ""): (1, 28.0),
    }


def test_what_ended_before_or_after_the_period_does_not_count() -> None:
    assert set(counted(JOURNEY, 10, 12)) == {
        ("centre_answer", "centre-a"), ("centre_declined", "centre-a"), ("refused", "cohort_full"),
    }  # fmt: skip


def test_filters_take_whole_cases() -> None:
    other = [said(0, "CaseOpened", "case-2", country="DE"), said(3, "StageEntered", "case-2", stage="records")]
    both = counted([*JOURNEY, *other])
    assert both["stage", "inquiry"].cases == ("case-1", "case-2")
    assert counted([*JOURNEY, *other], country="DE")["stage", "inquiry"].cases == ("case-2",)
    assert counted([*JOURNEY, *other], centre="centre-a")["stage", "inquiry"].cases == ("case-1",)
    assert counted([*JOURNEY, *other], centre="centre-z") == {}


def test_a_case_that_was_brought_in_tells_nothing_of_the_time_before() -> None:
    events = [
        said(0, "CaseOpened"),
        said(0, "FactsImported", stage="visa"),
        said(9, "InfusionCompleted", treatment=1, number=1),
    ]
    told = counted([*events, said(10, "StageEntered", stage="follow_up")])
    assert set(told) == {("stage", "visa"), ("centre_infused", "")}


def test_an_infusion_whose_details_are_corrected_counts_once() -> None:
    again = said(31, "InfusionCompleted", treatment=1, number=1)
    told = counted([*JOURNEY, again])
    assert (told["centre_infused", "centre-b"].count, told["to_infusion", ""].count) == (2, 1)


def test_an_infusion_is_the_chosen_centres_whoever_accepted_last() -> None:
    asked = [said(12, "CentreChosen", submission=f"s{n}", centre=f"centre-{n}") for n in (1, 2, 3)]
    accepted = [said(13, "PatientAccepted", submission=f"s{n}") for n in (1, 2)]
    late = said(15, "PatientAccepted", submission="s3")
    given_ = said(30, "InfusionCompleted", treatment=1, number=1)
    told = counted([*asked, *accepted, said(14, "AcceptanceChosen", submission="s1"), late, given_])
    assert told["centre_infused", "centre-1"].count == 1
    assert told["centre_accepted", "centre-3"].count == 1
    gone = counted(
        [
            *asked,
            *accepted,
            said(14, "AcceptanceChosen", submission="s1"),
            said(14, "SubmissionWithdrawn", submission="s1"),
            late,
            given_,
        ]
    )
    assert ("centre_infused", "centre-3") in gone, "the one chosen was taken back"
    assert ("centre_infused", "centre-2") in counted([*asked, *accepted, given_]), "the control"


def test_a_case_taken_up_again_goes_on_in_its_stage_and_stood_in_none_before() -> None:
    events = [
        said(0, "CaseOpened", country="IN"),
        said(2, "JourneyLeft", reason="withdrawn", stage="inquiry"),
        said(2, "StageEntered", stage="closed"),
        said(90, "CaseReopened", stage="inquiry"),
        said(93, "StageEntered", stage="records"),
    ]
    told = counted(events)
    assert set(told) == {("stage", "inquiry")}
    assert (told["stage", "inquiry"].count, told["stage", "inquiry"].median) == (2, 2.5)
    over = [
        said(100, "StageEntered", stage="closed"),
        said(150, "FollowUpResumed"),
        said(151, "StageEntered", stage="closed"),
    ]
    assert counted([*events, *over], 0, 200)["stage", "follow_up"].median == 1.0


def test_a_hold_ends_with_the_journey() -> None:
    events = [
        said(0, "CaseOpened", country="IN"),
        said(1, "CaseHeld"),
        said(5, "JourneyLeft", reason="declined", stage="inquiry"),
        said(5, "ObligationOpened", obligation="o1", debtor="hospital"),
        said(9, "ObligationMet", obligation="o1"),
    ]
    assert counted(events)["waiting", "hospital"].median == 4.0


def test_a_case_opened_by_mistake_counts_nowhere() -> None:
    left = said(50, "JourneyLeft", reason="voided", stage="visa")
    assert counted([*JOURNEY, left]) == {}
    assert counted([*JOURNEY, said(50, "JourneyLeft", reason="declined", stage="visa")]), "the control"


def test_what_is_owed_no_longer_was_not_left_undone() -> None:
    events = [
        said(0, "ObligationOpened", obligation="o1", debtor="family"),
        said(1, "ObligationStepTaken", obligation="o1"),
        said(2, "ObligationWithdrawn", obligation="o1"),
    ]
    assert set(counted(events)) == {("waiting", "family")}


def test_of_no_numbers_nothing_is_the_median() -> None:
    assert within([], 0.5) is None
    assert within([4.0], 0.9) == 4.0
    assert within([0.0, 10.0], 0.9) == 9.0


@given(st.lists(st.floats(0, 50), min_size=1, max_size=6), st.floats(0, 60))
@draws(60)
def test_a_period_cut_in_two_counts_the_same_as_the_whole(ends: list[float], cut: float) -> None:
    opened = [said(0, "ObligationOpened", obligation=f"o{n}", debtor="family") for n in range(len(ends))]
    done = [said(end, "ObligationMet", obligation=f"o{n}") for n, end in sorted(enumerate(ends), key=lambda e: e[1])]
    events = [said(0, "CaseOpened"), *opened, *done]

    def count(first: float, until: float) -> int:
        found = counted(events, first, until).get(("waiting", "family"))
        return found.count if found else 0

    assert count(0, cut) + count(cut, 100) == count(0, 100) == len(ends)
