"""The console in process over a migrated database of its own; people sign in the way people do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape

import httpx2
import pytest
from fastapi import FastAPI

from api.run.wiring import Parts
from tests.api.conftest import (  # noqa: F401 - fixtures of this folder too
    HOST,
    ROLES,
    SECRET,
    app,
    client,
    coordinator,
    here,
    nobody,
    people,
    registered,
    supervisor,
)

ORIGIN = f"http://{HOST}"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass
class Browser:
    """Somebody with a browser: follows what pages say, keeps cookies, sends what a browser sends."""

    id: str
    http: httpx2.AsyncClient = field(repr=False)

    async def get(self, path: str) -> httpx2.Response:
        return await self.http.get(path, follow_redirects=True)

    async def post(self, path: str, origin: str = ORIGIN, **form: str | list[str]) -> httpx2.Response:
        return await self.http.post(path, data=form, headers={"Origin": origin}, follow_redirects=True)

    async def csrf(self) -> str:
        return hidden((await self.get("/console/")).text)["csrf"]


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page, the last of each name."""
    return {name: unescape(value) for name, value in HIDDEN.findall(page)}


async def browsing(app: FastAPI, person: str) -> Browser:  # noqa: F811 - an argument
    http = client(app)
    await http.get("/", params={"secret": SECRET})
    answer = await http.post("/console/sign-in", data={"person": person}, headers={"Origin": ORIGIN})
    assert answer.status_code == 303, answer.text
    return Browser(person, http)


@pytest.fixture(scope="module")
async def browsers(app: FastAPI, here: Parts) -> Mapping[str, Browser]:  # noqa: F811 - the fixtures above
    """One of each role, all of team asia, each with a browser of their own."""
    return {role: await browsing(app, await registered(here, role)) for role in ROLES}


@pytest.fixture(scope="module")
def mei(browsers: Mapping[str, Browser]) -> Browser:
    """A coordinator."""
    return browsers["coordinator"]
