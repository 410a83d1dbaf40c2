"""Cases of one person over HTTP: linked, merged with a confirmation that names both, found again by the old number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from activities.effect_handlers.linking import on_cases
from activities.messages import Order
from activities.perform import Performing
from api.console.reply_page import GONE
from api.run.wiring import Parts
from infra.audit.package.container import unpack
from infra.identity.capabilities import Capabilities
from tests.api.conftest import Person
from tests.api.routes.history.test_audit import seal
from tests.api.routes.history.test_evidence import taken
from tests.api.routes.intake.test_duplicates import somebody
from tests.api.routes.test_commands import assert_problem

KIND = "tell_linked_case"


async def carried_out(here: Parts, case: str) -> None:
    """What the worker does with what this case asks of another."""
    handlers = on_cases(here.commands)
    performing = Performing(here.commands, handlers)
    epoch = (await here.ledger.engine()).epoch
    for effect in (await here.commands.case(case))[0].effects.values():
        if effect.pending and effect.kind in handlers:
            await performing.attempt(Order(case, effect.id, epoch), handlers[effect.kind])


async def two(person: Person, **told: Any) -> tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]:
    """Two cases of one person, and what was said of them."""
    body = somebody(**told)
    first = await person.post("/cases", body)
    assert first.status_code == 201, first.text
    other = await person.post("/cases", {**body, "despite_duplicates": "opened by the night desk", "team": "asia"})
    assert other.status_code == 201, other.text
    return first.json(), other.json(), body


async def case_of(person: Person, case: str) -> Mapping[str, Any]:
    answer = await person.get(f"/cases/{case}")
    assert answer.status_code == 200, answer.text
    body: Mapping[str, Any] = answer.json()["case"]
    return body


async def same_person(person: Person, case: str) -> Mapping[str, Any]:
    answer = await person.get(f"/cases/{case}/same-person")
    assert answer.status_code == 200, answer.text
    body: Mapping[str, Any] = answer.json()
    return body


async def merged(here: Parts, supervisor: Person, old: str, new: str) -> None:
    done = await supervisor.send(old, "MergeCase", other=new, reason="one person", confirmed=True)
    assert done.status_code == 200, done.text
    await carried_out(here, old)


async def test_two_cases_are_linked_and_each_shows_what_the_other_has(
    here: Parts, people: Mapping[str, Person]
) -> None:
    supervisor = people["supervisor"]
    one, other, _ = await two(people["coordinator"])
    [found] = (await same_person(supervisor, one["case"]))["perhaps"]
    assert (found["number"], found["grounds"], found["births"]) == (
        other["number"], ["contact", "name", "birth"], "agree"
    )  # fmt: skip
    refused = await people["coordinator"].send(one["case"], "LinkCase", other=other["case"], reason="one person")
    assert_problem(refused, 403, "not_allowed")
    asked = await supervisor.send(one["case"], "LinkCase", other=other["number"], reason="her uncle wrote too")
    assert asked.status_code == 200, asked.text
    assert not (await same_person(supervisor, one["case"]))["linked"], "nobody has said yes yet"
    await carried_out(here, one["case"])
    for case, beside in ((one, other), (other, one)):
        said = await same_person(supervisor, case["case"])
        [line] = said["linked"]
        assert (line["number"], line["kind"], line["open"]) == (beside["number"], "see_also", True)
        assert not said["perhaps"], "the pair is not asked about again"
        assert "PersonAdded" in {fact["type"] for fact in line["facts"]}
    ended = await supervisor.send(other["case"], "UnlinkCase", other=one["case"], reason="a cousin")
    assert ended.status_code == 200, ended.text
    await carried_out(here, other["case"])
    assert not (await same_person(supervisor, one["case"]))["linked"]


async def test_of_a_linked_case_that_may_not_be_seen_only_the_number_is_told(
    here: Parts, people: Mapping[str, Person]
) -> None:
    supervisor = people["supervisor"]
    one, other, _ = await two(supervisor, team="far", owner="person-far")
    await supervisor.send(other["case"], "LinkCase", other=one["case"], reason="one person")
    await carried_out(here, other["case"])
    await supervisor.send(other["case"], "AssignCase", owner="", team="asia")
    [line] = (await same_person(people["coordinator"], other["case"]))["linked"]
    assert line["masked"] is True
    assert "facts" not in line
    [line] = (await same_person(supervisor, other["case"]))["linked"]
    assert line["facts"]


async def test_a_merge_asks_first_and_names_both(people: Mapping[str, Person]) -> None:
    supervisor = people["supervisor"]
    old, new, _ = await two(supervisor)
    asked = await supervisor.send(old["case"], "MergeCase", other=new["case"], reason="one person")
    assert_problem(asked, 409, "missing")
    assert old["number"] in asked.json()["detail"]
    assert new["number"] in asked.json()["detail"]
    assert asked.json()["errors"][0]["pointer"] == "#/confirmed"
    assert (await case_of(supervisor, old["case"]))["link_asked"] is None


@pytest.mark.parametrize("other", ["case-nobody", "4821-7730-5", "4821-7730-6", "a poem"])
async def test_no_such_case_is_refused_at_its_field(people: Mapping[str, Person], other: str) -> None:
    supervisor = people["supervisor"]
    case = (await supervisor.open())["case"]
    refused = await supervisor.send(case, "LinkCase", other=other, reason="one person")
    assert refused.status_code in (404, 422), refused.text
    assert refused.json()["errors"][0]["pointer"] == "#/other"


async def test_a_merged_case_says_everywhere_where_to_go(here: Parts, people: Mapping[str, Person]) -> None:
    supervisor = people["supervisor"]
    old, new, body = await two(supervisor)
    await supervisor.send(old["case"], "RequestRecord", kind="pathology")
    now = (await here.commands.case(old["case"]))[2]
    token = await Capabilities(here.ledger).issue(
        old["case"], "effect", "family", "request_record", ["AddNote"], {}, "UTC", now.replace(year=2100)
    )
    await merged(here, supervisor, old["case"], new["case"])
    refused = await supervisor.send(old["case"], "AddNote", kind="note", text="late")
    assert_problem(refused, 409, "merged")
    assert refused.json()["goes_on_as"] == new["number"]
    assert new["number"] in refused.json()["detail"]
    shown = (await supervisor.get(f"/cases/{old['case']}")).json()
    assert (shown["case"]["stage"], shown["case"]["exit"], shown["open"]) == ("closed", "merged", False)
    assert "OrderErasure" in shown["allowed"]
    assert "AddNote" not in shown["allowed"]
    page = await supervisor.get(f"/reply/{token}")
    assert page.status_code == GONE
    assert new["number"] in page.text
    [line] = (await same_person(supervisor, new["case"]))["linked"]
    assert (line["number"], line["kind"]) == (old["number"], "replaces")
    assert [item["kind"] for item in line["documents"]] == ["pathology"]
    assert (await same_person(supervisor, old["case"]))["goes_on_as"] == new["number"]
    found = (await supervisor.get("/cases", q=old["number"])).json()["cases"]
    assert [row["number"] for row in found] == [old["number"], new["number"]]
    assert found[1]["found_as"] == old["number"]
    again = await supervisor.post("/cases", {**body, "despite_duplicates": ""})
    assert_problem(again, 409, "probable_duplicates")
    assert [row["number"] for row in again.json()["cases"]] == [new["number"]], "not the one that was merged"


async def test_an_old_number_leads_through_every_merge(here: Parts, people: Mapping[str, Person]) -> None:
    supervisor = people["supervisor"]
    first, second, body = await two(supervisor)
    third = (await supervisor.post("/cases", {**body, "despite_duplicates": "and again"})).json()
    await merged(here, supervisor, first["case"], second["case"])
    refused = await supervisor.send(third["case"], "MergeCase", other=first["case"], reason="one person")
    assert_problem(refused, 409, "merged")
    assert second["number"] in refused.json()["detail"]
    await merged(here, supervisor, second["case"], third["case"])
    assert (await same_person(supervisor, first["case"]))["goes_on_as"] == third["number"]
    found = (await supervisor.get("/cases", q=first["number"])).json()["cases"]
    assert [row["number"] for row in found] == [first["number"], third["number"]]


async def test_two_merges_into_each_other_leave_both_as_they_were(here: Parts, people: Mapping[str, Person]) -> None:
    supervisor = people["supervisor"]
    one, other, _ = await two(supervisor)
    for case, into in ((one, other), (other, one)):
        asked = await supervisor.send(case["case"], "MergeCase", other=into["case"], reason="one", confirmed=True)
        assert asked.status_code == 200, asked.text
    for case in (one, other):
        await carried_out(here, case["case"])
    stands = [await case_of(supervisor, case["case"]) for case in (one, other)]
    assert [case["stage"] for case in stands].count("closed") == 1, "the second was no longer about to be merged"
    events = [(await supervisor.get(f"/cases/{case['case']}/events")).json()["events"] for case in (one, other)]
    refusals = [e["data"]["code"] for told in events for e in told if e["type"] == "CaseLinkRefused"]
    assert refusals == ["not_now"]


async def order(here: Parts, case: str) -> Any:
    return (await here.commands.case(case))[0].erasure


async def test_an_erasure_names_the_other_cases_and_is_ordered_there(here: Parts, people: Mapping[str, Person]) -> None:
    supervisor, quality = people["supervisor"], people["quality"]
    old, new, _ = await two(supervisor)
    await merged(here, supervisor, old["case"], new["case"])
    await supervisor.send(new["case"], "LeaveJourney", reason="declined")
    asked = await quality.send(new["case"], "OrderErasure", reason="consent_withdrawn")
    assert [(one["number"], one["kind"]) for one in asked.json()["same_person"]] == [(old["number"], "replaces")]
    await supervisor.send(new["case"], "ConfirmErasure", order=(await order(here, new["case"])).order)
    assert await order(here, old["case"]) is None
    await carried_out(here, new["case"])
    there = await order(here, old["case"])
    assert (there.reason, there.by, there.confirmed_by) == ("consent_withdrawn", quality.id, "")
    owed = (await supervisor.get(f"/cases/{old['case']}/agenda")).json()["obligations"]
    assert "erasure_confirmation" in {one["kind"] for one in owed}
    itself = await quality.send(old["case"], "ConfirmErasure", order=there.order)
    assert_problem(itself, 403, "four_eyes")
    done = await supervisor.send(old["case"], "ConfirmErasure", order=there.order)
    assert done.status_code == 200, done.text
    await carried_out(here, old["case"])  # and back: there it is ordered already
    effects = (await here.commands.case(old["case"]))[0].effects.values()
    assert [e.state for e in effects if e.kind == "erase_linked_case"] == ["delivered"]


async def test_where_the_journey_goes_on_a_person_sees_to_the_erasure(
    here: Parts, people: Mapping[str, Person]
) -> None:
    supervisor, quality = people["supervisor"], people["quality"]
    one, other, _ = await two(supervisor)
    await supervisor.send(one["case"], "LinkCase", other=other["case"], reason="one person")
    await carried_out(here, one["case"])
    await supervisor.send(one["case"], "LeaveJourney", reason="declined")
    await quality.send(one["case"], "OrderErasure", reason="consent_withdrawn")
    await supervisor.send(one["case"], "ConfirmErasure", order=(await order(here, one["case"])).order)
    await carried_out(here, one["case"])
    assert await order(here, other["case"]) is None
    case = (await here.commands.case(one["case"]))[0]
    [effect] = [e for e in case.effects.values() if e.kind == "erase_linked_case"]
    assert effect.state == "refused"
    assert [o.kind for o in case.obligations.values() if o.state == "open" and effect.id in o.about] == [
        "settle_effect"
    ]


async def test_the_evidence_package_of_one_names_the_other(here: Parts, people: Mapping[str, Person]) -> None:
    supervisor = people["supervisor"]
    old, new, _ = await two(supervisor)
    await merged(here, supervisor, old["case"], new["case"])
    alone = (await supervisor.open())["case"]
    await seal(here)
    there = f"{new['case']}: goes on in place of this one"
    back = f"{old['case']}: was merged into this one"
    reports = [await taken(supervisor, case, "regulator") for case in (old["case"], new["case"], alone)]
    told = [unpack(one)["report.html"].decode() for one in reports]
    assert [there in one for one in told] == [True, False, False]
    assert [back in one for one in told] == [False, True, False]
    assert ["Same person" in unpack(one)["README.txt"].decode() for one in reports] == [True, True, False]


async def test_birth_dates_that_contradict_each_other_want_a_reason(people: Mapping[str, Person]) -> None:
    supervisor = people["supervisor"]
    one = (await supervisor.post("/cases", somebody(birth="1980-03-02"))).json()
    other = (await supervisor.post("/cases", somebody(birth="1990-03-02"))).json()
    told = {"other": other["case"], "reason": "one person"}
    refused = await supervisor.send(one["case"], "LinkCase", **told)
    assert_problem(refused, 422, "invalid")
    assert refused.json()["errors"][0]["pointer"] == "#/despite_birth"
    asked = await supervisor.send(one["case"], "LinkCase", **told, despite_birth="a passport with a wrong year")
    assert asked.status_code == 200, asked.text


async def test_the_pages_show_the_link_what_the_other_has_and_where_it_goes_on(
    here: Parts, people: Mapping[str, Person]
) -> None:
    supervisor = people["supervisor"]
    old, new, _ = await two(supervisor)
    page = (await supervisor.get(f"/console/cases/{old['case']}/same-person")).text
    assert new["number"] in page
    assert f"/console/cases/{old['case']}/do/MergeCase?other={new['case']}" in page
    await supervisor.send(old["case"], "RequestRecord", kind="pathology")
    await merged(here, supervisor, old["case"], new["case"])
    beside = await supervisor.get(f"/console/cases/{new['case']}/same-person")
    assert beside.status_code == 200
    assert "Pathology" in beside.text
    assert old["number"] in (await supervisor.get(f"/console/cases/{new['case']}")).text
    closed = (await supervisor.get(f"/console/cases/{old['case']}")).text
    assert f'href="/console/cases/{new["case"]}"' in closed
    assert "/do/AddNote" not in closed
    led = await supervisor.get("/console/", q=old["number"])
    assert led.headers["location"] == f"/console/cases/{new['case']}"
