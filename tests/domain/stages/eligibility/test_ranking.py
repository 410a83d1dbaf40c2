"""A change of the catalogue that puts other ways first is recorded once; the owner is told while it matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.case.phases.submissions import RankedWay
from domain.core.fact import ENGINE
from domain.criteria.checks import Offer
from domain.stages.eligibility.matching import matches
from domain.stages.eligibility.ranking import CATALOGUE, NAMED, FirstRankChanged, changed_first
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.intake.inquiry import StateDiagnosis
from tests.domain.course import CENTRE, STEPS, start
from tests.domain.journey import when
from tests.domain.stages.eligibility.waits import note_first_rank

NOW = datetime(2026, 11, 30, tzinfo=UTC)
BLANK = Offer(protocol="", centre=CENTRE, product="not_said", targets=(), diseases=())


def offer(name: str, door: Any = "open", **more: Any) -> Offer:
    return replace(BLANK, protocol=f"protocol-{name}", door=door, **more)


def first(*before: Offer) -> Any:
    """Before and after, of a case of which little is known."""
    case = start("eligibility").case
    return lambda *after: changed_first(case, before, after, NOW)


def test_it_is_recorded_once_for_each_change_and_the_owner_is_told() -> None:
    j = start("chosen")
    said = note_first_rank(7)
    j.tell(said, ENGINE)
    assert FirstRankChanged(said.before, said.after, 7) in j.last
    assert j.case.first_rank
    assert (j.case.first_rank.before, j.case.first_rank.after) == (said.before, said.after)
    assert [e.state for e in j.asked("tell_owner_of_first_rank")] == ["requested"]
    when(j, said).then()
    when(j, note_first_rank(6)).then()
    j.tell(note_first_rank(8), ENGINE)
    assert j.case.first_rank.position == 8
    told = [e for e in j.case.effects.values() if e.kind == "tell_owner_of_first_rank"]
    assert [e.state for e in told] == ["withdrawn", "requested"], "the newest only"


def test_nothing_is_recorded_once_a_centre_has_accepted_or_the_journey_was_left() -> None:
    accepted = start("acknowledged")
    STEPS["accepted"](accepted)
    when(accepted, note_first_rank()).then()
    left = start("eligibility").tell(LeaveJourney("declined"))
    assert not any(isinstance(e, FirstRankChanged) for e in left.tried(note_first_rank(), ENGINE).last)


def test_who_was_first_and_closed_gives_way_to_the_next_and_says_what_turned() -> None:
    a, b = offer("a"), offer("b", "not_known")
    assert first(a, b)(offer("a", "shut"), b) == ([RankedWay("protocol-a", CENTRE, ("protocol",))],
                                                  [RankedWay("protocol-b", CENTRE)])  # fmt: skip


def test_one_that_comes_into_the_catalogue_or_leaves_it_is_said_to() -> None:
    a, b = offer("a", "not_known"), offer("b")
    assert first(a)(a, b) == ([RankedWay("protocol-a", CENTRE)], [RankedWay("protocol-b", CENTRE, (CATALOGUE,))])
    assert first(b)() == ([RankedWay("protocol-b", CENTRE, (CATALOGUE,))], [])
    assert first()(b) == ([], [RankedWay("protocol-b", CENTRE, (CATALOGUE,))])


def test_one_that_is_still_first_leaves_nothing_to_tell() -> None:
    a, b, shut = offer("a"), offer("b"), offer("c", "shut")
    assert first(a, b)(a) is None
    assert first(a)(a, b) is None
    assert first(shut)(offer("c", takes_patients=False)) is None, "what is excluded is first for nobody"


def test_of_ways_that_share_a_rank_five_are_named() -> None:
    many = [offer(f"{n}") for n in range(9)]
    found = first(*many)(offer("z"))
    assert found is not None
    assert len(found[0]) == NAMED


OFFERS = st.lists(
    st.builds(offer, st.sampled_from("abc"), st.sampled_from(["open", "shut", "not_known"])),
    unique_by=lambda one: one.protocol,
)


@given(OFFERS, OFFERS)
def test_it_is_told_exactly_where_nothing_that_was_first_still_is(before: list[Offer], after: list[Offer]) -> None:
    case = start("eligibility").case

    def leading(found: list[Offer]) -> set[str]:
        ranked = matches(case, found, NOW)
        return {m.offer.protocol for m in ranked if m.rank == 1 and m.standing != "excluded"}

    told = changed_first(case, before, after, NOW)
    was, is_ = leading(before), leading(after)
    assert (told is not None) == (was != is_ and not was & is_)
    if told:
        assert ({w.protocol for w in told[0]}, {w.protocol for w in told[1]}) == (was, is_)


def test_an_approval_that_is_withdrawn_turns_the_first_rank_of_an_open_case() -> None:
    def ways(*, in_force: bool) -> tuple[Offer, ...]:
        sold = offer("sold", approvals=(("B-ALL", in_force),), diseases=("B-ALL",))
        return sold, offer("trial", "not_known", diseases=("B-ALL",))

    case = start("eligibility").tell(StateDiagnosis("B-ALL", disease="b_all")).case
    assert changed_first(case, ways(in_force=True), ways(in_force=True), NOW) is None, "the control"
    told = changed_first(case, ways(in_force=True), ways(in_force=False), NOW)
    assert told
    assert [way.protocol for way in told[1]] == ["protocol-trial"]
    assert ("approval",) in [way.turned for way in told[0]]
