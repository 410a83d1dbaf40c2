"""A form with a file: sent together, encrypted as it comes in, and neither what was typed nor the file is lost."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser as Chromium
from playwright.async_api import expect

from api.console.forms.uploads import AROUND, Multipart
from api.http.limits import SMALL_FORM
from api.http.problems import Problem
from api.run.wiring import Parts
from tests.api.conftest import Person, client
from tests.api.console.conftest import ORIGIN, Browser, browsing, hidden, screen
from tests.api.routes.test_documents import PDF

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def sent(
    browser: Browser,
    case: str,
    content: Any = PDF,
    media: str = "application/pdf",
    **given: Any,
) -> httpx2.Response:
    """The form as a browser without scripts sends it; None = no file was chosen."""
    form = {"csrf": await browser.csrf(), "who": browser.id, "key": secrets.token_urlsafe(), **given}
    file = ("scan of the report.pdf", content, media) if content is not None else ("", b"", "application/octet-stream")
    address = f"/console/cases/{case}/do/{form.pop('command', 'AttachDocument')}"
    return await browser.http.post(address, data=form, files={"file": file}, headers={"Origin": ORIGIN})


def kept_in(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.rglob("*") if file.is_file()]


async def types(person: Person, case: str) -> list[str]:
    return [e["type"] for e in (await person.get(f"/cases/{case}/events")).json()["events"]]


async def requested(coordinator: Person, here: Parts, mei: Browser) -> tuple[str, str]:
    case = (await coordinator.open(owner=mei.id))["case"]
    await coordinator.send(case, "RequestRecord", kind="pathology")
    return case, next(iter((await here.commands.case(case))[0].records))


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
    case, item = await requested(coordinator, here, mei)
    form = (await mei.get(f"/console/cases/{case}")).text.partition(f"/do/ReceiveRecord?item={item}")
    assert form[1], "one click from the case"
    page = (await mei.get(f"/console/cases/{case}/do/ReceiveRecord?item={item}")).text
    assert f'<option value="{item}" selected>' in page
    assert 'type="file"' in page
    assert 'name="document"' not in page
    given = {"command": "ReceiveRecord", "item": item, "language": "hi", "key": "one key"}
    first, again = [await sent(mei, case, **given) for _ in range(2)]
    assert first.status_code == again.status_code == 303, again.text
    assert "again=1" in again.headers["location"]
    assert (await types(coordinator, case)).count("RecordReceived") == 1


async def test_a_refused_try_keeps_the_file_and_what_was_typed(mei: Browser, coordinator: Person, here: Parts) -> None:
    case, item = await requested(coordinator, here, mei)
    given = {"command": "ReceiveRecord", "language": "hi", "key": "a try"}
    before = set(here.settings.document_folder.glob("*"))
    refused = await sent(mei, case, PDF, item="", **given)
    assert refused.status_code == 404, "the rules know no such record"
    assert "scan of the report.pdf was sent and is kept" in refused.text
    assert 'value="hi"' in refused.text
    assert [f.name for f in set(here.settings.document_folder.glob("*")) - before] in ([], ["aside"]), "named by nobody"
    aside = hidden(refused.text)["aside"]
    taken = await sent(mei, case, None, item=item, aside=aside, **given)
    assert taken.status_code == 303, taken.text
    event = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    name = next(e["data"]["document"] for e in event if e["type"] == "RecordReceived")
    assert (await mei.http.get(f"/cases/{case}/documents/{name}")).content == PDF
    again = await sent(mei, case, None, item=item, aside=aside, **given)
    assert "again=1" in again.headers["location"], "sent twice, recorded once"
    assert (await mei.http.get(f"/cases/{case}/documents/{name}")).content == PDF


async def test_what_waits_is_of_its_case_and_goes_after_a_day(mei: Browser, coordinator: Person, here: Parts) -> None:
    case, item = await requested(coordinator, here, mei)
    given = {"command": "ReceiveRecord", "language": "hi"}
    aside = hidden((await sent(mei, case, **given)).text)["aside"]
    other, same = await requested(coordinator, here, mei)
    foreign = await sent(mei, other, None, command="ReceiveRecord", item=same, language="hi", aside=aside)
    assert foreign.status_code == 422
    assert "choose a file first" in foreign.text
    for file in (here.settings.document_folder / "aside").iterdir():
        os.utime(file, (time.time() - 90_000,) * 2)
    await sent(mei, case, **given)
    gone = await sent(mei, case, None, command="ReceiveRecord", item=item, language="hi", aside=aside)
    assert gone.status_code == 422
    assert "choose a file first" in gone.text
    assert 'name="aside"' not in gone.text, "and nothing is said to be kept"


async def test_others_changed_the_case_meanwhile(mei: Browser, coordinator: Person, here: Parts) -> None:
    case, item = await requested(coordinator, here, mei)
    version = hidden((await mei.get(f"/console/cases/{case}/do/ReceiveRecord")).text)["version"]
    await coordinator.send(case, "AddNote", kind="call", text="it is on its way")
    given = {"command": "ReceiveRecord", "item": item, "language": "hi"}
    stale = await sent(mei, case, version=version, **given)
    assert stale.status_code == 412
    assert "it is on its way" in stale.text
    left = hidden(stale.text)
    assert left["aside"]
    taken = await sent(mei, case, None, version=left["version"], aside=left["aside"], **given)
    assert taken.status_code == 303, taken.text


async def test_the_session_ended_meanwhile(app: FastAPI, mei: Browser, coordinator: Person, here: Parts) -> None:
    case, item = await requested(coordinator, here, mei)
    one = await browsing(app, mei.id)
    address = f"/console/cases/{case}/do/ReceiveRecord"
    shown = hidden((await one.get(address)).text)
    await one.post("/console/sign-out", csrf=shown["csrf"])
    form = {**shown, "item": item, "language": "hi"}
    ended, read = await half_sent(one, address, form)
    assert ended.status_code == 401
    assert hidden(ended.text)["kept"], "what was typed is in the page"
    assert read == LONG, "and the browser could finish sending"
    for strange in ({**form, "shown": ""}, {**form, "shown": "x"}, {**form, "shown": form["csrf"]}):
        ended, read = await half_sent(one, address, strange)
        assert ended.status_code == 401
        assert not hidden(ended.text).get("kept"), "no page of ours was open"
        assert read < 3, "nothing of the file is read for nobody"
    assert "RecordReceived" not in await types(coordinator, case)


LONG = 40


async def half_sent(browser: Browser, address: str, form: dict[str, str]) -> tuple[httpx2.Response, int]:
    """A form whose file comes in parts: the answer, and how many parts were read for it."""
    like = browser.http.build_request("POST", address, data=form, files={"file": ("a.pdf", PDF, "application/pdf")})
    start, read = like.read(), 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal read
        for n in range(LONG):
            read += 1
            yield start[: -len(b"--\r\n") - 40] if n == 0 else PDF * 500

    headers = {"Origin": ORIGIN, "Content-Type": like.headers["content-type"]}
    return await browser.http.post(address, content=parts(), headers=headers), read


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("multipart/form-data;boundary=x" + ";" * 60_000, 401),
        ("multipart/form-data;boundary=" + "x" * 300, 415),
        ("multipart/form-data", 415),
        ('multipart/form-data;boundary="\u00e9', 415),
    ],
)
async def test_whatever_the_type_says_nobody_gets_far(nobody: httpx2.AsyncClient, content: str, status: int) -> None:
    sent = [(b"Content-Type", content.encode("latin-1")), (b"Origin", ORIGIN.encode())]
    answer = await nobody.post("/console/open", content=b"--x--", headers=sent)
    assert answer.status_code == status


TINY = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (TINY * 201, 422),
        (TINY.replace(b'"a"', b'"' + b"a" * 4000 + b'"') * 5, 413),
        (TINY.replace(b"\r\n\r\n\r\n", b"\r\n\r\n" + b"x" * (AROUND + 1)), 413),
        (TINY.replace(b"\r\n\r\n", b";" * 5000 + b"\r\n\r\n"), 422),
    ],
)
async def test_a_form_of_too_much_around_its_file_is_refused(mei: Browser, body: bytes, status: int) -> None:
    headers = {"Origin": ORIGIN, "Content-Type": "multipart/form-data; boundary=b"}
    async with client(mei.http._transport.app) as stranger:  # type: ignore[attr-defined]
        for http in (mei.http, stranger):
            assert (await http.post("/console/open", content=body, headers=headers)).status_code == status


async def test_a_strangers_form_is_small(nobody: httpx2.AsyncClient) -> None:
    for size, status in ((SMALL_FORM - 10, 401), (SMALL_FORM + 1, 413)):
        answer = await nobody.post("/console/open", data={"note": "x" * size}, headers={"Origin": ORIGIN})
        assert answer.status_code == status


async def test_what_cannot_be_taken_is_said(mei: Browser, coordinator: Person, supervisor: Person) -> None:
    case = (await coordinator.open(owner=mei.id))["case"]
    foreign = (await supervisor.open(team="europe", owner="person-else"))["case"]
    wrong = await sent(mei, case, b"MZ", media="application/x-msdownload")
    assert wrong.status_code == 415
    assert 'href="#f-file"' in wrong.text, "the list at the top leads to the file"
    assert (await sent(mei, case, b"no pdf at all")).status_code == 422
    assert (await sent(mei, foreign)).status_code == 404
    assert (await sent(mei, case, csrf="wrong")).status_code == 403
    assert (await sent(mei, case, who="person-else")).status_code == 403
    assert "choose a file first" in (await sent(mei, case, None)).text
    plain = await mei.post(f"/console/cases/{case}/do/AttachDocument", csrf=await mei.csrf(), who=mei.id, key="k")
    assert (plain.status_code, "choose a file first" in plain.text) == (422, True)
    assert "DocumentAttached" not in await types(coordinator, case)


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
    assert (form.pairs, form.filename, form.media) == ([("csrf", "abc")], "a.pdf", "application/pdf")


async def test_what_is_no_form_is_refused() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x" * AROUND

    with pytest.raises(Problem):
        Multipart("text/plain")
    with pytest.raises(Problem):
        [part async for part in Multipart("multipart/form-data; boundary=b").read(body())]


async def test_a_file_is_sent_without_script(
    chromium: Chromium, site: str, mei: Browser, coordinator: Person, here: Parts
) -> None:
    case, item = await requested(coordinator, here, mei)
    one = await screen(chromium, site, mei.id, java_script_enabled=False)
    await one.go(f"/console/cases/{case}/do/ReceiveRecord?item={item}")
    await one.fill(file=PDF, item="", language="hi")
    await one.record()
    await expect(one.page.locator(".wrong")).to_be_visible()
    await expect(one.page.locator(".kept")).to_contain_text("scan.pdf was sent")
    await one.fill(item=item)
    await one.record()
    await expect(one.page.locator(".done")).to_contain_text("Recorded: Document stored, Record received.")
    await one.page.context.close()
