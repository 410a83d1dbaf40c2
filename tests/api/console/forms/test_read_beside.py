"""Beside a decision stand the documents it rests on: for those allowed only, each opening recorded, without script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Request, expect

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.catalogue.centre import RegisterCentre
from infra.ids import fresh_stream
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Browser, Screen, hidden, screen, violations
from tests.api.console.forms.test_document_page import kept_by
from tests.api.http.files.test_inspection import WORD, image
from tests.api.http.files.test_previews import paper
from tests.api.submitted import submitted

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def received(here: Parts, coordinator: Person, kind: str, content: bytes, case: str = "") -> tuple[str, str, str]:
    """A record that came in: the case, its id, the name of its file."""
    case = case or str((await coordinator.open())["case"])
    assert (await coordinator.send(case, "RequestRecord", kind=kind)).status_code == 200
    item = next(one.id for one in (await here.commands.case(case))[0].records.values() if one.state == "requested")
    name = await kept_by(coordinator, case, content)
    assert (await coordinator.send(case, "ReceiveRecord", item=item, document=name, language="hi")).status_code == 200
    return case, item, name


async def centre_of(here: Parts) -> str:
    centre = fresh_stream("centre")
    entry = RegisterCentre(
        "Beside", "Shanghai", "CN", "Asia/Shanghai", ("en",), True, ("cell_therapy",), "test", date(2026, 1, 1)
    )  # fmt: skip
    await here.commands.record(CommandRequest(centre, Meta("test", "operation"), entry))
    return centre


async def openings(here: Parts, person: str) -> int:
    """How many times somebody opened a document."""
    rows = await here.ledger.pool.fetch("select data from event where stream = $1", f"looks-{person}")
    return sum('"document"' in str(row["data"]) for row in rows)


async def test_a_document_is_beside_what_verifies_it_and_each_opening_is_recorded(
    mei: Browser, browsers: Mapping[str, Browser], coordinator: Person, here: Parts
) -> None:
    case, item, name = await received(here, coordinator, "pathology", paper("REPORT"))
    before = await openings(here, mei.id)
    page = (await mei.get(f"/console/cases/{case}/do/VerifyRecord?item={item}")).text
    source = f"/cases/{case}/documents/{name}/preview"
    assert f'src="{source}"' in page
    assert await openings(here, mei.id) == before, "the page names it and opens nothing"
    assert (await mei.get(source)).status_code == 200
    assert await openings(here, mei.id) == before + 1
    assert source in (await mei.get(f"/console/cases/{case}/do/VerifyRecord")).text, "the one that can be verified"
    assert "/documents/" not in (await mei.get(f"/console/cases/{case}/do/AddNote")).text


async def test_an_original_is_beside_its_translation(mei: Browser, coordinator: Person, here: Parts) -> None:
    case, item, original = await received(here, coordinator, "labs", paper("ORIGINAL"))
    state = (await here.commands.case(case))[0]
    assert state.patient
    consent = {"person": state.patient.id, "form_version": "1", "language": "en"}
    await coordinator.send(case, "GiveConsent", purpose="translation", **consent)
    ordered = await coordinator.send(case, "OrderTranslation", item=item, into="en")
    assert ordered.status_code == 200, ordered.text
    name = await kept_by(coordinator, case, paper("IN ENGLISH"))
    delivered = await coordinator.send(case, "DeliverTranslation", item=item, document=name)
    assert delivered.status_code == 200, delivered.text
    page = (await mei.get(f"/console/cases/{case}/do/CertifyTranslation?item={item}")).text
    first, second = (page.index(f"documents/{one}/preview") for one in (original, name))
    assert first < second
    assert page[:second].index("original") < page[:second].index("translation</strong>")
    assert "PDF · 1 KiB · hi" in page
    assert "PDF · 1 KiB · en" in page


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("imaging", image("RAO^ASHA"), "Preview: "),
        ("labs", WORD, "There is no preview of files of this type"),
    ],
)
async def test_what_has_no_preview_is_downloaded(
    mei: Browser, coordinator: Person, here: Parts, kind: str, content: bytes, said: str
) -> None:
    case, item, name = await received(here, coordinator, kind, content)
    page = (await mei.get(f"/console/cases/{case}/do/VerifyRecord?item={item}")).text
    assert f'href="/cases/{case}/documents/{name}"' in page
    assert said in page
    assert "<img" not in page


async def test_who_may_not_open_a_document_gets_no_way_to_it(
    browsers: Mapping[str, Browser], coordinator: Person, here: Parts
) -> None:
    case, item, name = await received(here, coordinator, "pathology", paper("REPORT"))
    page = await browsers["operator"].get(f"/console/cases/{case}/do/VerifyRecord?item={item}")
    assert name not in page.text
    if page.status_code == 200:
        assert "Your role does not open this document" in page.text


async def test_a_summary_and_what_it_rests_on_are_beside_its_signature(
    browsers: Mapping[str, Browser], coordinator: Person, here: Parts
) -> None:
    case, item, report = await received(here, coordinator, "pathology", paper("REPORT"))
    await coordinator.send(case, "VerifyRecord", item=item)
    _, _, unread = await received(here, coordinator, "labs", paper("UNREAD"), case)
    summary = await kept_by(coordinator, case, paper("SUMMARY"))
    await coordinator.send(case, "DraftSummary", document=summary)
    path = f"/console/cases/{case}/do/SignSummary"
    page = (await browsers["reviewer"].get(path)).text
    assert f'src="/cases/{case}/documents/{summary}/preview"' in page
    assert f'name="show" value="{report}"' in page, "what it rests on opens when asked for"
    assert f"{report}/preview" not in page
    assert unread not in page, "nobody verified it"
    again = await browsers["reviewer"].post(path, **hidden(page), show=report)
    assert again.status_code == 200
    assert f'src="/cases/{case}/documents/{report}/preview"' in again.text
    assert f'src="/cases/{case}/documents/{summary}/preview"' in again.text
    signed = (await here.commands.case(case))[0].dossier.signed_by
    assert not signed, "to show is not to sign"
    done = await browsers["reviewer"].post(path, **hidden(again.text))
    assert "Recorded" in done.text
    assert (await here.commands.case(case))[0].dossier.signed_by


async def test_a_dossier_is_beside_the_decision_of_a_centre(browsers: Mapping[str, Browser], here: Parts) -> None:
    sent = await submitted(here, await centre_of(here))
    for command in ("AcceptPatient", "DeclinePatient", "RecordCriterion"):
        path = f"/console/cases/{sent.id}/do/{command}?submission={sent.submission}"
        page = (await browsers["supervisor"].get(path)).text
        assert all(f'name="show" value="{name}"' in page for name in sent.files)


def previews(one: Screen) -> Sequence[str]:
    """The previews a page opens by itself, from here on."""
    found = list[str]()

    def note(request: Request) -> None:
        found.extend([request.url] if request.url.endswith("/preview") else [])

    one.page.on("request", note)
    return found


@pytest.mark.parametrize("script", [True, False])
async def test_it_is_side_by_side_or_below_and_opens_only_what_is_unfolded(
    chromium: Chromium, site: str, here: Parts, coordinator: Person, *, script: bool
) -> None:
    sent = await submitted(here, await centre_of(here))
    told = await registered(here, "supervisor")
    one = await screen(chromium, site, told, java_script_enabled=script, viewport={"width": 1440, "height": 900})
    opened = previews(one)
    await one.go(f"/console/cases/{sent.id}/do/AcceptPatient?submission={sent.submission}")
    await one.fill(clinician="Dr Li")
    assert not opened
    await one.page.locator('button[name="show"]').last.focus()
    await one.page.keyboard.press("Enter")
    picture, form = one.page.locator("img.preview"), one.page.locator(".reading form")
    await expect(picture).to_have_js_property("complete", value=True)  # the page was idle before it was asked for
    assert await picture.evaluate("e => e.naturalWidth") > 0, "it is drawn"
    assert await one.page.locator('[name="clinician"]').input_value() == "Dr Li", "what was typed stays"
    assert len(opened) == 1
    shown, beside = await picture.bounding_box(), await form.bounding_box()
    assert shown
    assert beside
    assert beside["x"] + beside["width"] <= shown["x"]
    assert shown["y"] < beside["y"] + beside["height"]
    if script:  # axe is one
        assert not await violations(one.page)
    await one.page.set_viewport_size({"width": 390, "height": 800})
    shown, above = await picture.bounding_box(), await form.bounding_box()
    assert shown
    assert above
    assert above["y"] + above["height"] <= shown["y"]
    assert shown["x"] + shown["width"] <= 390
    await one.page.context.close()
