"""What is asked for by name: no NUL gets as far as the database, and in embedded mode only our own name is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.run.http_app import http_app
from api.run.wiring import Parts
from domain.catalogue.installation import Installation, Kind
from infra.settings import Settings
from tests.api.conftest import NO_LIMIT, Person, client
from tests.api.routes.test_commands import assert_problem


def addresses(app: FastAPI) -> Iterator[str]:
    """Every page and read, with a NUL in each part of its path, and in each parameter and in one nobody knows."""
    for route in (one for one in app.routes if isinstance(one, APIRoute)):
        if "GET" in (route.methods or ()) and route.path != "/stream":
            names = [one.name for one in route.dependant.query_params]
            plain = re.sub(r"{[^}]+}", "case-1", route.path)
            yield from (f"{plain}?{name}=a%00b" for name in [*names, "case", "q"])
            yield from (re.sub(r"{[^}]+}", name, route.path) for name in ("%00", "case-%00") if "{" in route.path)


@pytest.mark.parametrize("role", ["supervisor", "auditor", "operator"])
async def test_a_nul_is_never_a_failure_of_ours(app: FastAPI, people: Mapping[str, Person], role: str) -> None:
    asked = set(addresses(app))
    assert {"/console/audit/checks/%00", "/console/rows?case=a%00b", "/cases?team=a%00b"} <= asked
    for address in sorted(asked):
        answer = await people[role].http.get(address)
        assert answer.status_code < 500, address


async def test_a_read_names_the_parameter_and_a_page_leaves_it_out(people: Mapping[str, Person]) -> None:
    answer = await people["supervisor"].http.get("/cases?team=a%00b")
    assert_problem(answer, 422, "invalid")
    assert answer.json()["errors"] == [{"detail": "holds a NUL", "parameter": "team"}]
    page = await people["supervisor"].http.get("/console/?q=%00&tab=all")
    assert page.status_code == 200


async def test_in_embedded_mode_only_our_own_name_is_answered(nobody: httpx2.AsyncClient, here: Parts) -> None:
    for name in ("evil.example", "caravel.test.evil.example", "127.0.0.1", ""):
        for path in ("/", "/healthz", "/docs", "/console/sign-in", "/metrics"):
            answer = await nobody.get(path, headers={"Host": name})
            assert_problem(answer, 403, "not_allowed")
            assert answer.json()["errors"][0]["header"] == "Host"
    async with client(http_app(here, limits=NO_LIMIT)) as http:
        assert (await http.get("/healthz", headers={"Host": "caravel.example.org"})).is_success, "behind a proxy, any"


async def test_every_answer_is_what_it_says_it_is(nobody: httpx2.AsyncClient, coordinator: Person) -> None:
    answers = [await nobody.get(path) for path in ("/healthz", "/nowhere", "/me", "/docs", "/console/sign-in", "/%00")]
    answers += [await coordinator.get("/cases"), await coordinator.post("/cases", {})]
    for answer in answers:
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"], answer.url


OPEN = ("/docs", "/openapi.json", "/metrics")


@pytest.mark.parametrize(
    ("kind", "told", "status"),
    [("development", None, 200), ("production", None, 401), ("production", True, 200), ("development", False, 401)],
)
async def test_pages_for_programs_are_open_where_it_was_set(
    here: Parts, monkeypatch: pytest.MonkeyPatch, kind: Kind, *, told: bool | None, status: int
) -> None:
    monkeypatch.setattr(here.ledger, "installation", Installation("x", kind, False))
    parts = replace(here, settings=here.settings.model_copy(update={"open_pages": told}))
    app = http_app(parts, limits=NO_LIMIT)
    async with client(app) as http:
        assert [(await http.get(path)).status_code for path in OPEN] == [status] * 3
        assert (await http.get("/healthz")).is_success


async def test_who_signed_in_has_them_in_any_case(app: FastAPI, coordinator: Person) -> None:
    known = app.state.service
    app.state.service = replace(known, open_pages=False)
    try:
        assert [(await coordinator.get(path)).status_code for path in OPEN] == [200] * 3
    finally:
        app.state.service = known


def test_proxies_are_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARAVEL_PROXIES", "10.0.0.0/8, fd00::/8,192.0.2.1")
    assert [str(one) for one in Settings().proxies] == ["10.0.0.0/8", "fd00::/8", "192.0.2.1/32"]
    monkeypatch.setenv("CARAVEL_PROXIES", "proxy.example")
    with pytest.raises(ValueError, match="proxies"):
        Settings()
