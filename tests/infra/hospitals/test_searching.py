"""Whether an order arrived: found, surely not there, or nobody can say; whoever answers oddly holds no second one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from activities.gateways import GatewayRefused, Receipt, Request
from infra.hospitals.fhir_client import PAGES, FhirGateway, NotUnderstood

BASE = "http://hospital.example/fhir"
EFFECT = "effect-1"
REQUEST = Request(EFFECT, "remind", "case-1", "o/1", "hospital", "centre-1", {}, [])
OURS = {
    "resourceType": "Task", "id": "7", "status": "requested",
    "identifier": [{"system": "urn:caravel:effect", "value": EFFECT}],
}  # fmt: skip
OTHERS = {**OURS, "id": "8", "identifier": [{"system": "urn:caravel:effect", "value": "effect-2"}]}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "incomplete"}]}
Said = Mapping[str, Any]


def found(*resources: Said, **more: Any) -> dict[str, Any]:
    entries = [{"resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(resources), "entry": entries, **more}


def without(bundle: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in bundle.items() if key != name}


def following(url: str) -> list[dict[str, str]]:
    return [{"relation": "self", "url": f"{BASE}/Task"}, {"relation": "next", "url": url}]


@asynccontextmanager
async def hospital(answer: Callable[[httpx2.Request], tuple[int, Said]]) -> AsyncIterator[FhirGateway]:
    def handle(request: httpx2.Request) -> httpx2.Response:
        status, body = answer(request)
        return httpx2.Response(status, content=json.dumps(body))

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(handle)) as http:
        yield FhirGateway(http, BASE)


async def asked(*pages: Said) -> Receipt | None:
    rest = list(pages)
    async with hospital(lambda _: (200, rest.pop(0) if len(rest) > 1 else rest[0])) as side:
        return await side.ask(EFFECT)


async def test_ours_is_found_on_whatever_page() -> None:
    for page in (found(OURS), found(OTHERS, OURS), found(OURS, total=9), without(found(OURS), "total")):
        assert await asked(page) == Receipt("Task/7")
    assert await asked(found(OTHERS, link=following(f"{BASE}?page=2".replace("?", "/?"))), found(OURS)) == Receipt(
        "Task/7"
    )


async def test_only_a_whole_answer_that_counts_none_says_there_is_none() -> None:
    assert await asked(found()) is None
    assert await asked(found(link=following(f"{BASE}/Task?page=2")), found()) is None


NOT_SAID: dict[str, list[Said]] = {
    "no count": [without(found(), "total")],
    "a count of what is not shown": [found(total=3)],
    "others, so the id was not looked at": [found(OTHERS)],
    "others on the first page only": [found(OTHERS, link=following(f"{BASE}/Task?2")), found()],
    "a warning beside it": [found(OUTCOME, total=0)],
    "another kind of bundle": [found(type="history")],
    "no bundle": [OUTCOME],
    "a count that is no number": [found(total="0")],
    "a page at another server": [found(link=following("http://elsewhere.example/fhir/Task?2"))],
    "a page below another name": [found(link=following(f"{BASE}-other/Task?2"))],
    "a next without an address": [found(link=[{"relation": "next"}])],
    "pages without end": [found(link=following(f"{BASE}/Task?n"))],
}


@pytest.mark.parametrize("kind", NOT_SAID)
async def test_everything_else_is_no_answer(kind: str) -> None:
    with pytest.raises(NotUnderstood):
        await asked(*NOT_SAID[kind])


async def test_a_search_is_not_followed_for_ever() -> None:
    calls: list[str] = []

    def endless(request: httpx2.Request) -> tuple[int, Said]:
        calls.append(str(request.url))
        return 200, found(link=following(f"{BASE}/Task?page={len(calls)}"))

    async with hospital(endless) as side:
        with pytest.raises(NotUnderstood):
            await side.ask(EFFECT)
    assert len(calls) == PAGES


@pytest.mark.parametrize("status", ["rejected", "cancelled", "entered-in-error", "failed"])
async def test_a_task_that_was_not_taken_is_a_no(status: str) -> None:
    no = {**OURS, "status": status, "statusReason": {"text": "no bed"}}
    async with hospital(lambda r: (201, no) if r.method == "POST" else (200, found(no))) as side:
        for attempt in (
            side.send(Request(EFFECT, "remind", "case-1", "o/1", "hospital", "centre-1", {}, [])),
            side.ask(EFFECT),
        ):
            with pytest.raises(GatewayRefused) as refused:
                await attempt
            assert (refused.value.code, refused.value.detail) == (status, "no bed")


@pytest.mark.parametrize("status", [401, 403, 407])
async def test_a_credential_that_ran_out_is_no_refusal_by_the_hospital(status: int) -> None:
    said = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "login"}]}
    async with hospital(lambda _: (status, said)) as side:
        with pytest.raises(NotUnderstood):
            await side.send(REQUEST)
    async with hospital(lambda _: (422, said)) as side:
        with pytest.raises(GatewayRefused):
            await side.send(REQUEST)


async def test_a_no_is_kept_whatever_its_words_hold() -> None:
    issue = {"severity": "error", "code": "business-rule", "diagnostics": "no bed\ud83d in ward\x00 3"}
    async with hospital(lambda _: (422, {"resourceType": "OperationOutcome", "issue": [issue]})) as side:
        with pytest.raises(GatewayRefused) as no:
            await side.send(REQUEST)
    assert (no.value.code, no.value.detail) == ("business-rule", "no bed? in ward 3")
    with pytest.raises(UnicodeEncodeError):
        issue["diagnostics"].encode()
