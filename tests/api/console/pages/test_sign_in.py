"""Who gets in, how they get out, and what nobody else can do in their name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from api.console.pages.sign_in import local
from api.console.session import zone_name
from api.run.http_app import http_app
from api.run.wiring import Parts
from tests.api.conftest import NO_LIMIT, SECRET, client, registered
from tests.api.console.conftest import ORIGIN, Browser, browsing

pytestmark = pytest.mark.slow


async def test_the_address_leads_to_the_sign_in_and_then_to_the_worklist(app: FastAPI, here: Parts) -> None:
    person = await registered(here, "coordinator")
    async with client(app) as http:
        assert (await http.get("/")).headers["location"] == "/console/sign-in"
        ready = await http.get("/", params={"secret": SECRET})
        assert SECRET not in ready.headers["location"], "the secret leaves the address at once"
        chooser = await http.get(ready.headers["location"])
        assert person in chooser.text
        await http.post("/console/sign-in", data={"person": person}, headers={"Origin": ORIGIN})
        assert (await http.get("/")).headers["location"] == "/console/"
        assert "Demonstration" in (await http.get("/console/")).text


async def test_nobody_chooses_without_the_secret(nobody: AsyncClient, here: Parts) -> None:
    person = await registered(here, "coordinator")
    assert person not in (await nobody.get("/console/sign-in")).text
    assert (await nobody.get("/", params={"secret": "guess"})).status_code == 401
    for form in ({"person": person}, {"person": person, "secret": "guess"}):
        answer = await nobody.post("/console/sign-in", data=form, headers={"Origin": ORIGIN})
        assert answer.status_code == 401
        assert "caravel_session" not in answer.headers.get("set-cookie", "")


async def test_another_site_signs_nobody_in(app: FastAPI, here: Parts) -> None:
    person = await registered(here, "coordinator")
    async with client(app) as http:
        await http.get("/", params={"secret": SECRET})
        answer = await http.post("/console/sign-in", data={"person": person}, headers={"Origin": "https://evil.test"})
        assert answer.status_code == 403


async def test_cookies_are_for_no_script_and_no_other_site(app: FastAPI, here: Parts) -> None:
    person = await registered(here, "coordinator")
    async with client(app) as http:
        await http.get("/", params={"secret": SECRET})
        answer = await http.post("/console/sign-in", data={"person": person}, headers={"Origin": ORIGIN})
        cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("caravel_session="))
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie


async def test_behind_https_the_cookie_is_bound_to_the_host(app: FastAPI, here: Parts) -> None:
    secured = http_app(here, dev=app.state.service.dev, limits=NO_LIMIT)
    secured.state.service = replace(secured.state.service, public_url="https://caravel.test")
    person = await registered(here, "coordinator")
    async with client(secured) as http:
        form = {"person": person, "secret": SECRET}
        answer = await http.post("/console/sign-in", data=form, headers={"Origin": ORIGIN})
        cookie = next(c for c in answer.headers.get_list("set-cookie") if "caravel_session=" in c)
        assert cookie.startswith("__Host-caravel_session=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


async def test_a_process_without_the_development_sign_in_knows_none_of_its_sessions(app: FastAPI, here: Parts) -> None:
    mei = await browsing(app, await registered(here, "coordinator"))
    async with client(http_app(here, limits=NO_LIMIT)) as http:
        http.cookies = mei.http.cookies
        assert (await http.get("/console/")).headers["location"].startswith("/console/sign-in")
        answer = await http.post("/console/sign-in", data={"person": mei.id}, headers={"Origin": ORIGIN})
        assert answer.status_code == 404


async def test_signing_out_ends_the_session_for_everybody(app: FastAPI, here: Parts) -> None:
    mei = await browsing(app, await registered(here, "coordinator"))
    kept = dict(mei.http.cookies)
    assert (await mei.post("/console/sign-out", csrf="guess")).status_code == 403
    await mei.post("/console/sign-out", csrf=await mei.csrf())
    async with client(app) as http:
        http.cookies.update(kept)
        assert (await http.get("/console/")).headers["location"].startswith("/console/sign-in")


async def test_every_form_needs_its_own_token_and_its_own_site(mei: Browser) -> None:
    token = await mei.csrf()
    for path in ("/console/search", "/console/views", "/console/bulk", "/console/sign-out"):
        assert (await mei.post(path, csrf="")).status_code == 403, path
        assert (await mei.post(path, origin="https://evil.test", csrf=token)).status_code == 403, path
    assert (await mei.post("/console/search", csrf=token, q="nobody")).status_code == 200, "the control"


async def test_personal_pages_are_kept_by_nobody_and_framed_by_nobody(browsers: Mapping[str, Browser]) -> None:
    for path in ("/console/", "/console/sign-in", "/console/nowhere"):
        headers = (await browsers["auditor"].get(path)).headers
        if path == "/console/nowhere":
            continue
        assert headers["cache-control"] == "no-store"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    "there",
    ["https://evil.test/", "//evil.test", "/\\evil.test", "/console/../../x\n", "javascript:alert(1)", "/docs", ""],
)
def test_nobody_is_sent_elsewhere(there: str) -> None:
    assert local(there) == "/console/"
    assert local("/console/?tab=team") == "/console/?tab=team"


def test_the_zone_is_the_persons_own_then_the_browsers() -> None:
    assert zone_name("Asia/Kolkata", "Europe/Paris") == "Asia/Kolkata"
    assert zone_name("UTC", "Europe/Paris") == "Europe/Paris"
    assert zone_name("", "../../etc/passwd") == "UTC"
