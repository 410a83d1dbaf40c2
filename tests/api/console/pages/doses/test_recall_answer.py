"""The page behind a recall's mail: exactly the hospital's units and patients, once, without a sign-in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx2
import pytest

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.recalls.recall import OpenRecall, Recall
from infra.identity.capabilities import recall_links
from infra.ids import fresh_stream
from tests.api.conftest import CANARY
from tests.api.console.conftest import hidden
from tests.api.console.pages.doses.test_doses import made, one_more_patient

__all__ = ["made"]


async def _recall(here: Parts, stream: str) -> Recall:
    state, _ = await here.commands.driven(stream)
    assert isinstance(state, Recall)
    return state


@pytest.fixture
async def recall(here: Parts, made: Mapping[str, str]) -> str:
    stream = fresh_stream("recall")
    told = OpenRecall(made["vector"], CANARY, drill=True)
    await here.commands.record(CommandRequest(stream, Meta("person-q"), told))
    return stream


@pytest.fixture
async def path(here: Parts, made: Mapping[str, str], recall: str) -> str:
    return await link(here, made, recall, datetime.now(UTC) + timedelta(days=1))


async def link(here: Parts, made: Mapping[str, str], stream: str, until: datetime) -> str:
    state = await _recall(here, stream)
    [effect] = [e for e in state.effects.values() if e.kind == "ask_acknowledgement"]
    make = recall_links(here.ledger, "https://caravel.example")
    return urlsplit(await make(state, effect, f"centre-{made['mark']}", "Asia/Shanghai", until)).path


async def test_it_lists_exactly_its_units_and_patients_and_names_nobody(
    nobody: httpx2.AsyncClient, made: Mapping[str, str], path: str
) -> None:
    page = await nobody.get(path)
    assert page.status_code == 200
    assert made["number"] in page.text
    assert re.findall(r'<select [^>]*name="([^"]+)"', page.text) == ["fate-0"]
    assert f"a-{made['mark']}" in page.text
    assert f"b-{made['mark']}" not in page.text, "nobody's unit of the other lot is not theirs"
    for word in (CANARY, "case-", "<script"):
        assert word not in page.text
    assert page.headers["cache-control"] == "no-store"


async def test_an_answer_is_recorded_once_and_ends_the_recall(
    nobody: httpx2.AsyncClient, here: Parts, made: Mapping[str, str], recall: str, path: str
) -> None:
    form = {**hidden((await nobody.get(path)).text), "said_by": "Dr Wu", "note": "ward 3"}
    missing = await nobody.post(path, data=form)
    assert missing.status_code == 422
    assert 'value="Dr Wu"' in missing.text, "what was typed stays"
    assert (await nobody.post(path, data={**form, "fate-0": "kept_apart", "said_by": ""})).status_code == 422
    answers = await asyncio.gather(*(nobody.post(path, data={**form, "fate-0": "kept_apart"}) for _ in range(4)))
    assert {one.status_code for one in answers} <= {200, 410}
    assert 200 in {one.status_code for one in answers}
    state, own = await _recall(here, recall), (await _recall(here, recall)).hospitals[f"centre-{made['mark']}"]
    assert state.over
    assert (own.by, own.note, list(own.fates.values())) == ("Dr Wu", "ward 3", ["kept_apart"])
    types = [fact.event.type for fact in (await here.ledger.load(recall)).facts]
    assert types.count("RecallAcknowledged") == 1
    assert (await nobody.get(path)).status_code == 410


async def test_another_patient_since_makes_the_page_stale(
    nobody: httpx2.AsyncClient, here: Parts, made: Mapping[str, str], recall: str, path: str
) -> None:
    form = {**hidden((await nobody.get(path)).text), "said_by": "Dr Wu", "fate-0": "infused"}
    await one_more_patient(here, made, recall)
    late = await nobody.post(path, data=form)
    assert late.status_code == 412
    assert 'name="fate-1"' in late.text, "and shows the other at once"


async def test_links_of_others_open_nothing(
    nobody: httpx2.AsyncClient, here: Parts, made: Mapping[str, str], recall: str, path: str
) -> None:
    for wrong in ("/reply/none/recall", path.removesuffix("/recall"), path.replace("/recall", "/dossier")):
        assert (await nobody.get(wrong)).status_code == 404, wrong
        assert (await nobody.post(wrong, data={"said_by": "x"})).status_code == 404, wrong
    ended = await link(here, made, recall, datetime.now(UTC) - timedelta(seconds=1))
    assert (await nobody.get(ended)).status_code == 410
