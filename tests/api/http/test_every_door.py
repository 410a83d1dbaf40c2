"""Whatever is personal may be known, masked, erased, or sealed with a key that is not here: every door says which.

This file asks where all keys are, `test_doors_without_keys.py` where none is: two workers share what takes longest.
Routes are those of the app itself: a new one is asked here, or says in `FILLED` what its parameters may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.http.access import belonging
from api.http.masking import sees
from domain.core.personal import KEY_CLASSES
from domain.core.roles import Role
from domain.journey import COMMANDS
from domain.roles import Actor
from tests.api.conftest import ROLES, Person
from tests.api.http.conftest import SCREENED, Scene, Told
from tests.api.personal_cases import canary

pytestmark = pytest.mark.slow
ENDLESS = {"/stream"}
"""Streams of ids and versions, which never end."""


def reads(app: FastAPI) -> list[APIRoute]:
    """Every address that is only read."""
    found = [one for one in app.routes if isinstance(one, APIRoute) and "GET" in (one.methods or ())]
    assert len(found) > 40
    return [one for one in found if one.path not in ENDLESS]


FILLED: Mapping[str, Any] = {
    "case": lambda one: [one.stream],
    "protocol": lambda _: [SCREENED],
    "event": lambda one: one.events,
    "name": lambda one: [one.document],
    "command": lambda _: [command.__name__ for command in COMMANDS],
    "stream": lambda one: [one.stream],
    "version": lambda _: ["1"],
    "entry": lambda one: [one.state.owner],
    "check": lambda _: ["none"],
    "token": lambda _: ["none"],
    "centre": lambda _: ["centre-none"],
    "submission": lambda one: [*one.state.submissions][:1] or ["none"],
    "arrangement": lambda one: [*one.state.arrangements][:1] or ["none"],
    "digest": lambda _: ["none"],
    "recall": lambda _: ["recall-none"],
    "of": lambda one: [one.stream],
    "upload": lambda _: ["none"],
    "number": lambda _: ["1"],
    "registry": lambda _: ["cibmtr"],
    "form": lambda _: ["4000"],
}
"""What may stand for a parameter of an address, for one case."""
ASKED: Mapping[str, Mapping[str, Any]] = {
    "/lots/{entry}/custody": {"unit": "none"},
    "/cases/{case}/diff": {"from": "1"},
    "/console/audit/event": {"stream": "", "version": "1"},
    "/audit/consistency": {"first": "1", "second": "2"},
    "/audit/cases/{case}/evidence": {"wait": "0", "level": "full"},
}
"""What an address has to be asked with."""


def addresses(route: APIRoute, one: Told) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every address of a route for that case; where a moment can be asked for, for one too."""
    paths = [route.path]
    for name in re.findall(r"{(\w+)}", route.path):
        paths = [path.replace(f"{{{name}}}", value) for path in paths for value in FILLED[name](one)]
    asked = ASKED.get(route.path, {})
    taken = {p.name for one in (route.dependant, *route.dependant.dependencies) for p in one.query_params}
    moments = {"known_at"} if route.path == "/console/" else taken & {"known_at", "as_of"}
    for path in paths:
        yield path, asked
        for moment in sorted(moments):
            yield path, {**asked, moment: str(one.state.stage_since)}


def of_cases(route: APIRoute) -> bool:
    return "{case}" in route.path


async def answers(app: FastAPI, who: Person, cases: Sequence[Told]) -> list[tuple[str, Told | None, httpx2.Response]]:
    """What somebody is answered at every address: lists once, and what is of a case for each."""
    found: list[tuple[str, Told | None, httpx2.Response]] = []
    for route in reads(app):
        for one in cases if of_cases(route) else cases[:1]:
            for path, query in addresses(route, one):
                if "/do/" in path and (who.id != one.state.owner or one not in cases[-1:]):
                    continue  # forms are many: those of one case, for who may give most of them
                answer = await who.http.get(path, params=query)
                found.append((f"{path} {query}", one if of_cases(route) else None, answer))
    return found


def visible(role: str, who: Person, one: Told) -> frozenset[str]:
    return frozenset(sees(Actor(who.id, Role(role), "asia"), belonging(one.state)))


@pytest.mark.parametrize("role", ROLES)
async def test_no_door_fails_or_says_what_it_should_not(scene: Scene, role: str) -> None:
    who, opened = scene.people[role], set[str]()
    for address, one, answer in await answers(scene.app, who, [*scene.gone, *scene.live]):
        assert answer.status_code < 500, (address, answer.text[:400])
        text = readable(answer)
        assert "Canary-gone" not in text, address
        told = {key_class for key_class in KEY_CLASSES if canary(key_class, "live") in text}
        assert told <= visible(role, who, one or scene.live[0]), (address, told)
        opened |= told
    assert opened == visible(role, who, scene.live[0]), "the control: what may be seen is seen somewhere"


def readable(answer: httpx2.Response) -> str:
    return answer.content.decode(errors="replace").replace("&#216;", "Ø").replace("\\u00d8", "Ø")
