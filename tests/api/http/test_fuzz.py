"""Every command with odd but well-formed values, at several stages: an answer or a refusal, never a failure of ours."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime
from enum import Enum
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import httpx2
import pytest
from fastapi import FastAPI

from api.run.http_app import http_app
from api.run.wiring import Parts
from domain.catalogue.streams import CATALOGUE
from domain.core.roles import Role
from domain.core.when import When
from domain.journey import COMMANDS
from domain.roles import Actor
from tests.api.conftest import INQUIRY, NO_LIMIT, client

TEXTS = (
    "",
    "x",
    "case-1",
    "person-1",
    "protocol-1",
    "centre-1",
    " ",
    "a/b",
    "..",
    "%00",
    "ü" * 300,
    "1" * 5000,
    "\u202e",
    "{}",
)
NUMBERS = (0, 1, -1, 14, 10**6, 10**12, -(10**18), 2**63, 10**40)
FIGURES = (0.0, -0.5, 1e308, -150.0, 36.6)
INSTANTS = (
    "2030-01-01T00:00:00Z",
    "1900-01-01T00:00:00+14:00",
    "2199-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-12:00",
    "2026-01-01T00:00:00+14:00",
)
DAYS = ("2026-11-21", "0001-01-01", "9999-12-31")
ROUNDS = 3


def value(hint: Any, chance: random.Random) -> Any:
    """Something of that type as JSON."""
    plain = {
        bool: (True, False),
        int: NUMBERS,
        float: FIGURES,
        str: TEXTS,
        datetime: INSTANTS,
        date: DAYS,
        NoneType: (None,),
    }
    if hint in plain:
        return chance.choice(plain[hint])
    if hasattr(hint, "__dataclass_fields__"):
        return when(chance) if hint is When else tree(hint, chance)
    if get_origin(hint) is Literal:
        return chance.choice(get_args(hint))
    if get_origin(hint) is tuple:
        return [value(get_args(hint)[0], chance) for _ in range(chance.choice((0, 1, 3)))]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return chance.choice(list(hint)).value
    known = [
        one for one in get_args(hint) if one is NoneType or not isinstance(one, type) or one in plain or one is When
    ]
    members = known or list(get_args(hint))
    return value(chance.choice(members), chance)


def when(chance: random.Random) -> dict[str, Any]:
    first, last = sorted(chance.choices((INSTANTS[0], *INSTANTS[3:]), k=2))
    return chance.choice(
        (
            {"precision": "unknown"},
            {"precision": "instant", "earliest": first, "latest": first},
            {"precision": "bound", "earliest": None, "latest": last},
            {"precision": "bound"},
        )
    )


def tree(command: type[Any], chance: random.Random) -> dict[str, Any]:
    hints = get_type_hints(command)
    names = [f.name for f in fields(command) if f.name not in ("type", "by")]
    typed = {"type": command.__name__} if "type" in hints else {}
    return {**typed, **{name: value(hints[name], chance) for name in names}}


def commands(all_of: tuple[type[Any], ...]) -> Iterator[dict[str, Any]]:
    for command in all_of:
        for n in range(ROUNDS):
            yield tree(command, random.Random(f"{command.__name__}{n}"))


@pytest.fixture(scope="module")
def machine(here: Parts) -> FastAPI:
    return http_app(here, limits=NO_LIMIT, local=Actor("operator", Role.MACHINE))


async def sent(http: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> httpx2.Response:
    sent.number += 1  # type: ignore[attr-defined]
    return await http.post(path, json=body, headers={"Idempotency-Key": f"fuzz-{sent.number}"})  # type: ignore[attr-defined]


sent.number = 0  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["inquiry", "visa", "infusion"])
async def test_every_command(machine: FastAPI, stage: str) -> None:
    failed: list[str] = []
    async with client(machine) as http:
        case = await at_stage(http, stage)
        for body in commands(COMMANDS):
            answer = await sent(http, f"/cases/{case}/commands", body)
            if answer.status_code >= 500:
                failed.append(f"{answer.status_code} {body}"[:300])
            elif answer.is_success and body["type"] in ENDS:
                case = await at_stage(http, stage)
        for path in ("", "/agenda", "/events"):
            assert (await http.get(f"/cases/{case}{path}")).is_success
    assert failed == []


ENDS = (
    "VoidCase",
    "LeaveJourney",
    "ReportDeath",
    "MoveOn",
    "EndFollowUp",
    "ImportFacts",
    "HoldCase",
    "WithdrawConsent",
)


async def at_stage(http: httpx2.AsyncClient, stage: str) -> str:
    opened = await sent(http, "/cases", {**INQUIRY, "imported": True})
    case: str = opened.json()["case"]
    if stage != "inquiry":
        facts = {"stage": stage, "centre": "centre-x", "protocol": "protocol-x", "consents": ["data_processing"]}
        answer = await sent(http, f"/cases/{case}/commands", {"type": "ImportFacts", **facts})
        assert answer.is_success, answer.text
    return case


@pytest.mark.slow
@pytest.mark.parametrize("prefix", CATALOGUE)
async def test_every_command_of_the_catalogue(machine: FastAPI, prefix: str) -> None:
    failed: list[str] = []
    async with client(machine) as http:
        for body in commands(CATALOGUE[prefix].commands):
            path = f"/{prefix}s" if body["type"].startswith("Register") else f"/{prefix}s/{prefix}-x/commands"
            answer = await sent(http, path, body)
            if answer.status_code >= 500:
                failed.append(f"{answer.status_code} {body}"[:300])
        assert (await http.get(f"/{prefix}s")).is_success
    assert failed == []


async def test_the_description_names_every_command(app: FastAPI, nobody: httpx2.AsyncClient) -> None:
    described = (await nobody.get("/openapi.json")).json()
    schemas = described["components"]["schemas"]
    assert {c.__name__ for c in COMMANDS} <= set(schemas)
    assert "by" not in schemas["VerifyRecord"]["properties"]
    command = described["paths"]["/cases/{case}/commands"]["post"]
    assert "Idempotency-Key" in [one["name"] for one in command["parameters"]]
