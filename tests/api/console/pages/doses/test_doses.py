"""Pages of genealogy and recall, from a code that is typed to a hospital that has acknowledged."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from fastapi import FastAPI

from activities.command_handler import AttendedBy, CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.catalogue.centre import RegisterCentre
from domain.doses.lot import ReleaseLot
from domain.doses.unit import HoldUnit
from domain.stages.eligibility.eligibility import AcceptPatient
from tests.agreed import agreed
from tests.api.conftest import CANARY, Person, registered
from tests.api.console.conftest import Browser, browsing, hidden
from tests.api.routes.doses.test_genealogy import lot, material, told
from tests.api.submitted import submitted


@pytest.fixture
async def made(people: Mapping[str, Person], here: Parts) -> Mapping[str, str]:
    """A vector lot, two lots made with it, and a patient who has a unit of the first held."""
    quality, mark = people["quality"], uuid.uuid4().hex[:8]
    vector = await material(quality, "vector_lot", f"LV-{mark}", vector="lentiviral", integrating=True)
    donor = await material(quality, "donor", f"D-{mark}")
    await told(quality, donor, "RecordScreening", marker="HBsAg", result="reactive", sampled="2026-01-05")
    first, second = await lot(quality, f"a-{mark}"), await lot(quality, f"b-{mark}")
    for batch in (first, second):
        await told(quality, batch, "LinkMaterial", parent=vector)
    centre = RegisterCentre(
        f"Hospital {mark}", "Beijing", "CN", "Asia/Shanghai", ("zh",), True, ("cell_therapy",), "itself",
        datetime.now(UTC).date(), "", "quality@hospital.example", "",
    )  # fmt: skip
    await agreed(here.commands, f"centre-{mark}", centre)
    case = await submitted(here, f"centre-{mark}")
    until = datetime.now(UTC) + timedelta(days=20)
    await case.tell(AcceptPatient(case.submission, "Dr Li", until))
    await here.commands.record(CommandRequest(first, Meta("person-z"), ReleaseLot("person-z")))
    await here.commands.record(CommandRequest(first, Meta("engine"), HoldUnit(case.id, f"e-{mark}", until)))
    number = (await case.state()).number
    return {"mark": mark, "vector": vector, "donor": donor, "first": first, "second": second, "number": number,
            "centre": f"Hospital {mark}"}  # fmt: skip


async def test_a_code_leads_to_what_is_made_of_it_units_and_patients(
    browsers: Mapping[str, Browser], made: Mapping[str, str]
) -> None:
    quality = browsers["quality"]
    page = await quality.post("/console/genealogy", csrf=await quality.csrf(), code=f" lv-{made['mark'].upper()} ")
    ids = made["first"], made["second"], made["number"]
    for words in (*ids, "Vector lot", "integrates", "in the freezer: <", "held: <"):
        assert words in page.text, words
    assert f"LV-{made['mark']}" not in str(page.url)
    drawn = page.text.partition('<svg viewBox="0 0 360')[2].partition("</svg>")[0]
    assert f"LV-{made['mark']}" in drawn
    assert drawn.count("<line") == 2, "one to each lot"
    donor = await quality.get(f"/console/genealogy/{made['donor']}")
    assert "HBsAg" in donor.text
    assert "reactive" in donor.text
    missed = await quality.post("/console/genealogy", csrf=await quality.csrf(), code="nothing of the kind")
    assert (missed.status_code, "Nothing has that code" in missed.text) == (404, True)


async def test_a_lot_shows_others_of_the_same_vector_lot(
    browsers: Mapping[str, Browser], made: Mapping[str, str]
) -> None:
    own = (await browsers["quality"].get(f"/console/genealogy/{made['second']}")).text
    assert made["number"] not in own
    shared = (await browsers["quality"].get(f"/console/genealogy/{made['second']}?shared=true")).text
    assert made["number"] in shared
    assert made["first"] in shared


async def test_a_drill_is_opened_and_each_hospital_entered(
    browsers: Mapping[str, Browser], made: Mapping[str, str]
) -> None:
    quality = browsers["quality"]
    form = hidden((await quality.get(f"/console/genealogy/{made['vector']}")).text)
    opened = await quality.post("/console/recalls", **form, reason="yearly", drill="yes")
    assert "not yet acknowledged" in opened.text
    assert made["number"] in opened.text
    again = await quality.post("/console/recalls", **form, reason="yearly", drill="yes")
    assert again.url == opened.url, "sent twice, it is one"
    listed = (await quality.get("/console/recalls")).text
    assert made["centre"] in listed
    entered = await quality.post(f"{opened.url.path}/acknowledged", **hidden(opened.text), said_by="Dr Wu")
    assert "Dr Wu" in entered.text
    assert ">over<" in entered.text


async def one_more_patient(here: Parts, made: Mapping[str, str], recall: str) -> None:
    """Another patient of the hospital has a unit held, and the engine has looked at the recall since."""
    case = await submitted(here, f"centre-{made['mark']}")
    until = datetime.now(UTC) + timedelta(days=20)
    await case.tell(AcceptPatient(case.submission, "Dr Li", until))
    await here.commands.record(CommandRequest(made["second"], Meta("person-z"), ReleaseLot("person-z")))
    await here.commands.record(CommandRequest(made["second"], Meta("engine"), HoldUnit(case.id, "e-more", until)))
    await here.commands.record(CommandRequest(recall, Meta("engine"), attended_by=AttendedBy(1 << 30)))


async def test_a_hospitals_clerk_acknowledges_in_their_own_name(
    browsers: Mapping[str, Browser], made: Mapping[str, str], app: FastAPI, here: Parts
) -> None:
    quality = browsers["quality"]
    form = hidden((await quality.get(f"/console/genealogy/{made['vector']}")).text)
    opened = await quality.post("/console/recalls", **form, reason="yearly", drill="yes")
    clerk = await browsing(app, await registered(here, "hospital", f"centre-{made['mark']}"))
    stranger = await browsing(app, await registered(here, "hospital", "centre-elsewhere"))
    page = await clerk.get("/hospital/recalls")
    assert made["number"] in page.text
    assert made["number"] not in (await stranger.get("/hospital/recalls")).text
    path = opened.url.path.replace("/console/recalls", "/hospital/recalls")
    foreign = hidden((await stranger.get("/hospital/recalls")).text)
    assert (await stranger.post(path, csrf=foreign["csrf"])).status_code == 404
    assert (await clerk.post(path, csrf="x")).status_code == 403
    await one_more_patient(here, made, opened.url.path.rpartition("/")[2])
    early = await clerk.post(path, **hidden(page.text))
    assert (early.status_code, "another patient or unit was found" in early.text) == (412, True), (
        "one of whom they know nothing"
    )
    form = hidden((await clerk.get("/hospital/recalls")).text)
    silent = await clerk.post(path, **form, **{"fate-0": "kept_apart"})
    assert silent.status_code == 422, "a unit is left out"
    done = await clerk.post(path, **form, **{"fate-0": "kept_apart", "fate-1": "not_here"})
    assert done.status_code == 200, done.text
    after = (await quality.get(opened.url.path)).text
    assert f"hospital {CANARY}" in unescape(after), "by the name they are registered with"
    assert ">over<" in after
    for words in ("kept apart, untouched", "not with us"):
        assert words in after
    assert (await quality.get("/hospital/recalls")).status_code == 404


async def test_they_are_for_quality_assurance(browsers: Mapping[str, Browser], made: Mapping[str, str]) -> None:
    for role in ("coordinator", "auditor", "operator", "reviewer"):
        for path in ("/console/genealogy", f"/console/genealogy/{made['vector']}", "/console/recalls"):
            assert (await browsers[role].get(path)).status_code == 403
        assert "/console/genealogy" not in (await browsers[role].get("/console/")).text
