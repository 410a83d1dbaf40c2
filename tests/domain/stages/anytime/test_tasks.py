"""Tasks in hand: one person at a time has one, nobody gets one unasked but by a supervisor, and what is owed stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from activities.views import case_views
from domain.core.errors import Reason
from domain.core.policy import Party
from domain.stages.anytime.holding import Redate
from domain.stages.anytime.tasks import (
    STAFF,
    AcceptTask,
    ClaimTask,
    DeclineTask,
    HandBackTask,
    OfferTask,
    TakeOverTask,
    TaskAccepted,
    TaskClaimed,
    TaskDeclined,
    TaskHandedBack,
    TaskOffered,
    TaskTakenOver,
)
from tests.domain.course import start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.anytime.any_task import OF_TASKS

MEI, AMIR = "person-mei", "person-amir"


def task(j: Journey) -> str:
    return next(o.id for o in j.case.obligations.values() if o.state == "open" and o.debtor in STAFF)


def theirs(j: Journey) -> str:
    return next(o.id for o in j.case.obligations.values() if o.state == "open" and o.debtor not in STAFF)


def claimed(j: Journey) -> object:
    return j.tell(ClaimTask(task(j), MEI))


def offered(j: Journey) -> object:
    return j.tell(ClaimTask(task(j), MEI)).tell(OfferTask(task(j), AMIR, MEI))


def over(j: Journey) -> str:
    return next(o.id for o in j.case.obligations.values() if o.state != "open" and o.debtor in STAFF)


REFUSALS = (
    No("records", ClaimTask("nothing", MEI), Reason.NOT_FOUND, "no such task in this case"),
    No("records", lambda j: ClaimTask(over(j), MEI), Reason.NOT_NOW, "the task is met"),
    No("visa", lambda j: ClaimTask(theirs(j), MEI), Reason.NOT_NOW, "nobody of the service; it can be chased"),
    No("records", lambda j: ClaimTask(task(j), MEI), Reason.ALREADY, "you have this task in hand", claimed),
    No("records", lambda j: ClaimTask(task(j), AMIR), Reason.NOT_NOW, "ask them to hand it back", claimed),
    No("records", lambda j: HandBackTask(task(j), AMIR), Reason.NOT_NOW, "you do not have this task", claimed),
    No("records", lambda j: OfferTask(task(j), "", MEI), Reason.INVALID, "name the colleague"),
    No("records", lambda j: OfferTask(task(j), MEI, MEI), Reason.INVALID, "claim the task instead"),
    No("records", lambda j: OfferTask(task(j), "person-3", AMIR), Reason.NOT_NOW, "only who has this task", claimed),
    No("records", lambda j: OfferTask(task(j), AMIR, MEI), Reason.ALREADY, "they have been asked already", offered),
    No("records", lambda j: AcceptTask(task(j), MEI), Reason.NOT_NOW, "this task was not offered to you", offered),
    No(
        "records",
        lambda j: DeclineTask(task(j), "no", MEI),
        Reason.NOT_NOW,
        "this task was not offered to you",
        offered,
    ),
    No("records", lambda j: DeclineTask(task(j), "", AMIR), Reason.INVALID, "say why you decline", offered),
    No("records", lambda j: TakeOverTask(task(j), "", AMIR), Reason.INVALID, "say why you take it over", claimed),
    No("records", lambda j: TakeOverTask(task(j), "x", MEI), Reason.ALREADY, "you have this task in hand", claimed),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_task_is_claimed_and_handed_back() -> None:
    j = start("records")
    when(j, ClaimTask(task(j), MEI)).then_told(TaskClaimed(task(j), MEI))
    assert j.case.obligations[task(j)].holder == MEI
    when(j, HandBackTask(task(j), MEI)).then_told(TaskHandedBack(task(j)))
    when(j, ClaimTask(task(j), AMIR)).then_told(TaskClaimed(task(j), AMIR))


def test_a_task_changes_hands_only_when_the_colleague_accepts() -> None:
    j = start("records")
    j.tell(ClaimTask(task(j), MEI))
    when(j, OfferTask(task(j), AMIR, MEI)).then_told(TaskOffered(task(j), AMIR, MEI))
    assert j.case.obligations[task(j)].holder == MEI
    when(j, DeclineTask(task(j), "away", AMIR)).then_told(TaskDeclined(task(j), AMIR, "away"))
    assert (j.case.obligations[task(j)].holder, j.case.obligations[task(j)].offered) == (MEI, "")
    j.tell(OfferTask(task(j), AMIR, MEI))
    when(j, AcceptTask(task(j), AMIR)).then_told(TaskAccepted(task(j), AMIR))
    assert (j.case.obligations[task(j)].holder, j.case.obligations[task(j)].offered) == (AMIR, "")


def test_a_supervisor_takes_over_and_an_offer_of_it_ends() -> None:
    j = start("records")
    offered(j)
    when(j, TakeOverTask(task(j), "she is ill", "person-boss")).then_told(
        TaskTakenOver(task(j), "person-boss", "she is ill")
    )
    when(j, AcceptTask(task(j), AMIR)).then_refused(Reason.NOT_NOW, "this task was not offered to you")


def test_what_is_owed_until_when_is_the_same_whoever_has_it_in_hand() -> None:
    j = start("records")
    before = j.case.obligations[task(j)]
    claimed(j)
    assert replace(j.case.obligations[before.id], holder="") == before
    j.tell(Redate(before.id, before.due + DAY, "holiday"))
    assert j.case.obligations[before.id].holder == MEI, "a new date takes nobody's task away"


def test_a_row_says_who_has_it_and_who_was_asked() -> None:
    j = start("records")
    offered(j)
    rows = {row["id"]: (row["holder"], row["offered"]) for row in case_views(j.case).obligations or ()}
    assert rows[task(j)] == (MEI, AMIR)
    assert all(told == (None, None) for o, told in rows.items() if o != task(j))


@for_all(st.lists(st.tuples(st.sampled_from(list(OF_TASKS)), st.integers(0, 1000)), max_size=12))
def test_whatever_is_tried_only_open_tasks_of_the_service_change_hands(
    tries: list[tuple[type[object], int]],
) -> None:
    j = start("records")
    for kind, n in tries:
        held = {o.id: o.holder for o in j.case.obligations.values()}
        command = OF_TASKS[kind](j, n)
        if j.tried(command).refused is not None:
            assert {o.id: o.holder for o in j.case.obligations.values()} == held
            continue
        for o in j.case.obligations.values():
            if o.holder != held.get(o.id, ""):
                assert o.debtor in STAFF
                assert o.state == "open"
                assert o.holder in ("", command.by), "nobody is given a task by somebody else"
        assert all(o.debtor is not Party.FAMILY or not o.offered for o in j.case.obligations.values())
