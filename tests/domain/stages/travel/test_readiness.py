"""What must be there before a family travels: how each stands, what is owed, and what stops the ticket."""

from __future__ import annotations

import pytest

from domain.core.errors import Reason
from domain.stages.follow_up.follow_up import ReturnHome
from domain.stages.travel.arrangement_answers import ConfirmArrangement, RefuseArrangement
from domain.stages.travel.arranging import AskArrangement
from domain.stages.travel.readiness import ITEMS, WAIVABLE, ArrivalItemWaived, WaiveArrivalItem, arrival_items
from domain.stages.travel.travel import BookTravel
from domain.stages.treatment.redosing import DecideRedosing
from tests.domain.course import STEPS, start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.travel.arranged import (
    ask_admission,
    ask_interpreter,
    ask_lodging,
    choose,
    confirm_lodging,
    contact_on_site,
    make_ready,
    newest,
    offer,
    plan_another_day,
    refuse,
)


def states(j: Journey) -> dict[str, str]:
    return {one.kind: one.state for one in arrival_items(j.case)}


def lodging_refused(j: Journey) -> None:
    ask_lodging()(j)
    refuse(j)


REFUSALS = (
    No("invited", WaiveArrivalItem("lodging", ""), Reason.INVALID, "say why they travel without it"),
    No("arrived", WaiveArrivalItem("lodging", "theirs"), Reason.NOT_NOW, "no journey is being prepared"),
    No(
        "planned",
        WaiveArrivalItem("lodging", "theirs"),
        Reason.ALREADY,
        "it is ",
        lambda j: j.tell(WaiveArrivalItem("lodging", "theirs")),
    ),
    No(
        "fit",
        lambda j: BookTravel(j.now + 6 * DAY),
        Reason.LAPSED,
        "arranged, and not as it is needed on arrival: ",
        lodging_refused,
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_after_the_arrival_what_was_used_or_is_over_was_there() -> None:
    j = start("fit")
    ask_admission(j)
    offer(j)
    choose(j)
    j.tell(ConfirmArrangement(newest(j).id, "A-1"))
    make_ready(j)
    for step in list(STEPS)[list(STEPS).index("booking") : list(STEPS).index("admitted") + 1]:
        STEPS[step](j)
        j.deliver()
    j.away(3 * DAY).look()
    assert j.case.entered
    assert [a.state for a in j.case.arrangements.values() if a.kind == "admission"] == ["over"]
    assert [states(j)[kind] for kind in ("visa", "admission", "transfer")] == ["there", "there", "waived"]


def test_at_first_nothing_is_there_and_everything_is_named() -> None:
    found = states(start("planned"))
    assert list(found) == list(ITEMS)
    assert set(found.values()) == {"missing", "there"}
    assert [kind for kind, state in found.items() if state == "there"] == ["letter"]


def test_each_is_asked_then_there() -> None:
    j = start("booking")
    assert (states(j)["ticket"], states(j)["visa"]) == ("asked", "there")
    ask_lodging()(j)
    ask_interpreter(j)
    assert (states(j)["lodging"], states(j)["interpreter"]) == ("asked", "asked")
    j.tell(ConfirmArrangement(newest(j).id))
    ask_admission(j)
    offer(j)
    assert states(j)["admission"] == "asked"
    choose(j)
    j.tell(ConfirmArrangement(newest(j).id))
    contact_on_site(j)
    j.tell(AskArrangement("transfer", "agency", place="PVG")).tell(ConfirmArrangement(newest(j).id, contact="driver"))
    found = states(j)
    assert {kind for kind, state in found.items() if state == "there"} >= {
        "interpreter", "admission", "local_contact", "emergency_number", "transfer"
    }  # fmt: skip


def test_lodging_that_ends_before_the_stay_is_not_there() -> None:
    j = start("planned")
    ask_lodging()(j)
    known = newest(j)
    j.tell(ConfirmArrangement(known.id, ends=known.ends - 30 * DAY, place="12 Garden Road"))
    assert states(j)["lodging"] == "contrary"
    confirm_lodging(j)
    assert states(j)["lodging"] == "contrary", "a yes without days keeps those that were told"
    j.tell(ConfirmArrangement(known.id, starts=known.starts, ends=known.ends))
    assert states(j)["lodging"] == "there"


def test_made_for_another_day_it_is_not_there() -> None:
    j = start("planned")
    ask_lodging()(j)
    confirm_lodging(j)
    assert states(j)["lodging"] == "there"
    plan_another_day(j)
    assert states(j)["lodging"] == "contrary"


def test_a_family_that_needs_no_interpreter_and_no_visa_waits_for_neither() -> None:
    j = start("planned")
    assert states(j)["interpreter"] == "missing"
    plan_another_day(j)  # which says nothing of an interpreter
    assert states(j)["interpreter"] == "not_needed"
    j.source("centre-a", country="IN").look()
    assert (states(j)["visa"], states(j)["letter"]) == ("not_needed", "there")


def test_a_ticket_waits_until_what_was_refused_is_found_or_waived() -> None:
    j = start("fit")
    lodging_refused(j)
    when(j, BookTravel(j.now + 6 * DAY)).then_refused(Reason.LAPSED, "on arrival: lodging")
    found = j.fork()
    ask_lodging("agency")(found)
    assert states(found)["lodging"] == "asked"
    assert found.tell(BookTravel(found.now + 6 * DAY)).case.travel.state == "asked"
    when(j, WaiveArrivalItem("lodging", "a cousin has a flat")).then_told(
        ArrivalItemWaived("lodging", "a cousin has a flat")
    )
    assert j.tell(BookTravel(j.now + 6 * DAY)).case.travel.state == "asked"


def test_once_the_tickets_are_bought_the_rest_is_owed_until_they_depart() -> None:
    j = start("booking")
    assert not j.all_owed("arrival_checklist")
    STEPS["admission"](j)
    assert j.owed("arrival_checklist").due == j.case.stay_plan["departs"]
    make_ready(j)
    assert not j.all_owed("arrival_checklist")
    j.tell(RefuseArrangement(newest(j).id, "other"))
    assert j.all_owed("arrival_checklist"), "the contact on site, and with it the number for emergencies, is gone"


def test_what_is_there_is_not_shown_as_waived_and_papers_are_never() -> None:
    j = start("planned")
    j.tell(WaiveArrivalItem("lodging", "a flat"))
    assert states(j)["lodging"] == "waived"
    ask_lodging()(j)
    confirm_lodging(j)
    assert states(j)["lodging"] == "there"
    assert not {"ticket", "letter", "visa", "emergency_number"} & set(WAIVABLE)


def test_what_was_waived_for_the_first_way_is_not_waived_for_the_way_back_to_another_dose() -> None:
    j = start("fit").tell(WaiveArrivalItem("lodging", "a cousin has a flat"))
    for step in list(STEPS)[list(STEPS).index("booking") : list(STEPS).index("infused") + 1]:
        STEPS[step](j)
        j.deliver()
    assert states(j)["lodging"] == "waived"
    j.tell(DecideRedosing("Dr Li")).tell(ReturnHome())
    assert j.case.returning
    assert states(j)["lodging"] == "missing"
