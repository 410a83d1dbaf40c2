"""The doctor at home reads the patient's summary behind the hand-over's link: by a code, while the family agrees."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx2
import pytest

from activities.command_handler import CommandRequest
from activities.ports import Meta
from domain.case.stage import Stage
from domain.case.state import Case
from domain.core.when import When
from domain.stages.intake.importing import ImportFacts
from domain.stages.intake.inquiry import OpenCase
from domain.stages.intake.people import AddPerson, GiveConsent, Purpose, WithdrawConsent
from infra.ids import fresh_stream
from tests.api.by_mail import House, browser, by_mail, code_in, noon
from tests.api.conftest import CANARY, HOST
from tests.api.submitted import open_protocol

DOCTOR = "rao@clinic.example"
SHARED: Purpose = "share_with_home_doctor"


@dataclass
class AtHome:
    """A doctor who got the mail of a hand-over, and has nothing else."""

    house: House
    case: str
    path: str
    http: httpx2.AsyncClient

    async def state(self) -> Case:
        return (await self.house.here.commands.case(self.case))[0]

    async def tell(self, command: Any) -> Case:
        return (await self.house.here.commands.record(CommandRequest(self.case, Meta("person-owner"), command))).case

    async def enter(self) -> httpx2.Response:
        assert (await self.http.post(f"{self.path}/summary")).status_code == 200
        body = await self.house.newest("your code", DOCTOR)
        assert CANARY not in body
        data = {"code": code_in(body)}
        return await self.http.post(f"{self.path}/summary", data=data, follow_redirects=True)

    async def look(self, rest: str = "/summary") -> httpx2.Response:
        return await self.http.get(self.path + rest)

    async def take_over(self) -> httpx2.Response:
        return await self.http.post(self.path, data={"type": "AcceptHandover"})

    async def looks(self) -> int:
        stream = f"looks-home_oncologist-of-{self.case}"
        return len(await self.house.here.ledger.pool.fetch("select 1 from event where stream = $1", stream))


@pytest.fixture(scope="module")
async def house(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with by_mail(postgres, tmp_path_factory.mktemp("mail")) as house:
        yield house


@pytest.fixture
async def doctor(house: House) -> AsyncIterator[AtHome]:
    case = fresh_stream("case")
    protocol = await open_protocol(house.here, house.centre)
    async with browser(house.app) as http:
        one = AtHome(house, case, "", http)
        opened = await one.tell(
            OpenCase("IN", "en", "Asia/Kolkata", CANARY, diagnosis="B-ALL", owner="person-owner", imported=True)
        )
        assert opened.patient
        given = (When.on(date(2026, 9, 1)),)
        await one.tell(AddPerson("home_oncologist", "Dr Rao", noon(), "en", DOCTOR))
        await one.tell(ImportFacts(Stage.FOLLOW_UP, "", "", house.centre, protocol, infusions=given))
        await one.tell(GiveConsent(SHARED, opened.patient.id, "1", "en"))
        await house.perform(case, "send_handover")
        body = await house.newest("hand-over of further care", DOCTOR)
        assert CANARY not in body
        link = re.search(r"http://\S+", body)
        assert link
        one.path = link[0].removeprefix(f"http://{HOST}")
        yield one


async def test_a_doctor_with_nothing_but_a_mail_reads_the_summary_and_takes_over(doctor: AtHome) -> None:
    front = await doctor.look("")
    assert front.status_code == 200
    assert f'href="{doctor.path}/summary"' in front.text
    assert CANARY not in front.text
    door = await doctor.look()
    assert "Send me a code" in door.text
    assert "B-ALL" not in door.text
    assert (await doctor.look("/summary/file")).status_code == 303, "nothing before the code"
    assert await doctor.looks() == 0
    room = await doctor.enter()
    assert room.status_code == 200
    assert '<li dir="auto">B-ALL</li>' in room.text
    assert "Infusion 1 of gene-modified immune cells, 2026-09-01" in room.text
    assert '<bdi>M3</bdi>: <time datetime="2026-12-10">2026-12-10</time>' in room.text, "the plan of the visits"
    assert "<script" not in room.text
    assert await doctor.looks() == 1
    file = await doctor.look("/summary/file")
    assert file.headers["content-type"].startswith("application/fhir+json")
    kinds = [entry["resource"]["resourceType"] for entry in file.json()["entry"]]
    assert kinds[:2] == ["Composition", "Patient"]
    assert "Procedure" in kinds
    assert await doctor.looks() == 2

    done = await doctor.take_over()
    assert "taken over" in done.text
    assert (await doctor.state()).handover == "accepted"
    after = await doctor.look("")
    assert 'name="type"' not in after.text, "nothing is left to answer"
    assert (await doctor.look()).status_code == 200, "and the summary can be read again"


async def test_a_consent_withdrawn_shuts_the_room_and_the_question(doctor: AtHome) -> None:
    await doctor.enter()
    assert (await doctor.look()).status_code == 200, "the control"
    patient = (await doctor.state()).patient
    assert patient
    await doctor.tell(WithdrawConsent(SHARED, patient.id))
    looks = await doctor.looks()
    for rest in ("/summary", "/summary/file", ""):
        shut = await doctor.look(rest)
        assert (shut.status_code, "B-ALL" in shut.text) == (410, False), rest
    assert (await doctor.take_over()).status_code == 410
    assert await doctor.looks() == looks


async def test_a_code_of_another_link_opens_nothing(doctor: AtHome, house: House) -> None:
    wrong = await doctor.http.post(f"{doctor.path}/summary", data={"code": "22222222"})
    assert wrong.status_code == 403
    assert "does not open the summary" in wrong.text
    assert (await doctor.look("/summary/file")).status_code == 303
    for other in ("/dossier", "/translation", "/summary/x"):
        assert (await doctor.look(other)).status_code == 404
