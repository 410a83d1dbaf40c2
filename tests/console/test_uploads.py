"""A document from the case's page: the same way as over HTTP, and nothing of it in clear on any disk."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import expect

from api.console.uploads import AROUND, Multipart
from api.problems import Problem
from api.run.wiring import Parts
from tests.api.conftest import Person
from tests.api.test_documents import PDF
from tests.console.conftest import ORIGIN, Browser, screen

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def sent(
    browser: Browser, case: str, content: bytes = PDF, media: str = "application/pdf", **given: str
) -> httpx2.Response:
    form = {"csrf": await browser.csrf(), "key": secrets.token_urlsafe(), **given}
    return await browser.http.post(
        f"/console/cases/{case}/documents",
        data=form,
        files={"file": ("scan of the report.pdf", content, media)},
        headers={"Origin": ORIGIN},
    )


def kept_in(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.rglob("*") if file.is_file()]


async def test_a_file_is_attached_and_comes_back(mei: Browser, coordinator: Person, here: Parts) -> None:
    case = (await coordinator.open(owner=mei.id))["case"]
    answer = await sent(mei, case, PDF * 5000)
    assert answer.status_code == 303, answer.text
    assert "Document attached" in (await mei.get(answer.headers["location"])).text
    event = (await coordinator.get(f"/cases/{case}/events")).json()["events"][-1]["data"]
    assert (event["name"], event["bytes"]) == ("scan of the report.pdf", len(PDF) * 5000)
    back = await mei.http.get(f"/cases/{case}/documents/{event['document']}")
    assert back.content == PDF * 5000
    stored = kept_in(here.settings.home)
    assert stored
    assert not [one for one in stored if b"%PDF-1.7" in one]


async def test_a_record_that_was_asked_for_is_received_once(mei: Browser, coordinator: Person, here: Parts) -> None:
    case = (await coordinator.open(owner=mei.id))["case"]
    await coordinator.send(case, "RequestRecord", kind="pathology")
    item = next(iter((await here.door.case(case))[0].records))
    assert f'<option value="{item}">' in (await mei.get(f"/console/cases/{case}")).text
    first, again = [await sent(mei, case, item=item, language="hi", key="one key") for _ in range(2)]
    assert first.status_code == again.status_code == 303, again.text
    assert "again=1" in again.headers["location"]
    types = [e["type"] for e in (await coordinator.get(f"/cases/{case}/events")).json()["events"]]
    assert types.count("RecordReceived") == 1


async def test_what_cannot_be_taken_is_said(mei: Browser, coordinator: Person, supervisor: Person) -> None:
    case = (await coordinator.open(owner=mei.id))["case"]
    foreign = (await supervisor.open(team="europe", owner="person-else"))["case"]
    assert (await sent(mei, case, b"MZ", "application/x-msdownload")).status_code == 415
    assert (await sent(mei, case, b"no pdf at all")).status_code == 422
    assert (await sent(mei, foreign)).status_code == 404
    assert (await sent(mei, case, csrf="wrong")).status_code == 403
    assert (await mei.post(f"/console/cases/{case}/documents", csrf=await mei.csrf())).status_code == 415
    empty = await mei.http.post(
        f"/console/cases/{case}/documents",
        data={"csrf": await mei.csrf()},
        files={"file": ("", b"", "application/octet-stream")},
        headers={"Origin": ORIGIN},
    )
    assert empty.status_code == 422
    assert "choose a file first" in empty.text
    events = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    assert "DocumentAttached" not in {e["type"] for e in events}


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 4096])
async def test_however_it_is_cut_it_is_the_same_form(size: int) -> None:
    fields = b'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\nabc\r\n'
    head = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    )
    content = b"\r\n--b-not\r\n" * 50
    whole = fields + head + content + b"\r\n--b--\r\n"

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(whole), size):
            yield whole[start : start + size]

    form = Multipart("multipart/form-data; boundary=b")
    assert b"".join([part async for part in form.read(body())]) == content
    assert (form.fields, form.filename, form.media) == ({"csrf": "abc"}, "a.pdf", "application/pdf")


async def test_what_is_no_form_is_refused() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x" * AROUND

    with pytest.raises(Problem):
        Multipart("text/plain")
    with pytest.raises(Problem):
        [part async for part in Multipart("multipart/form-data; boundary=b").read(body())]


async def test_a_file_is_sent_without_script(
    chromium: Chromium, site: str, mei: Browser, coordinator: Person, tmp_path: Path
) -> None:
    case = (await coordinator.open(owner=mei.id))["case"]
    file = tmp_path / "report.pdf"
    file.write_bytes(PDF)
    one = await screen(chromium, site, mei.id, java_script_enabled=False)
    await one.go(f"/console/cases/{case}")
    await one.page.locator("#upload summary").click()
    await one.page.locator('[name="file"]').set_input_files(file)
    await one.page.get_by_role("button", name="Send", exact=True).click()
    await expect(one.page.locator(".done")).to_contain_text("Document attached")
    await one.page.context.close()
