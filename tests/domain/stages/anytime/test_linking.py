"""Cases of one person: linked, unlinked, merged for good; the other case answers, and a merged one takes no more."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as some

from domain.case.stage import Exit, Stage
from domain.case.state import Case
from domain.core.errors import Reason
from domain.core.fact import ENGINE
from domain.core.personal import ERASED
from domain.engine.decide import AFTER_MERGE, taken
from domain.engine.evolve import EVOLVE
from domain.journey import ACCEPTED
from domain.stages.anytime.access import BreakGlass
from domain.stages.anytime.erasing import ConfirmErasure, OrderErasure
from domain.stages.anytime.holding import HoldCase
from domain.stages.anytime.linking import (
    AcceptLink,
    CaseLinkAsked,
    CaseLinked,
    CaseLinkRefused,
    CaseUnlinked,
    ConfirmLink,
    LinkCase,
    MergeCase,
    RefuseLink,
    UnlinkCase,
    noted,
)
from domain.stages.anytime.moving import StageEntered
from domain.stages.anytime.notes import AddNote, SettleEffect
from domain.stages.anytime.outcomes import RecordOutcome
from domain.stages.follow_up.acquired import ConfirmDestruction
from domain.stages.follow_up.closing import JourneyLeft, LeaveJourney, ReopenCase
from domain.stages.intake.duplicates import same_birth
from domain.stages.treatment.bed import HoldBed
from domain.stages.treatment.observations import ReportDeath
from tests.domain.course import start
from tests.domain.journey import Journey, when
from tests.domain.refusals import No

OTHER, NUMBER = "case-2", "1111-2222-3"
LINK, MERGE = LinkCase(OTHER, "one person"), MergeCase(OTHER, "one person", confirmed=True)


def ask(j: Journey, command: LinkCase | UnlinkCase | MergeCase = LINK) -> str:
    j.meet().tell(command)
    return asked_in(j)


def asked_in(j: Journey) -> str:
    assert j.case.link_asked
    return j.case.link_asked.fact


def linked(j: Journey) -> None:
    j.tell(ConfirmLink(ask(j)), ENGINE)


def merged(j: Journey) -> None:
    j.tell(ConfirmLink(ask(j, MERGE)), ENGINE)


def erased(j: Journey) -> None:
    j.tell(OrderErasure("objection", stops="follow_up", by="person-8"))
    assert j.case.erasure
    j.tell(ConfirmErasure(j.case.erasure.order, "person-9"))


def test_a_link_is_asked_of_the_other_case_and_stands_when_it_has_said_yes() -> None:
    j = start("records").meet()
    when(j, LinkCase(OTHER, "the uncle wrote too", by="person-9")).then_told(
        CaseLinkAsked(OTHER, NUMBER, "link", "the uncle wrote too", "", "person-9")
    ).then_asks("tell_linked_case")
    assert not j.case.links, "nobody has said yes yet"
    when(j, ConfirmLink(asked_in(j))).then_told(CaseLinked(OTHER, NUMBER, "see_also")).then_asks()
    assert [(link.number, link.kind) for link in j.case.links.values()] == [(NUMBER, "see_also")]
    assert j.case.stage is Stage.RECORDS, "both go on"
    assert j.case.link_asked is None
    when(j, AddNote("note", "on we go")).then_asks()


def test_the_other_case_says_yes_once() -> None:
    j = start("records")
    yes = AcceptLink("case-3", "4444-5555-6", "link")
    when(j, yes).then_told(CaseLinked("case-3", "4444-5555-6", "see_also"))
    when(j, yes).then()
    when(j, AcceptLink("case-3", "4444-5555-6", "merge")).then_told(CaseLinked("case-3", "4444-5555-6", "replaces"))
    when(j, AcceptLink("case-3", "4444-5555-6", "unlink")).then()
    assert j.case.links["case-3"].kind == "replaces", "a merge is final"
    assert j.case.merged_into is None
    assert j.case.stage is Stage.RECORDS


def closed(j: Journey) -> None:
    j.tell(LeaveJourney("declined"))
    while j.agenda.effects:
        j.deliver()
    assert not j.case.open


def test_two_closed_cases_are_merged_and_the_answer_is_repeated() -> None:
    j = start("records")
    closed(j)
    when(j, AcceptLink("case-3", "4444-5555-6", "merge")).then_told(CaseLinked("case-3", "4444-5555-6", "replaces"))
    when(j, AcceptLink("case-3", "4444-5555-6", "merge", open=True)).then()


def test_a_link_that_was_wrong_ends_in_both() -> None:
    j = start("records")
    linked(j)
    asked = ask(j, UnlinkCase(OTHER, "twins"))
    when(j, ConfirmLink(asked)).then_told(CaseUnlinked(OTHER))
    assert not j.case.links
    j.tell(AcceptLink("case-3", "4444-5555-6", "link"), ENGINE)
    when(j, AcceptLink("case-3", "4444-5555-6", "unlink")).then_told(CaseUnlinked("case-3"))
    assert not j.case.links


def test_what_the_other_case_refused_changes_nothing() -> None:
    j = start("records")
    asked = ask(j, MERGE)
    when(j, RefuseLink(asked, "not_now")).then_told(CaseLinkRefused(OTHER, "merge", "not_now")).then_asks()
    assert j.case.exit is None
    assert j.case.link_asked is None
    merged(j)
    assert j.case.merged_into, "it can be asked again"


def test_a_merged_case_is_closed_with_a_pointer_and_gives_back_what_it_holds() -> None:
    j = start("admission")
    asked = ask(j, MERGE)
    j.tell(ConfirmLink(asked), ENGINE)
    left = JourneyLeft(Exit.MERGED, Stage.ADMISSION, "")
    assert j.decided == [CaseLinked(OTHER, NUMBER, "replaced_by"), left]
    assert StageEntered(Stage.CLOSED, Stage.ADMISSION) in j.last
    while j.agenda.effects:
        j.deliver()
    given_back = {e.kind for e in j.case.effects.values() if e.state == "delivered"}
    assert {"release_dose", "release_bed", "void_letter", "recall_dossier", "cancel_travel"} <= given_back
    assert not j.asked("tell_family_of_exit"), "nobody's journey has ended"
    assert {o.kind for o in j.all_owed()} == {"destruction_confirmation"}


@pytest.mark.parametrize(
    "at", ["opened", "asked_records", "verified", "eligibility", "chosen", "submitted", "accepted", "visa", "planned"]
)
def test_nothing_is_owed_any_more_in_a_merged_case_wherever_it_stood(at: str) -> None:
    j = start(at)
    merged(j)
    while j.agenda.effects:
        j.deliver()
    copies = [s.id for s in j.case.submissions.values() if s.round]
    assert [(o.kind, o.about) for o in j.all_owed()] == [("destruction_confirmation", one) for one in copies]
    for one in copies:
        j.tell(ConfirmDestruction(one))
    assert not j.all_owed()
    assert not j.case.open


def test_a_case_that_was_left_before_keeps_its_reason_and_is_told_to_nobody_again() -> None:
    j = start("records").tell(LeaveJourney("declined"))
    j.deliver()
    j.meet(open=False).tell(MERGE)
    assert j.case.link_asked
    when(j, ConfirmLink(j.case.link_asked.fact)).then_told(CaseLinked(OTHER, NUMBER, "replaced_by")).then_asks()
    assert j.case.exit is Exit.DECLINED


def test_a_merged_case_takes_what_the_law_wants_and_nothing_else() -> None:
    j = start("records")
    merged(j)
    when(j, AddNote("note", "late")).then_refused(Reason.MERGED, f"merged into {NUMBER}")
    when(j, ReopenCase("wrong")).then_refused(Reason.MERGED, f"merged into {NUMBER}")
    when(j, HoldBed("B-1", j.now)).then_refused(Reason.MERGED, f"merged into {NUMBER}")
    j.meet("case-3", "4444-5555-6")
    when(j, LinkCase("case-3", "one person")).then_refused(Reason.MERGED, f"merged into {NUMBER}")
    when(j, AcceptLink("case-3", "4444-5555-6", "merge")).then_refused(Reason.MERGED, f"merged into {NUMBER}")
    assert set(taken(j.case)) == set(ACCEPTED[j.case.stage]) & AFTER_MERGE
    j.tell(BreakGlass("asked by the family", 1, "person-8"))
    erased(j)
    assert j.asked("erase_case")


def test_nobody_changes_a_case_while_it_is_being_merged() -> None:
    j = start("records")
    asked = ask(j, MERGE)
    when(j, AddNote("note", "meanwhile")).then_refused(Reason.NOT_NOW, f"being merged into {NUMBER}")
    when(j, AcceptLink("case-3", "4444-5555-6", "merge")).then_refused(Reason.NOT_NOW, "itself about to be merged")
    when(j, AcceptLink(OTHER, NUMBER, "merge")).then_refused(Reason.NOT_NOW, "itself about to be merged")
    j.tell(RefuseLink(asked, "not_now"), ENGINE)
    j.tell(AddNote("note", "afterwards"))


def test_a_link_is_told_while_a_case_is_on_hold_and_only_we_know_whether_it_was() -> None:
    j = start("records").tell(HoldCase("infection"))
    ask(j)
    [effect] = j.agenda.effects
    assert effect.kind == "tell_linked_case"
    for attempt in range(1, 9):
        if j.case.effects[effect.id].not_before is None and j.case.effects[effect.id].state == "unknown":
            break
        j.wait(until=j.case.effects[effect.id].not_before, deliver=False)
        j.tell(RecordOutcome(effect.id, attempt, "unknown"), ENGINE)
    when(j, SettleEffect(effect.id, "delivered")).then_refused(Reason.NOT_NOW, "the other case was told; try again")
    j.tell(SettleEffect(effect.id, "try_again"))


def test_an_erasure_is_ordered_in_every_other_case_of_the_person() -> None:
    j = start("handed_over")
    for other in ("case-3", "case-4"):
        j.tell(AcceptLink(other, "4444-5555-6", "merge"), ENGINE)
    j.tell(OrderErasure("objection", stops="follow_up", by="person-8"))
    assert not j.asked("erase_linked_case"), "one alone orders nothing"
    assert j.case.erasure
    order = j.case.erasure.order
    j.tell(ConfirmErasure(order, "person-9"))
    assert [e.about for e in j.asked("erase_linked_case")] == [f"{order}/case-3", f"{order}/case-4"]
    [first, _] = j.asked("erase_linked_case")
    j.tell(RecordOutcome(first.id, 1, "refused", code="not_now"), ENGINE)
    assert [o.about for o in j.all_owed("settle_effect")] == [f"{first.id}/0"], "a person sees to it"


REFUSALS = (
    No("records", LINK, Reason.NOT_FOUND, "no such case"),
    No("records", LinkCase("case-1", "x"), Reason.INVALID, "a case is not linked with itself"),
    No("records", LinkCase(OTHER, ""), Reason.INVALID, "say why", lambda j: j.meet()),
    No("records", LINK, Reason.ALREADY, "these cases are linked", linked),
    No("records", LINK, Reason.NOT_NOW, f"case {NUMBER} is being asked; wait for its answer", ask),
    No("records", LINK, Reason.MERGED, "that case was merged into 9-9; name that one",
       lambda j: j.meet(merged_into="9-9")),
    No("records", LINK, Reason.IRREVERSIBLE, "the person of that case was erased", lambda j: j.meet(erased=True)),
    No("handed_over", LINK, Reason.INVALID, "this person was erased", lambda j: erased(j.meet())),
    No("handed_over", AcceptLink("case-3", "4444-5555-6", "link"), Reason.IRREVERSIBLE,
       "the person of this case was erased", erased),
    No("records", LINK, Reason.INVALID, "the birth dates contradict", lambda j: j.meet(births="contradict")),
    No("records", MERGE, Reason.INVALID, "the birth dates contradict", lambda j: j.meet(births="contradict")),
    No("records", MergeCase(OTHER, "x"), Reason.MISSING, f"{NUMBER} goes on; this is final, so confirm it",
       lambda j: j.meet()),
    No("records", MERGE, Reason.NOT_NOW, "that case is closed; reopen it, or", lambda j: j.meet(open=False)),
    No("arrived", MERGE, Reason.IRREVERSIBLE, "the treatment began in this case", lambda j: j.meet()),
    No("handed_over", MERGE, Reason.IRREVERSIBLE, "the treatment began in this case", lambda j: j.meet()),
    No("records", MERGE, Reason.NOT_NOW, "a death is recorded here", lambda j: j.tell(ReportDeath()).meet()),
    No("records", UnlinkCase(OTHER, "x"), Reason.MISSING, "these cases are not linked", lambda j: j.meet()),
    No("records", UnlinkCase("case-3", "x"), Reason.IRREVERSIBLE, "a merge is final",
       lambda j: j.tell(AcceptLink("case-3", "4444-5555-6", "merge"), ENGINE).meet("case-3")),
    No("records", AcceptLink("case-3", "4444-5555-6", "merge", open=True), Reason.NOT_NOW,
       "this case was closed meanwhile; reopen it first", closed),
    No("records", AcceptLink("case-3", "4444-5555-6", "link"), Reason.NOT_NOW, "this case is itself about to be merged",
       lambda j: ask(j, MERGE)),
    No("records", AddNote("note", "x"), Reason.NOT_NOW, f"this case is being merged into {NUMBER}; wait for its answer",
       lambda j: ask(j, MERGE)),
    No("records", AddNote("note", "x"), Reason.MERGED, f"this case was merged into {NUMBER}; go on there", merged),
    No("records", ConfirmLink("nothing"), Reason.NOT_FOUND, "no such link is asked for"),
)  # fmt: skip


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_it_is_refused(no: No) -> None:
    no.check()


def test_a_reason_stands_against_birth_dates_that_contradict_each_other() -> None:
    j = start("records").meet(births="contradict")
    j.tell(LinkCase(OTHER, "one person", "the passport of the other is wrong"))
    [asked] = [e for e in j.last if isinstance(e, CaseLinkAsked)]
    assert asked.despite_birth == "the passport of the other is wrong"


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ("2001-05-20", "2001-05-20", "agree"),
        ("2001-05-20", "2001", "agree"),
        ("2001-05-20", "2001-05-21", "contradict"),
        ("2001", "2002", "contradict"),
        ("2001", "", "unknown"),
        (ERASED, "2001", "unknown"),
    ],
)
def test_what_two_birth_dates_say(one: object, other: object, says: str) -> None:
    assert same_birth(one, other) == same_birth(other, one) == says


def test_what_is_noted_of_another_case_describes_nobody() -> None:
    one, other = start("records").case, start("records")
    merged(other)
    said = noted(one, other.case)
    assert (said.number, said.open, said.merged_into, said.erased) == (
        other.case.number,
        other.case.open,
        NUMBER,
        False,
    )
    assert "Asha" not in str(said)


@given(some.lists(some.sampled_from(list(product((0, 1, 2), (0, 1, 2), ("ask", "answer")))), max_size=24))
def test_cases_never_close_in_a_circle(steps: list[tuple[int, int, str]]) -> None:
    """Three cases that ask each other in any order, each told late: one of them always lives."""
    cases = [start("opened").fork() for _ in range(3)]
    names = [f"case-{n + 10}" for n in range(3)]
    for n, m, what in steps:
        one = cases[n]
        if what == "ask" and n != m:
            one.meet(names[m], f"{m}", open=True, merged_into=_into(cases[m].case))
            one.tried(MergeCase(names[m], "x", confirmed=True))
        elif what == "answer" and (asked := one.case.link_asked):
            there = cases[names.index(asked.other)]
            there.tried(AcceptLink(names[n], f"{n}", asked.kind), ENGINE)
            one.tell(RefuseLink(asked.fact, "no") if there.refused else ConfirmLink(asked.fact), ENGINE)
    assert [c for c in cases if c.case.merged_into is None]
    for one in cases:
        seen, at = set[str](), one
        while into := at.case.merged_into:
            assert into.other not in seen
            seen.add(into.other)
            at = cases[names.index(into.other)]


def _into(case: Case) -> str:
    return case.merged_into.number if case.merged_into else ""


def test_every_event_of_a_link_is_folded() -> None:
    assert {CaseLinkAsked, CaseLinked, CaseUnlinked, CaseLinkRefused} <= set(EVOLVE)
