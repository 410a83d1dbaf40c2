"""A translator's mailed link: one file behind a code by mail, its translation handed in there, and then it is over."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import FilePayload, expect

from api.http.streams_end import serve
from api.run.http_app import http_app
from domain.core.errors import Refused
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.intake.people import GiveConsent, WithdrawConsent
from domain.stages.records.dossier import CertifyTranslation, DeliverTranslation, OrderTranslation
from domain.stages.records.records import VerifyRecord, WaiveRecord
from tests.api.by_mail import TRANSLATOR, House, browser, by_mail, code_in
from tests.api.conftest import CANARY, HOST, NO_LIMIT
from tests.api.console.conftest import violations
from tests.api.submitted import Submitted, submitted

TRANSLATED = b"%PDF-1.7\ntranslated\n%%EOF\n"


@dataclass
class Translator:
    """An agency that got the mail, and has nothing else."""

    house: House
    sent: Submitted
    item: str
    path: str
    http: httpx2.AsyncClient

    @property
    def who(self) -> str:
        return f"translator-of-{self.sent.id}"

    async def enter(self) -> httpx2.Response:
        assert (await self.http.post(f"{self.path}/translation")).status_code == 200
        body = await self.house.newest("your code", TRANSLATOR)
        assert CANARY not in body
        data = {"code": code_in(body)}
        return await self.http.post(f"{self.path}/translation", data=data, follow_redirects=True)

    async def look(self, rest: str = "") -> httpx2.Response:
        return await self.http.get(f"{self.path}/translation{rest}")

    async def hand_in(self, content: bytes = TRANSLATED, media: str = "application/pdf") -> httpx2.Response:
        return await self.http.post(f"{self.path}/translation/file", files={"file": ("t.pdf", content, media)})

    async def looks(self) -> int:
        rows = await self.house.here.ledger.pool.fetch("select data from event where stream = $1", f"looks-{self.who}")
        return len(rows)


@pytest.fixture(scope="module")
async def house(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with by_mail(postgres, tmp_path_factory.mktemp("mail")) as house:
        yield house


@pytest.fixture
async def translator(house: House) -> AsyncIterator[Translator]:
    sent = await submitted(house.here, house.centre)
    item = next(iter((await sent.state()).records))
    await sent.tell(GiveConsent("translation", sent.patient, "1", "en"))
    await sent.tell(OrderTranslation(item, "zh"))
    await house.perform(sent.id, "order_translation")
    body = await house.newest("a document to translate", TRANSLATOR)
    assert "from English into Chinese" in body
    assert CANARY not in body
    async with browser(house.app) as http:
        yield Translator(house, sent, item, _path(body), http)


async def test_an_agency_with_nothing_but_a_mail_translates(translator: Translator) -> None:
    report, summary = translator.sent.files
    front = await translator.http.get(translator.path)
    assert front.status_code == 200
    assert f'href="{translator.path}/translation"' in front.text
    door = await translator.look()
    assert "Send me a code" in door.text
    assert "Hand in the translation" not in door.text
    assert (await translator.look("/file")).status_code == 303, "nothing before the code"
    assert await translator.looks() == 0
    room = await translator.enter()
    assert "<dd>en</dd>" in room.text
    assert "<dd>zh</dd>" in room.text
    assert CANARY not in room.text
    assert "<script" not in room.text
    file = await translator.look("/file?view=1")
    assert file.content == translator.sent.files[report]
    assert file.headers["content-disposition"].startswith("inline")
    assert await translator.looks() == 1
    for other in (f"/translation/{summary}", f"/dossier/{summary}", "/dossier"):
        assert (await translator.http.get(translator.path + other)).status_code == 404, "no other file"

    done = await translator.hand_in()
    assert done.status_code == 200, done.text
    assert "has arrived" in done.text
    state = await translator.sent.state()
    item = state.records[translator.item]
    assert (item.state, item.translator) == ("translating", translator.who)
    assert state.stored[item.translation].bytes == len(TRANSLATED)
    for rest in ("", "/file"):
        assert (await translator.look(rest)).status_code == 410
    assert (await translator.hand_in()).status_code == 410
    with pytest.raises(Refused, match="does not review their own work"):
        await translator.sent.tell(CertifyTranslation(translator.item, translator.who))
    await translator.sent.tell(CertifyTranslation(translator.item, "person-other"))
    assert (await translator.sent.state()).records[translator.item].original == report


async def test_what_is_no_document_is_refused_and_the_link_stays(translator: Translator) -> None:
    await translator.enter()
    for content, words in ((b"", "empty"), (b"MZ" + bytes(90), "a program"), (b"\x89PNG\r\n\x1a\n", "not application")):
        refused = await translator.hand_in(content)
        assert refused.status_code == 422, refused.text
        assert words in refused.text
        assert "Hand in the translation" in refused.text
    assert not (await translator.sent.state()).records[translator.item].translation
    assert (await translator.hand_in()).status_code == 200


async def test_without_a_file_the_page_says_what_to_do(translator: Translator) -> None:
    await translator.enter()
    for data in ({}, {"file": "t.pdf"}):
        answer = await translator.http.post(f"{translator.path}/translation/file", data=data)
        assert (answer.status_code, "choose a file first" in answer.text.lower()) == (422, True), answer.text
        assert "Hand in the translation" in answer.text
    assert (await translator.hand_in()).status_code == 200, "the control"


async def test_of_two_that_hand_in_at_once_one_counts(translator: Translator) -> None:
    await translator.enter()
    answers = await asyncio.gather(translator.hand_in(), translator.hand_in(TRANSLATED + b"other"))
    assert sorted(one.status_code for one in answers) == [200, 410]
    events = (await translator.house.here.ledger.load(translator.sent.id)).facts
    assert [one.event.type for one in events].count("TranslationDelivered") == 1


async def test_the_same_file_twice_at_once_is_kept_once(translator: Translator) -> None:
    await translator.enter()
    folder = translator.house.here.settings.document_folder
    before = {one for one in folder.rglob("*") if one.is_file()}
    answers = await asyncio.gather(*(translator.hand_in() for _ in range(4)))
    assert {one.status_code for one in answers} <= {200, 410}
    item = (await translator.sent.state()).records[translator.item]
    after = {one for one in folder.rglob("*") if one.is_file()}
    assert [one.name for one in after - before] == [item.translation], "nothing lies there that no fact names"


async def test_whoever_cannot_take_it_says_so_and_the_link_stays(translator: Translator) -> None:
    said = await translator.http.post(translator.path, data={"type": "AddNote", "text": "no time before May"})
    assert said.status_code == 200, said.text
    assert "has been recorded" in said.text
    assert (await translator.look()).status_code == 200


async def _delivered_by_another(one: Translator) -> None:
    report = next(iter(one.sent.files))
    await one.sent.tell(DeliverTranslation(one.item, report, "person-4"))


ENDS: dict[str, Callable[[Translator], Coroutine[Any, Any, Any]]] = {
    "in": _delivered_by_another,
    "consent": lambda one: one.sent.tell(WithdrawConsent("translation", one.sent.patient)),
    "waived": lambda one: one.sent.tell(WaiveRecord(one.item, "not needed")),
    "left": lambda one: one.sent.tell(LeaveJourney("declined")),
}


@pytest.mark.parametrize("end", ENDS)
async def test_the_link_is_over_at_once(translator: Translator, end: str) -> None:
    await translator.enter()
    assert (await translator.look("/file")).status_code == 200
    await ENDS[end](translator)
    for rest in ("", "/file"):
        assert (await translator.look(rest)).status_code == 410
    assert (await translator.hand_in()).status_code == 410
    assert (await translator.http.post(f"{translator.path}/translation")).status_code == 410, "no code is sent"
    assert await translator.looks() == 1


async def test_an_order_given_anew_has_a_link_of_its_own(translator: Translator) -> None:
    """What is translated a second time is the original; the first link stays over."""
    sent, report = translator.sent, next(iter(translator.sent.files))
    await translator.enter()
    assert (await translator.hand_in()).status_code == 200
    await sent.tell(CertifyTranslation(translator.item, "person-5"))
    await sent.tell(VerifyRecord(translator.item, "person-6"))
    await sent.tell(OrderTranslation(translator.item, "ar"))
    assert (await translator.look()).status_code == 410
    await translator.house.perform(sent.id, "order_translation")
    again = replace(translator, path=_path(await translator.house.newest("a document to translate", TRANSLATOR)))
    room = await again.enter()
    assert "<dd>ar</dd>" in room.text
    assert (await again.look("/file")).content == sent.files[report]


def _path(body: str) -> str:
    found = re.search(r"http://\S+", body)
    assert found
    return found[0].removeprefix(f"http://{HOST}")


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_as_a_browser_shows_it(translator: Translator, chromium: Chromium, tmp_path: Path) -> None:
    """At 390 pixels, axe-core silent, nothing wider than the window; and the file is handed in."""
    house, stop, ready = translator.house, asyncio.Event(), asyncio.get_running_loop().create_future()
    served = http_app(house.here, limits=NO_LIMIT)
    task = asyncio.create_task(serve(served, "127.0.0.1", 0, stop, ready.set_result))
    context = await chromium.new_context(viewport={"width": 390, "height": 900})
    page = await context.new_page()
    await page.goto(f"http://127.0.0.1:{await ready}{translator.path}")
    await page.get_by_role("link", name="Open the file to translate").click()
    await page.get_by_role("button", name="Send me a code").click()
    await page.get_by_label("Code").fill(code_in(await house.newest("your code", TRANSLATOR)))
    await page.get_by_role("button", name="Open").click()
    await expect(page.get_by_label("The translated file")).to_be_visible()
    assert not await violations(page)
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    await page.screenshot(path=tmp_path / "room.png", full_page=True)
    given: FilePayload = {"name": "t.pdf", "mimeType": "application/pdf", "buffer": TRANSLATED}
    await page.get_by_label("The translated file").set_input_files(given)
    await page.get_by_role("button", name="Hand in").click()
    await expect(page.get_by_role("status")).to_contain_text("has arrived")
    await context.close()
    stop.set()
    await task
    assert (await translator.sent.state()).records[translator.item].translation
