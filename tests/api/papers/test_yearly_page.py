"""The questions of a year: a mail to the family, a page behind it, and an answer that raises an alert."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from fhir.resources.R4B.questionnaire import Questionnaire

from activities.command_handler import CommandRequest
from activities.ports import Meta
from domain.case.stage import Stage
from domain.case.state import Case
from domain.core.when import When
from domain.stages.follow_up.questions import QUESTIONS
from domain.stages.intake.importing import ImportFacts
from domain.stages.intake.inquiry import OpenCase
from domain.stages.intake.people import AddPerson
from infra.ids import fresh_stream
from tests.api.by_mail import House, browser, by_mail, noon
from tests.api.conftest import CANARY, HOST
from tests.api.submitted import open_protocol

FAMILY = "family@home.example"
NOTHING = {"type": "AnswerYearlyQuestions", **dict.fromkeys(QUESTIONS, "no")}


@pytest.fixture(scope="module")
async def house(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with by_mail(postgres, tmp_path_factory.mktemp("mail")) as house:
        yield house


async def nearly_a_year(house: House) -> str:
    """A case 345 days after the cells: the first year is nearly over."""
    case = fresh_stream("case")
    protocol = await open_protocol(house.here, house.centre)
    given = (When.on((datetime.now(UTC) - timedelta(days=345)).date()),)
    for command in (
        OpenCase("IN", "en", "Asia/Kolkata", CANARY, diagnosis="B-ALL", owner="person-owner", imported=True),
        AddPerson("carer", CANARY, noon(), "en", FAMILY),
        ImportFacts(Stage.FOLLOW_UP, "", "", house.centre, protocol, infusions=given),
    ):
        await house.here.commands.record(CommandRequest(case, Meta("person-owner"), command))
    return case


async def state_of(house: House, case: str) -> Case:
    return (await house.here.commands.case(case))[0]


async def mailed(house: House, case: str) -> str:
    """The path of the page behind the mail."""
    await house.perform(case, "ask_yearly_questions")
    body = await house.newest("questions of this year", FAMILY)
    assert CANARY not in body
    link = re.search(r"http://\S+", body)
    assert link
    return link[0].removeprefix(f"http://{HOST}")


async def test_a_family_answers_behind_its_mail_and_a_new_cancer_raises_the_alert(house: House) -> None:
    case = await nearly_a_year(house)
    path = await mailed(house, case)
    async with browser(house.app) as http:
        page = await http.get(path)
        assert page.status_code == 200
        assert CANARY not in page.text
        assert "B-ALL" not in page.text
        assert all(f"-f-{name}" in page.text for name in QUESTIONS)
        assert 'name="year"' not in page.text, "the link says which year"
        short = await http.post(path, data={**NOTHING, "new_cancer": ""})
        assert short.status_code == 422, "each question has an answer, and be it: not known"
        assert (await state_of(house, case)).yearly == {"Y1/1": ""}
        thanks = await http.post(path, data={**NOTHING, "new_cancer": "yes", "detail": "lymphoma of T cells"})
        assert thanks.status_code == 200
        assert (await http.post(path, data={**NOTHING, "neurologic": "yes"})).status_code == 410, "answered once"
    known = await state_of(house, case)
    assert known.yearly["Y1/1"]
    assert known.heard
    states = {o.kind: o.state for o in known.obligations.values()}
    assert (states["yearly_questions"], states["safety_alert"]) == ("met", "open")
    assert "tell_centre_of_alert" in {e.kind for e in known.effects.values()}


async def test_control_a_year_without_harm_raises_none(house: House) -> None:
    case = await nearly_a_year(house)
    path = await mailed(house, case)
    async with browser(house.app) as http:
        assert (await http.post(path, data=NOTHING)).status_code == 200
    known = await state_of(house, case)
    assert known.yearly["Y1/1"]
    assert "safety_alert" not in {o.kind for o in known.obligations.values()}


async def test_the_questions_are_a_questionnaire_in_the_words_of_the_page(nobody: httpx2.AsyncClient) -> None:
    made = {}
    for language in ("en", "zh", "ar"):
        answer = await nobody.get("/questionnaires/yearly-follow-up", params={"language": language})
        assert answer.headers["content-type"].startswith("application/fhir+json")
        Questionnaire.model_validate(answer.json())
        made[language] = {item["linkId"]: item["text"] for item in answer.json()["item"]}
        assert answer.json()["language"] == language
    assert list(made["en"]) == [*QUESTIONS, "died", "detail"]
    assert made["en"]["serious_infection"] == "A serious infection"
    assert all(len({one[name] for one in made.values()}) == len(made) for name in QUESTIONS), "each has its own words"
    asked = await nobody.get("/questionnaires/yearly-follow-up", headers={"Accept-Language": "ar-EG"})
    assert asked.json()["language"] == "ar"
    wrong = await nobody.get("/questionnaires/yearly-follow-up", params={"language": "tlh"})
    assert (wrong.status_code, wrong.json()["errors"][0]["parameter"]) == (422, "language")
