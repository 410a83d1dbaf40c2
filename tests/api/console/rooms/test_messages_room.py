"""A message to a family: written on the case's page, read and answered behind a mailed link with a code."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.ports import DevSignIn, Limits
from api.run.http_app import http_app
from domain.case.messages.threads import FAMILY
from domain.case.state import Case
from domain.stages.intake.inquiry import OpenCase, ReplyToFamily
from domain.stages.intake.people import AddPerson, GiveConsent, WithdrawConsent
from domain.stages.messages.writing import SendMessage
from domain.stages.records.records import RequestRecord
from infra.ids import fresh_stream
from tests.api.by_mail import House, browser, by_mail, code_in, noon
from tests.api.conftest import CANARY, HOST, NO_LIMIT, SECRET, registered
from tests.api.console.conftest import Browser, browsing, hidden

MAIL = "family@home.example"
SCAN = b"%PDF-1.7\npassport\n%%EOF\n"


@pytest.fixture(scope="module")
async def house(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with by_mail(postgres, tmp_path_factory.mktemp("mail")) as house:
        yield house


@pytest.fixture(scope="module")
async def mei(house: House) -> AsyncIterator[Browser]:
    """The coordinator of the cases here."""
    app = http_app(house.here, dev=DevSignIn(SECRET, frozenset({HOST})), limits=NO_LIMIT)
    async with app.router.lifespan_context(app):
        yield await browsing(app, await registered(house.here, "coordinator"))


async def opened(house: House, mei: Browser) -> str:
    case = fresh_stream("case")
    meta = Meta(mei.id)
    for command in (
        OpenCase("IN", "en", "Asia/Kolkata", CANARY, diagnosis="B-ALL", owner=mei.id, team="asia"),
        AddPerson("carer", CANARY, noon(), "en", MAIL),
    ):
        await house.here.commands.record(CommandRequest(case, meta, command))
    return case


async def state(house: House, case: str) -> Case:
    return (await house.here.commands.case(case))[0]


async def room_of(house: House, case: str) -> str:
    """Send the mail as the worker does, and return the path behind it."""
    await house.perform(case, "write_to_family")
    body = await house.newest("a message for you", MAIL)
    assert CANARY not in body
    link = re.search(r"http://\S+", body)
    assert link
    return link[0].removeprefix(f"http://{HOST}")


async def enter(house: House, http: httpx2.AsyncClient, room: str) -> httpx2.Response:
    assert (await http.post(room)).status_code == 200
    data = {"code": code_in(await house.newest("your code", MAIL))}
    return await http.post(room, data=data, follow_redirects=True)


async def test_a_coordinator_and_a_family_write_to_each_other(house: House, mei: Browser) -> None:
    case = await opened(house, mei)
    path = f"/console/cases/{case}/messages"
    page = await mei.get(path)
    assert "The mail says in English" in page.text
    said = f"Please bring {CANARY} the scan."
    form = {**hidden(page.text), "thread": FAMILY}
    assert (await mei.post(path, **form, text=" ")).status_code == 422, "an empty one is none"
    page = await mei.post(path, **form, text=said)
    assert page.status_code == 200
    assert (said in page.text, "queued" in page.text) == (True, True)
    again = await mei.post(path, **form, text=said)
    assert again.text.count(said) == 1, "the same form sends nothing twice"

    room = await room_of(house, case)
    assert "handed to the mail server" in (await mei.get(path)).text, "nobody knows yet that it was read"
    async with browser(house.app) as http:
        door = await http.get(room)
        assert (door.status_code, CANARY in door.text) == (200, False), "nothing before the code"
        shut = await http.post(f"{room}/answer", data={"text": "let me in"})
        assert shut.status_code == 303
        assert len((await state(house, case)).messages) == 1
        inside = await enter(house, http, room)
        assert said in inside.text
        answer = {"text": "We will, <b>on Monday</b>.", "key": hidden(inside.text)["key"]}
        for _ in range(2):
            sent = await http.post(f"{room}/answer", data=answer, follow_redirects=True)
            assert "We will, &lt;b&gt;on Monday&lt;/b&gt;." in sent.text
        assert (await http.post(f"{room}/answer", data={"text": " ", "key": "x"})).status_code == 422
    known = await state(house, case)
    assert [m.received for m in known.messages.values()] == [False, True], "a form that is sent again adds nothing"
    page = await mei.get(path)
    assert "waits for an answer" in page.text
    assert "answered" in page.text
    assert [o.kind for o in known.obligations.values() if o.state == "open" and o.kind == "incoming_message"]
    seen_to = await mei.post(path, **{**hidden(page.text), "thread": FAMILY, "do": "SettleThread"})
    assert "waits for an answer" not in seen_to.text
    looks = f"looks-family-of-{case}"
    assert await house.here.ledger.pool.fetch("select 1 from event where stream = $1", looks)


async def test_consent_taken_back_shuts_the_room_and_the_page_says_why(house: House, mei: Browser) -> None:
    case = await opened(house, mei)
    patient = (await state(house, case)).patient
    assert patient
    steps = (GiveConsent("data_processing", patient.id, "1", "en"), SendMessage(FAMILY, "How are you?"))
    for command in steps:
        await house.here.commands.record(CommandRequest(case, Meta(mei.id), command))
    room = await room_of(house, case)
    async with browser(house.app) as http:
        assert "How are you?" in (await enter(house, http, room)).text, "the control"
        taken_back = WithdrawConsent("data_processing", patient.id)
        await house.here.commands.record(CommandRequest(case, Meta(mei.id), taken_back))
        for path in (room, room.removesuffix("/messages")):
            shut = await http.get(path)
            assert (shut.status_code, "How are you?" in shut.text) == (410, False)
        assert (await http.post(f"{room}/answer", data={"text": "hello"})).status_code == 410
    page = (await mei.get(f"/console/cases/{case}/messages")).text
    assert "Cannot be written to now" in page
    assert 'name="text"' not in page


async def test_the_family_sees_where_it_stands_and_hands_in_a_document_once(house: House, mei: Browser) -> None:
    case = await opened(house, mei)
    patient = (await state(house, case)).patient
    assert patient
    consent = GiveConsent("data_processing", patient.id, "1", "en")
    for command in (consent, ReplyToFamily("call"), RequestRecord("passport", "family"), SendMessage(FAMILY, "Hello")):
        await house.here.commands.record(CommandRequest(case, Meta(mei.id), command))
    room = await room_of(house, case)
    async with browser(house.app) as http:
        shut = await http.post(f"{room}/file", files={"file": ("scan.pdf", SCAN, "application/pdf")})
        assert (shut.status_code, (await state(house, case)).stored) == (303, {}), "nothing before the code"
        page = (await enter(house, http, room)).text
        for words in ("Where we are", "You have asked us", "Passport: until ", "Your consents", ": given"):
            assert words in page, words
        key = {"key": "one form"}
        for _ in range(2):
            sent = await http.post(
                f"{room}/file", data=key, files={"file": ("scan.pdf", SCAN, "application/pdf")}, follow_redirects=True
            )
            assert (sent.status_code, "A document" in sent.text) == (200, True)
        empty = await http.post(f"{room}/file", data=key)
        assert (empty.status_code, "choose a file first" in empty.text) == (422, True)
    known = await state(house, case)
    came = [m for m in known.messages.values() if m.received]
    assert [m.document for m in came] == list(known.stored), "the same form brings one file"
    desk = (await mei.get(f"/console/cases/{case}/messages")).text
    assert f"/documents/{came[0].document}" in desk


async def test_who_has_the_link_alone_writes_nothing(house: House, mei: Browser) -> None:
    case = await opened(house, mei)
    await house.here.commands.record(CommandRequest(case, Meta(mei.id), SendMessage(FAMILY, "How are you?")))
    room = await room_of(house, case)
    question = room.removesuffix("/messages")
    async with browser(house.app) as http:
        page = await http.get(question)
        assert (page.status_code, f'href="{room}"' in page.text, "<textarea" in page.text) == (200, True, False)
        sent = await http.post(question, data={"type": "ReceiveMessage", "text": "We want no treatment any more."})
        assert sent.status_code == 422
        assert len((await state(house, case)).messages) == 1
        inside = await enter(house, http, room)
        await http.post(f"{room}/answer", data={"text": "Well.", "key": hidden(inside.text)["key"]})
        assert len((await state(house, case)).messages) == 2, "the control"


async def test_no_more_is_taken_of_one_link_than_somebody_writes(house: House, mei: Browser) -> None:
    case = await opened(house, mei)
    await house.here.commands.record(CommandRequest(case, Meta(mei.id), SendMessage(FAMILY, "How are you?")))
    room = await room_of(house, case)
    app = http_app(house.here, limits=Limits(0, 0, sign_in=3))
    async with app.router.lifespan_context(app), browser(app) as http:
        await enter(house, http, room)
        for n in range(3):
            assert (await http.post(f"{room}/answer", data={"text": f"{n}", "key": f"k{n}"})).status_code == 303
        one_more = await http.post(f"{room}/answer", data={"text": "one more", "key": "k3"})
        assert (one_more.status_code, "one more</textarea>" in one_more.text) == (429, True), "it is not lost"
        file = {"file": ("scan.pdf", SCAN, "application/pdf")}
        assert (await http.post(f"{room}/file", data={"key": "k4"}, files=file)).status_code == 429
    known = await state(house, case)
    assert (len(known.messages), known.stored) == (4, {})


async def test_a_stranger_finds_no_room(house: House) -> None:
    async with browser(house.app) as http:
        for path in ("", "/answer"):
            send = http.post if path else http.get
            assert (await send(f"/reply/nothing/messages{path}")).status_code == 404
