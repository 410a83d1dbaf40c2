"""The policy file: complete, strict, hashed with its calendars, and quiet over fifteen years of neglect."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from domain.case import obligation as obligations
from domain.case.stage import Stage
from domain.case.state import Case
from domain.case.treatment import Infusion, Treatment
from domain.core.fact import Draft, Event
from domain.core.policy import OPENING, Party, Span
from domain.core.when import When
from domain.engine.advance import advance, as_fact
from domain.engine.agenda import agenda
from domain.engine.decide import decide
from domain.engine.evolve import evolve
from domain.journey import OWES
from domain.stages.follow_up.visit_plan import VISITS
from domain.stages.intake.inquiry import OpenCase
from infra.policy.calendars import CALENDARS
from infra.policy.reading import ALSO, KINDS, POLICY, PolicyInvalid, earlier_policy, fingerprint, load_policy

POLICY_NOW = load_policy()
TEXT = POLICY.read_text(encoding="utf-8")
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_every_kind_that_can_be_owed_has_a_ladder_and_none_is_left_over() -> None:
    owed = {row.kind for row in OWES} | {"catch_up", "chase", "chase_again", "recall_acknowledgement"}
    assert owed - set(POLICY_NOW.ladders) == set()
    assert set(POLICY_NOW.ladders) - owed == set()


def test_a_ladder_counts_back_only_from_a_deadline_the_facts_give() -> None:
    anchored = {row.kind for row in OWES if row.due}
    back = {kind for kind, ladder in POLICY_NOW.ladders.items() if ladder.before_due}
    on = {kind for kind, ladder in POLICY_NOW.ladders.items() if ladder.from_facts}
    assert (back | on, back & on) == (anchored, set())
    for kind, ladder in POLICY_NOW.ladders.items():
        assert all((rung.after.amount < 0) == ladder.before_due for rung in ladder.rungs), kind
        assert ladder.due or kind in anchored, kind


def test_deadlines_of_the_domain_reference() -> None:
    due = {kind: ladder.due for kind, ladder in POLICY_NOW.ladders.items()}
    assert due["first_reply"] == Span(1, "working_days")
    assert due["record"] == Span(30, "days")
    assert due["hospital_decision"] == Span(7, "working_days")
    assert due["address_registration"] == Span(24, "hours")
    assert due["handover"] == Span(5, "working_days")
    assert [
        (r.after.amount, r.action, r.to) for r in POLICY_NOW.ladders["stay_end"].rungs if r.action == "escalate"
    ] == [
        (-10, "escalate", Party.SUPERVISOR),
        (-7, "escalate", Party.SUPERVISOR),
    ]
    assert (POLICY_NOW.decision_valid, POLICY_NOW.dose_hold) == (timedelta(days=28), timedelta(days=14))
    assert POLICY_NOW.retry_unknown == (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))


def test_an_urgent_case_is_chased_sooner_and_nothing_closes_it_sooner() -> None:
    """Reckoned from a Monday morning, every urgent ladder ends no later and calls somebody in no later."""
    assert {"first_reply", "hospital_decision", "chase"} <= set(POLICY_NOW.urgent)
    for kind in POLICY_NOW.urgent:
        (due, called), (urgent_due, urgent_called) = [_ends(kind, urgent=urgent) for urgent in (False, True)]
        assert urgent_due <= due, kind
        assert urgent_called <= called, kind
    assert _ends("family_reply", urgent=True)[0] == _ends("family_reply", urgent=False)[0], "silence closes the case"
    assert any(_ends(kind, urgent=True)[1] < _ends(kind, urgent=False)[1] for kind in POLICY_NOW.urgent)


def _ends(kind: str, *, urgent: bool) -> tuple[datetime, datetime]:
    """The deadline, and when somebody else is first called in: at the latest by the chase after it."""
    ladder = POLICY_NOW.ladder(kind, urgent=urgent)
    assert ladder.due
    due = POLICY_NOW.instant(START, ladder.due, "IN")
    called = [POLICY_NOW.instant(START, r.after, "IN", OPENING) for r in ladder.rungs if r.action == "escalate"]
    return due, min([*called, due])


def test_the_hash_covers_both_files_and_no_byte_can_change_sides(tmp_path: Path) -> None:
    assert POLICY_NOW.hash == fingerprint(POLICY.read_bytes(), CALENDARS.read_bytes())
    (tmp_path / "policy.yaml").write_text(TEXT + "# one more remark\n", encoding="utf-8")
    (tmp_path / "calendars.json").write_bytes(CALENDARS.read_bytes() + b"\n")
    hashes = {
        POLICY_NOW.hash,
        load_policy(tmp_path / "policy.yaml").hash,
        load_policy(calendars=tmp_path / "calendars.json").hash,
    }
    assert len(hashes) == 3
    assert fingerprint(b"ab", b"c") != fingerprint(b"a", b"bc")


BAD: list[tuple[str, Callable[[str], str], str]] = [
    ("unknown key", lambda t: t + "\nsurprise: 1\n", "surprise"),
    ("unknown key in a ladder", lambda t: t.replace("  catch_up:  ", "  catch_up: {}\n  x:  "), "ladders"),
    ("unknown lease", lambda t: t.replace("leases:\n", "leases:\n  stray: 1 day\n"), "leases.stray"),
    ("missing ladder", lambda t: t.replace("  translation:\n", "  traduction:\n"), "ladders.translation: missing"),
    ("left-over ladder", lambda t: t.replace("  translation:\n", "  traduction:\n"), "ladders.traduction: nothing"),
    ("wrong unit", lambda t: t.replace("due: 7 working_days ", "due: 7 weeks "), "ladders.hospital_decision.due"),
    ("a bare number", lambda t: t.replace("late_after: 15 minutes", "late_after: 15"), "late_after"),
    ("minutes", lambda t: t.replace("due: 24 hours", "due: 90 minutes"), "ladders.address_registration.due"),
    ("working days in a lease", lambda t: t.replace("dose_hold: 14 d", "dose_hold: 14 working_d"), "leases.dose_hold"),
    ("nothing", lambda t: t.replace("dose_hold: 14 days", "dose_hold: 0 days"), "leases.dose_hold"),
    ("nobody", lambda t: t.replace("remind: translator", "remind: nobody"), "ladders.translation.steps.0.remind"),
    ("both ways", lambda t: t.replace("{before: 6 hours", "{after: 1 day, before: 6 hours"), "ladders.arrival.steps.0"),
    ("step after the deadline", lambda t: t.replace("{after: 18 hours", "{after: 24 hours"), "address_registration"),
    ("same instant twice", lambda t: t.replace("{before: 20 days", "{before: 21 days"), "ladders.stay_end"),
    ("no deadline", lambda t: t.replace("due: 24 hours ", "#"), "ladders.address_registration.due: missing"),
    ("back from nothing", lambda t: t.replace("{after: 6 hours, remind: family}\n      - {after: 18 hours, escalate",
                                              "{before: 6 hours, remind: family}\n      - {before: 1 hour, escalate"),
     "ladders.address_registration.steps"),
    ("no such country", lambda t: t.replace("home_country: IN", "home_country: ZZ"), "home_country"),
    ("Norway", lambda t: t.replace("home_country: IN", "home_country: NO"), "home_country"),
    ("said twice", lambda t: t + "\nname: again\n", "name is written twice"),
    ("steps nobody takes", lambda t: t.replace("\n  chase:", "\n    steps: [{after: 1 day, remind: family}]\n  chase:"),
     "ladders.catch_up.steps"),
    ("urgent and longer", lambda t: t + "  quote_x: {due: 9 days}\n", "urgent.quote_x: nothing of that kind"),
    ("slower when urgent", lambda t: t.replace("  first_reply:\n    due: 4 hours", "  stay_end:\n    steps: "
     "[{before: 9 days, remind: family}]\n  hold_review:\n    due: 90 working_days\n  first_reply:\n    due: 4 hours"),
     "urgent.hold_review.due: 90 working_days is longer"),
    ("empty", lambda _: "", "file"),
    ("not YAML", lambda t: t + "\n{", "not YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "named"), [(c, n) for _, c, n in BAD], ids=[name for name, _, _ in BAD])
def test_a_wrong_file_is_refused_and_the_field_named(change: Callable[[str], str], named: str, tmp_path: Path) -> None:
    wrong = change(TEXT)
    assert wrong != TEXT
    (tmp_path / "policy.yaml").write_text(wrong, encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=named.replace(".", r"\.")):
        load_policy(tmp_path / "policy.yaml")


def test_an_earlier_policy_that_says_a_lease_nothing_reads_any_more_still_opens() -> None:
    earlier = TEXT.replace("leases:\n", "leases:\n  stay: 70 days\n  bed_hold: 7 days\n").encode()
    found = earlier_policy(earlier, CALENDARS.read_bytes(), POLICY_NOW)
    assert found.hash == fingerprint(earlier, CALENDARS.read_bytes())
    assert replace(found, hash=POLICY_NOW.hash) == POLICY_NOW


def test_the_kinds_the_file_is_held_to_are_those_of_the_journey() -> None:
    assert {row.kind for row in OWES} == KINDS - ALSO


def _ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"id-{next(numbers)}"


def _neglected(case: Case, now: datetime, until: datetime, ids: Callable[[], str]) -> Iterator[tuple[datetime, Event]]:
    """What happens by itself to a case nobody ever touches; messages are taken for delivered."""
    while now < until:
        for draft in advance(case, now, ids, POLICY_NOW):
            case = evolve(case, as_fact(draft, case.version + 1, now))
            yield now, draft.event
        case = replace(case, effects={i: replace(e, state="delivered") for i, e in case.effects.items()})
        following = agenda(case, now).wake_at
        if following is None:
            return
        assert following > now
        now = following


def _opened(ids: Callable[[], str]) -> Case:
    case = Case()
    command = OpenCase("IN", "hi", "Asia/Kolkata", "Asha", owner="person-1")
    for event in decide(case, command, START, ids, POLICY_NOW):
        case = evolve(case, as_fact(Draft(event.event, event.id), case.version + 1, START))
    return case


def test_an_inquiry_nobody_answers_for_fifteen_years_is_chased_again_and_again_and_never_often() -> None:
    ids = _ids()
    happened = list(_neglected(_opened(ids), START, START + timedelta(days=365 * 15), ids))
    messages = [now for now, event in happened if event.type == "EffectRequested"]
    assert 15 <= len(messages) <= 15 * 15
    assert max(Counter(messages).values()) == 1
    assert len(happened) < 5 * 15 * 15


def test_a_follow_up_nobody_tends_ends_after_fifteen_years_without_a_burst() -> None:
    ids = _ids()
    infused = Infusion(1, When.at(START), "lot-1", "id-0")
    case = replace(
        _opened(ids),
        stage=Stage.FOLLOW_UP,
        follow_up="open",
        replied="x",
        treatments=(Treatment(1, infusions=(infused,)),),
    )
    happened = list(_neglected(case, START, START + timedelta(days=365 * 17), ids))
    messages = [now for now, event in happened if event.type == "EffectRequested"]
    busiest = max(Counter(now.date() for now in messages).values())
    assert busiest <= 2
    assert len(messages) <= 15 * 15 + 2 * len(VISITS) + 10
    assert [e.type for _, e in happened if e.type in ("FollowUpEnded", "StageEntered")] == [
        "FollowUpEnded",
        "StageEntered",
    ]


def test_after_years_of_outage_one_missed_deadline_is_answered_by_one_new_obligation() -> None:
    ids = _ids()
    case = _opened(ids)
    for draft in advance(case, START, ids, POLICY_NOW):
        case = evolve(case, as_fact(draft, case.version + 1, START))
    late = START + timedelta(days=3 * 365)
    events = [draft.event for draft in advance(case, late, ids, POLICY_NOW)]
    assert [e.type for e in events] == ["ObligationStepSkipped", "ObligationMissed", "ObligationOpened"]
    opened = events[-1]
    assert isinstance(opened, obligations.ObligationOpened)
    assert (opened.kind, opened.due > late) == ("chase", True)
