"""Who uses up whose share: strangers their own address's and nobody else's, however many there are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from api.http.strangers.bounds import Bounds
from api.http.streams_end import serve
from api.ports import Limits
from api.run.http_app import http_app
from api.run.wiring import Parts
from infra.identity.sessions import Sessions
from tests.api.conftest import registered
from tests.api.console.test_reply_page import link_to
from tests.api.routes.test_callbacks import Hospital, Waiting, case, hospital, keys

__all__ = ["case", "hospital", "keys"]
FEW = Limits(actor=30, address=20, sign_in=5, streams=3, streams_in_all=5)


@pytest.fixture
def tight(here: Parts) -> FastAPI:
    """An app whose limits are small."""
    return http_app(here, limits=FEW)


def at(app: FastAPI, address: str, **headers: str) -> httpx2.AsyncClient:
    """Somebody at this address."""
    there = httpx2.ASGITransport(app=app, client=(address, 1))
    return httpx2.AsyncClient(transport=there, base_url="http://caravel.example", headers=headers)


async def statuses(asked: Any, times: int) -> list[int]:
    return [(await asked()).status_code for _ in range(times)]


async def token_of(app: FastAPI, here: Parts) -> str:
    """A session that is no development one."""
    return await Sessions(here.ledger).open(await registered(here, "coordinator"), "console", timedelta(hours=1))


async def test_strangers_use_up_their_own_addresss_share(tight: FastAPI, here: Parts) -> None:
    token = await token_of(tight, here)
    async with at(tight, "192.0.2.1") as stranger, at(tight, "192.0.2.2") as other:
        known = at(tight, "192.0.2.3", Authorization=f"Bearer {token}")
        assert (await statuses(lambda: stranger.get("/me"), 30))[-1] == 429
        assert await statuses(lambda: other.get("/me"), 3) == [401] * 3
        assert await statuses(lambda: known.get("/me"), 28) == [200] * 28, "counted as themselves, not as their address"
        assert await statuses(lambda: known.get("/nowhere"), 3) == [404] * 3
        assert (await stranger.get("/healthz")).is_success


async def test_unsigned_callbacks_shut_no_centre_out(
    tight: FastAPI, hospital: Hospital, case: Waiting, rejected: Any
) -> None:
    async with at(tight, "192.0.2.1") as stranger, at(tight, "192.0.2.9") as centre:
        forged = await statuses(lambda: stranger.post(hospital.path, content=b"{}"), 40)
        assert forged == [401] * 5 + [429] * 35
        assert len(await rejected()) == 5, "and few of them are noted"
        hospital = Hospital(hospital.id, hospital.keys, centre)
        told = [(await hospital.say(case.id, effect=case.effect)).status_code for _ in range(35)]
        assert told[0] == 200
        assert 429 not in told[:30]
        assert 429 in told[30:], "a centre has a share of its own"


@pytest.fixture
async def rejected(dsn: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn)
    before = await connection.fetchval("select coalesce(max(id), 0) from rejected_callback")

    async def found() -> list[str]:
        rows = await connection.fetch("select reason from rejected_callback where id > $1", before)
        return [row["reason"] for row in rows]

    yield found
    await connection.close()


async def test_wrong_reply_links_shut_no_right_one_out(tight: FastAPI, here: Parts, case: Waiting) -> None:
    async with at(tight, "192.0.2.1") as clinic:
        link = await link_to(here, clinic, case)
        assert await statuses(lambda: clinic.get("/reply/guessed"), 15) == [404] * 5 + [429] * 10
        assert (await link.look()).status_code == 200
        assert (await link.answer()).status_code == 200


@asynccontextmanager
async def served(app: FastAPI, *trusted: str) -> AsyncIterator[httpx2.AsyncClient]:
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    bounds = Bounds(trusted=[ip_network(one) for one in trusted])
    task = asyncio.create_task(serve(app, "127.0.0.1", 0, stop, port.set_result, bounds))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{await port}") as http:
        yield http
    stop.set()
    await task


async def test_behind_a_trusted_proxy_each_has_a_share_and_nobody_takes_anothers_name(tight: FastAPI) -> None:
    async with served(tight, "127.0.0.1") as http:

        async def asked(by: str) -> int:
            return (await http.get("/me", headers={"X-Forwarded-For": by})).status_code

        assert {await asked("203.0.113.1") for _ in range(30)} == {401, 429}
        assert await asked("203.0.113.2") == 401
        assert await asked("203.0.113.2, 203.0.113.1") == 429, "what the caller wrote before the proxy did counts not"


async def test_elsewhere_what_a_caller_says_of_itself_is_not_believed(tight: FastAPI) -> None:
    async with served(tight) as http:
        asked = [(await http.get("/me", headers={"X-Forwarded-For": f"203.0.113.{n}"})).status_code for n in range(30)]
        assert set(asked) == {401, 429}


async def test_streams_are_few_for_each_and_for_all(tight: FastAPI, here: Parts) -> None:
    one, other = await token_of(tight, here), await token_of(tight, here)
    async with served(tight) as http, AsyncExitStack() as stack:

        async def opened(token: str) -> int:
            stream = http.stream("GET", "/stream", headers={"Authorization": f"Bearer {token}"})
            answer = await (closing if token == one else stack).enter_async_context(stream)
            if answer.is_error:
                assert answer.headers["retry-after"]
            return int(answer.status_code)

        async with AsyncExitStack() as closing:
            assert [await opened(one) for _ in range(5)] == [200] * 3 + [429] * 2
            assert [await opened(other) for _ in range(3)] == [200] * 2 + [503]
        async with asyncio.timeout(60):
            while await opened(other) != 200:  # noqa: ASYNC110 - a seat that was left is free, once the server has seen it
                await asyncio.sleep(0.1)
        await tight.state.ringing.stop()
