"""The reading room: a mail opens a page, a code by mail opens the dossier, each look is noted, and all of it ends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import expect

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.console.dossier_question import papers
from api.console.text.texts import Texts
from api.http.streams_end import serve
from api.run.http_app import http_app
from domain.stages.eligibility.handing_over import SUMMARY
from domain.stages.eligibility.submissions import SubmitDossier, WithdrawSubmission
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.intake.people import GiveConsent, WithdrawConsent
from domain.stages.records.dossier import CertifyTranslation, DeliverTranslation, OrderTranslation
from domain.stages.records.records import RejectRecord, VerifyRecord
from infra.embedded.server_process import free_port
from infra.identity import visits
from tests.activities.ips_rules import broken
from tests.api.by_mail import House, browser, by_mail, code_in
from tests.api.conftest import CANARY, HOST, NO_LIMIT
from tests.api.console.conftest import violations
from tests.api.submitted import Submitted, stored, submitted


@pytest.fixture(scope="module")
async def house(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with by_mail(postgres, tmp_path_factory.mktemp("mail")) as house:
        yield house


@dataclass
class Clerk:
    """Whoever got the mail, with a browser that keeps cookies and nothing else."""

    house: House
    sent: Submitted
    path: str
    http: httpx2.AsyncClient

    async def code(self) -> str:
        answer = await self.http.post(f"{self.path}/dossier")
        assert answer.status_code == 200, answer.text
        body = await self.house.newest("your code")
        assert CANARY not in body
        return code_in(body)

    async def enter(self, code: str) -> httpx2.Response:
        return await self.http.post(f"{self.path}/dossier", data={"code": code}, follow_redirects=True)

    async def look(self, rest: str = "/dossier") -> httpx2.Response:
        return await self.http.get(self.path + rest)

    async def answer(self, type_: str, **fields: str) -> httpx2.Response:
        return await self.http.post(self.path, data={"type": type_, **fields})

    async def looks(self) -> list[str]:
        rows = await self.house.here.ledger.pool.fetch(
            "select data from event where stream = $1 and data like $2 order by position",
            f"looks-{self.sent.centre}", f"%{self.sent.id}%",
        )  # fmt: skip
        return [re.search('"what": ?"([a-z]+)"', row["data"])[1] for row in rows]  # type: ignore[index] # each has one


async def mailed(house: House) -> tuple[Submitted, str]:
    """A submitted dossier whose mail went out as the worker sends it; the path of the link in it."""
    sent = await submitted(house.here, house.centre)
    await house.perform(sent.id, "submit_dossier")
    body = await house.newest("a dossier for your review")
    assert CANARY not in body
    link = re.search(r"http://\S+", body)
    assert link
    return sent, link[0].removeprefix(f"http://{HOST}")


@pytest.fixture
async def clerk(house: House) -> AsyncIterator[Clerk]:
    sent, path = await mailed(house)
    async with browser(house.app) as http:
        yield Clerk(house, sent, path, http)


async def test_a_clerk_with_nothing_but_a_mail_reads_acknowledges_and_later_accepts(clerk: Clerk) -> None:
    page = await clerk.look("")
    assert page.status_code == 200
    assert f'href="{clerk.path}/dossier"' in page.text
    assert "stays open until this question is decided" in page.text
    assert "can be used once" not in page.text
    door = await clerk.look()
    assert "Send me a code" in door.text
    assert not any(name in door.text for name in clerk.sent.files), "nothing of it before the code"
    room = await clerk.enter(await clerk.code())
    assert room.status_code == 200
    assert (await clerk.sent.state()).number in room.text
    assert CANARY not in room.text
    assert "<script" not in room.text
    for name, content in clerk.sent.files.items():
        kept = await clerk.look(f"/dossier/{name}")
        assert kept.content == content
        assert kept.headers["content-disposition"].startswith("attachment")
        shown = await clerk.look(f"/dossier/{name}?view=1")
        assert shown.headers["content-disposition"].startswith("inline")
        assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert await clerk.looks() == ["dossier", "document", "document", "document", "document"]
    known = (await clerk.sent.state()).submissions[clerk.sent.submission]
    assert set(known.handed) == set(clerk.sent.files)

    got = await clerk.answer("AcknowledgeSubmission", receipt="R-1")
    assert got.status_code == 200
    assert "stays open until you have decided" in got.text
    assert (await clerk.look("")).status_code == 200, "an acknowledgement does not use it up"
    again = await clerk.answer("AcknowledgeSubmission", receipt="R-1")
    assert again.status_code == 200, "pressed twice is once"
    accepted = await clerk.answer("AcceptPatient", clinician="Dr Li")
    assert accepted.status_code == 200, accepted.text
    state = await clerk.sent.state()
    assert state.submissions[clerk.sent.submission].state == "accepted"
    assert (await clerk.look("")).status_code == 410
    assert (await clerk.look()).status_code == 410, "with the question ends the way in"


async def test_a_preview_is_a_look_as_any_other(clerk: Clerk) -> None:
    report, summary = clerk.sent.files
    assert (await clerk.look(f"/dossier/{summary}/preview")).status_code == 303, "nothing before the code"
    room = await clerk.enter(await clerk.code())
    assert f"/dossier/{summary}/preview" in room.text
    before = await clerk.looks()
    shown = await clerk.look(f"/dossier/{summary}/preview")
    assert shown.status_code == 200, shown.text
    assert shown.headers["content-type"] == "image/png"
    assert (await clerk.look(f"/dossier/{report}/preview")).status_code == 422, "it is no whole PDF"
    assert await clerk.looks() == [*before, "document", "document"]
    assert not (await clerk.sent.state()).submissions[clerk.sent.submission].handed, "a picture is not the document"
    await clerk.sent.tell(WithdrawConsent("share_with_hospital", clerk.sent.patient, clerk.sent.centre))
    assert (await clerk.look(f"/dossier/{summary}/preview")).status_code == 410


async def test_a_code_is_used_once_and_by_one_link(clerk: Clerk, house: House) -> None:
    code = await clerk.code()
    assert (await clerk.enter("22222222")).status_code == 403
    assert (await clerk.enter("")).status_code == 403
    _, other = await mailed(house)
    elsewhere = Clerk(house, clerk.sent, other, clerk.http)
    assert (await elsewhere.enter(code)).status_code == 403, "it is of another link"
    tries = await asyncio.gather(*(_fresh(house, clerk, code) for _ in range(4)))
    assert sorted(tries) == [200, 403, 403, 403]


async def _fresh(house: House, clerk: Clerk, code: str) -> int:
    async with browser(house.app) as http:
        return (await Clerk(house, clerk.sent, clerk.path, http).enter(f" {code[:4]} {code[4:].lower()} ")).status_code


async def test_each_visit_needs_a_code_of_its_own(clerk: Clerk, house: House, postgres: str) -> None:
    await clerk.enter(await clerk.code())
    name = next(iter(clerk.sent.files))
    assert (await clerk.look(f"/dossier/{name}")).status_code == 200
    async with browser(house.app) as stranger:
        forwarded = Clerk(house, clerk.sent, clerk.path, stranger)
        assert "Send me a code" in (await forwarded.look()).text
        assert (await forwarded.look(f"/dossier/{name}")).status_code == 303
    connection = await asyncpg.connect(postgres)
    await connection.execute("update capability set expires_at = now() where question = 'visit'")
    await connection.close()
    assert "Send me a code" in (await clerk.look()).text, "half an hour later"
    assert (await clerk.look(f"/dossier/{name}")).status_code == 303


async def test_codes_are_few_and_short_lived(clerk: Clerk, house: House, postgres: str) -> None:
    codes = [await clerk.code() for _ in range(visits.MOST)]
    before = await house.count()
    assert (await clerk.http.post(f"{clerk.path}/dossier")).status_code == 429
    assert await house.count() == before
    connection = await asyncpg.connect(postgres)
    kept = str(await connection.fetch("select * from capability"))
    await connection.execute("update capability set expires_at = now() where question = 'visit code'")
    await connection.close()
    assert not any(code in kept for code in codes)
    assert (await clerk.enter(codes[-1])).status_code == 403, "ten minutes later"


async def test_neither_code_nor_visit_is_a_link(clerk: Clerk) -> None:
    code = await clerk.code()
    await clerk.enter(code)
    secret = clerk.http.cookies["caravel_visit"]
    for token in (secret, f"{clerk.path.rpartition('/')[2]}/{code}"):
        for path in (f"/reply/{token}", f"/reply/{token}/dossier"):
            assert (await clerk.http.get(path)).status_code == 404


ENDS: dict[str, Callable[[Submitted], Coroutine[Any, Any, Any]]] = {
    "consent": lambda s: s.tell(WithdrawConsent("share_with_hospital", s.patient, s.centre)),
    "withdrawn": lambda s: s.tell(WithdrawSubmission(s.submission)),
    "left": lambda s: s.tell(LeaveJourney("declined")),
}


@pytest.mark.parametrize("end", ENDS)
async def test_the_room_is_shut_at_once(clerk: Clerk, end: str) -> None:
    await clerk.enter(await clerk.code())
    name = next(iter(clerk.sent.files))
    assert (await clerk.look(f"/dossier/{name}")).status_code == 200
    before = await clerk.looks()
    await ENDS[end](clerk.sent)
    for rest in ("", "/dossier", f"/dossier/{name}"):
        gone = await clerk.look(rest)
        assert gone.status_code == 410, rest
        assert clerk.sent.files[name] not in gone.content
    assert (await clerk.http.post(f"{clerk.path}/dossier")).status_code == 410, "no code is sent any more"
    assert await clerk.looks() == before


async def test_a_document_that_was_rejected_since_stands_there_and_does_not_open(clerk: Clerk) -> None:
    report = next(iter(clerk.sent.files))
    room = (await clerk.enter(await clerk.code())).text
    assert f"/dossier/{report}" in room
    assert room.count("Medical summary</h2>") == 1
    await clerk.sent.tell(RejectRecord(next(iter((await clerk.sent.state()).records)), "wrong_patient"))
    room = (await clerk.look()).text
    assert "turned out not to be fit" in room
    assert f"/dossier/{report}" not in room
    assert room.count("Medical summary</h2>") == 1, "it is still called by its kind"
    assert (await clerk.look(f"/dossier/{report}")).status_code == 410


async def test_each_file_is_called_by_its_kind_and_its_own_language(clerk: Clerk, house: House) -> None:
    """The original of a translated report is no summary, and the translation is in the language it was made into."""
    sent = clerk.sent
    which, report = next(iter((await sent.state()).records)), next(iter(sent.files))
    translated = await stored(house.here, sent.id, b"%PDF-1.7\ntranslated\n%%EOF")
    await sent.tell(GiveConsent("translation", sent.patient, "1", "en"))
    await sent.tell(OrderTranslation(which, "zh"))
    meta, delivered = Meta("person-4"), DeliverTranslation(which, translated.document, "person-4")
    await house.here.commands.record(CommandRequest(sent.id, meta, delivered, stored=(translated,)))
    await sent.tell(CertifyTranslation(which, "person-5"))
    await sent.tell(VerifyRecord(which, "person-6"))
    await sent.tell(SubmitDossier(sent.submission))
    state = await sent.state()
    shown = list(papers(Texts("en"), state, state.submissions[sent.submission]))
    assert [(one.name, one.words == "Medical summary", one.language) for one in shown] == [
        (translated.document, False, "zh"), (report, False, "en"), (list(sent.files)[1], True, ""),
        (SUMMARY, False, ""),
    ]  # fmt: skip


async def test_the_patient_summary_is_the_last_file_of_the_room(clerk: Clerk, house: House) -> None:
    await clerk.enter(await clerk.code())
    got = await clerk.look(f"/dossier/{SUMMARY}")
    assert (got.status_code, got.headers["content-type"]) == (200, "application/fhir+json")
    assert broken(got.json()) == []
    assert SUMMARY in (await clerk.sent.state()).submissions[clerk.sent.submission].handed


async def test_erasing_a_case_clears_link_code_and_visit(clerk: Clerk, house: House) -> None:
    await clerk.enter(await clerk.code())
    await house.app.state.service.capabilities.clear(clerk.sent.id)
    name = next(iter(clerk.sent.files))
    for rest in ("", "/dossier", f"/dossier/{name}"):
        assert (await clerk.look(rest)).status_code == 404


async def test_the_room_speaks_the_language_of_the_browser(clerk: Clerk) -> None:
    for language, words, direction in (("zh-CN", "发送验证码", "ltr"), ("ar", "أرسل لي رمزًا", "rtl")):
        page = (await clerk.http.get(f"{clerk.path}/dossier", headers={"Accept-Language": language})).text
        assert words in page
        assert f'dir="{direction}"' in page


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_as_a_browser_shows_it(house: House, chromium: Chromium, tmp_path: Path) -> None:
    """At 1440 and 390 pixels, script off, axe-core silent, nothing wider than the window."""
    sent, path = await mailed(house)
    port, stop, ready = free_port(), asyncio.Event(), asyncio.get_running_loop().create_future()
    served = http_app(house.here, limits=NO_LIMIT)
    task = asyncio.create_task(serve(served, "127.0.0.1", port, stop, ready.set_result))
    site = f"http://127.0.0.1:{await ready}"
    for width in (1440, 390):
        context = await chromium.new_context(viewport={"width": width, "height": 900})
        page = await context.new_page()
        await page.goto(site + path)
        await page.get_by_role("link", name="Open the dossier").click()
        await page.get_by_role("button", name="Send me a code").click()
        await expect(page.get_by_label("Code")).to_be_visible()
        await page.screenshot(path=tmp_path / f"code-{width}.png")
        await page.get_by_label("Code").fill(code_in(await house.newest("your code")))
        await page.get_by_role("button", name="Open").click()
        await expect(page.get_by_role("listitem")).to_have_count(len(sent.files) + 1)  # and the patient summary
        assert not await violations(page)
        wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        async with page.expect_download() as download:
            await page.get_by_role("link", name=re.compile("^Download")).first.click()
        await (await download.value).save_as(tmp_path / "kept")
        got = await asyncio.to_thread((tmp_path / "kept").read_bytes)
        assert got == sent.files[(await sent.state()).submissions[sent.submission].documents[0]]
        await page.screenshot(path=tmp_path / f"room-{width}.png", full_page=True)
        await context.close()
    stop.set()
    await task
