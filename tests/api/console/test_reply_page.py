"""The one-question page: works as a plain form, is used once, expires, and tells nobody anything about the patient."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from api.run.wiring import Parts
from infra.identity.capabilities import links
from tests.api.conftest import CANARY, Person
from tests.api.routes.test_callbacks import (
    Hospital,
    Waiting,
    case,
    events_of,
    hospital,
    keys,
)

__all__ = ["case", "hospital", "keys"]
FILLED = {"type": "IssueLetter", "ref": "L-9", "valid_until": "2030-01-01T12:00"}


@dataclass
class Link:
    path: str
    http: httpx2.AsyncClient

    async def look(self) -> httpx2.Response:
        return await self.http.get(self.path)

    async def answer(self, **fields: str) -> httpx2.Response:
        return await self.http.post(self.path, data={**FILLED, **fields})


async def link_to(here: Parts, nobody: httpx2.AsyncClient, case: Waiting, lasts: timedelta = timedelta(days=1)) -> Link:
    state, _, now = await here.commands.case(case.id)
    make = links(here.ledger, "https://caravel.example/")
    address = await make(state, state.effects[case.effect], now + lasts)
    assert address.startswith("https://caravel.example/reply/")
    return Link(address.removeprefix("https://caravel.example"), nobody)


@pytest.fixture
async def link(here: Parts, nobody: httpx2.AsyncClient, case: Waiting) -> Link:
    return await link_to(here, nobody, case)


async def test_the_page_asks_one_question_and_names_nobody(link: Link) -> None:
    page = await link.look()
    assert page.status_code == 200
    assert "<p>Request for the invitation letter</p>" in page.text
    assert ">The hospital issued the invitation letter.</p>" in page.text
    assert page.text.count("<form") == 1
    assert 'name="submission"' not in page.text
    for word in (CANARY, "canary", "B-ALL", "case-", "submission"):
        assert word not in page.text
    assert "<script" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_looking_does_not_use_it_and_an_answer_does(
    link: Link, case: Waiting, supervisor: Person, hospital: Hospital
) -> None:
    for _ in range(3):
        assert (await link.look()).status_code == 200
    thanks = await link.answer()
    assert thanks.status_code == 200
    assert "recorded" in thanks.text
    told = next(e for e in await events_of(supervisor, case.id) if e["type"] == "LetterIssued")
    assert (told["actor"], told["provenance"]) == (hospital.id, "reply form")
    assert told["data"]["valid_until"] == "2030-01-01T04:00:00+00:00"  # noon in Shanghai
    assert (await link.look()).status_code == 410
    assert (await link.answer(ref="L-10")).status_code == 410
    events = [e["type"] for e in await events_of(supervisor, case.id)]
    assert (events.count("LetterIssued"), events.count("EffectDelivered")) == (1, 1)


async def test_pressing_twice_is_one_answer(link: Link, case: Waiting, supervisor: Person) -> None:
    answers = await asyncio.gather(*(link.answer() for _ in range(5)))
    assert {one.status_code for one in answers} == {200}
    assert [e["type"] for e in await events_of(supervisor, case.id)].count("LetterIssued") == 1


async def test_an_expired_or_unknown_link(here: Parts, nobody: httpx2.AsyncClient, case: Waiting) -> None:
    old = await link_to(here, nobody, case, timedelta(seconds=-1))
    assert (await old.look()).status_code == 410
    assert (await old.answer()).status_code == 410
    for token in ("x", "a" * 5000, "%00", "é"):
        unknown = Link(f"/reply/{token}", nobody)
        assert (await unknown.look()).status_code == 404
        assert (await unknown.answer()).status_code == 404


async def test_what_cannot_be_read_is_asked_again_with_what_was_typed(link: Link) -> None:
    for fields in ({"valid_until": "soon"}, {"type": "MoveOn"}, {"valid_until": ""}):
        page = await link.answer(ref="TYPED-REF", **fields)
        assert page.status_code == 422
        assert 'role="alert"' in page.text
    again = await link.answer(ref="TYPED-REF", valid_until="soon")
    assert "TYPED-REF" in again.text
    assert re.search(r'id="IssueLetter-f-valid_until"[^>]* aria-invalid="true"', again.text), "said at its own input"
    assert (await link.answer()).status_code == 200


async def test_the_page_speaks_the_language_of_the_browser(link: Link, nobody: httpx2.AsyncClient) -> None:
    page = (await nobody.get(link.path, headers={"Accept-Language": "ar-EG,ar;q=0.9"})).text
    assert '<html lang="ar" dir="rtl">' in page
    assert "سؤال عن مريضك" in page
    assert 'lang="en"' in (await link.look()).text


async def test_a_form_says_only_what_the_link_allows(link: Link, supervisor: Person, case: Waiting) -> None:
    assert (await link.answer(submission="another", by="somebody", actor="x")).status_code == 200
    assert "another" not in str(await events_of(supervisor, case.id))


async def test_what_is_typed_is_no_markup(link: Link) -> None:
    page = await link.answer(ref="<script>alert(1)</script>", valid_until="soon")
    assert "<script" not in page.text


async def test_only_a_digest_is_kept(link: Link, here: Parts) -> None:
    token = link.path.rpartition("/")[2]
    assert len(re.sub("[A-Za-z0-9_-]", "", token)) == 0
    rows = await here.ledger.pool.fetch("select * from capability")
    assert all(token not in str(dict(row)) for row in rows)
    assert datetime.now(UTC) < max(row["expires_at"] for row in rows)
