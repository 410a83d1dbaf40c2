"""Decides what a simulated hospital does with one effect: a pure function of seed, effect id and kind."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from activities.gateways import Request
from rehearsal.hospitals.habits import (
    AGAIN,
    HABITS,
    REFUSES,
    SLOW,
    SLOWER_BY,
    TROUBLES,
    TWICE,
    DaysAhead,
    EachUnit,
    Fits,
    FreeTimes,
    FromRequest,
    OneOf,
    OwnNumber,
    RequestSubject,
    Saying,
    Trouble,
)

T = TypeVar("T")
DAY = 86_400.0
WORST = 2


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: `after` seconds of the journey after the request was kept, sent `copies` times under one id.

    `command` still holds what only the moment fills: see `spoken`.
    """

    after: float
    command: Mapping[str, Any]
    copies: int = 1


@dataclass(frozen=True, slots=True)
class HospitalPlan:
    """`troubles` are what the first attempts meet, `refusal` a FHIR issue code or empty, then the answers."""

    troubles: tuple[Trouble, ...] = ()
    refusal: str = ""
    answers: tuple[Said, ...] = ()


def behaviour(seed: int, effect_id: str, kind: str) -> HospitalPlan:
    """Return the plan: the same for the same arguments, on any machine."""
    chance = _chance(seed, effect_id, kind)
    troubles = _troubles(chance)
    often, code = REFUSES.get(kind, (0.0, ""))
    if chance.random() < often:
        return HospitalPlan(troubles, code)
    story = _weighted(chance, HABITS.get(kind, ((1.0, ()),)))
    return HospitalPlan(troubles, "", tuple(said for line in story for said in _said(chance, effect_id, line)))


def spoken(said: Said, request: Request, at: datetime) -> dict[str, Any]:
    """Return the command's JSON as said at that instant in reply to that request."""
    filled = {name: _filled(value, request, at) for name, value in said.command.items()}
    return {name: value for name, value in filled.items() if value is not None}


def callback_id(effect_id: str, number: int) -> str:
    """Return the id of the n-th answer to an effect, counted from 0; the receiver's idempotency key."""
    return hashlib.sha256(f"{effect_id}/{number}".encode()).hexdigest()[:32]


def _chance(seed: int, effect_id: str, kind: str) -> random.Random:
    digest = hashlib.sha256(f"{seed}/{effect_id}/{kind}".encode()).digest()
    return random.Random(int.from_bytes(digest))  # noqa: S311  a rehearsal repeats itself, nothing is secret


def _troubles(chance: random.Random) -> tuple[Trouble, ...]:
    met: list[Trouble] = []
    for _ in range(WORST):
        trouble = _weighted(chance, TROUBLES)
        if trouble is None:
            break
        met.append(trouble)
    return tuple(met)


def _said(chance: random.Random, effect_id: str, line: Saying) -> Iterable[Said]:
    """One line of a story with its moment drawn; now and then late, doubled, or repeated in other words."""
    after = chance.uniform(line.earliest, line.latest) * DAY
    if chance.random() < SLOW:
        after *= SLOWER_BY
    drawn = {name: _drawn(chance, effect_id, value) for name, value in line.fields.items()}
    command = {"type": line.says, **drawn}
    yield Said(after, command, 2 if chance.random() < TWICE else 1)
    if chance.random() < AGAIN:
        yield Said(after + chance.uniform(0.01, 0.5) * DAY, command)


def _drawn(chance: random.Random, effect_id: str, value: object) -> object:
    match value:
        case OneOf():
            return chance.choice(value.choices)
        case OwnNumber():
            return f"{value.prefix}-{hashlib.sha256(effect_id.encode()).hexdigest()[:8]}"
        case _:
            return value


def _filled(value: object, request: Request, at: datetime) -> object:
    match value:
        case DaysAhead():
            return (at + timedelta(days=value.days)).isoformat()
        case EachUnit():
            return [_accounted(unit) for unit in request.body.get("units", ())]
        case FreeTimes():
            return _free_times(value.count, request, at)
        case Fits():
            return _filled(value.said.get(str(request.body.get(value.name)), value.otherwise), request, at)
        case _:
            return _told(value, request)


def _told(value: object, request: Request) -> object:
    match value:
        case RequestSubject():
            return request.about.split("/", maxsplit=1)[0]
        case FromRequest(name="unit"):
            return str(request.body.get("unit") or f"{value.otherwise}-{request.effect[:12]}")
        case FromRequest():
            return str(request.body.get(value.name) or value.otherwise)
        case OwnNumber():
            return f"{value.prefix}-{request.effect[:8]}"
        case _:
            return value


def _accounted(unit: Mapping[str, Any]) -> Mapping[str, str]:
    return {"lot": unit["lot"], "unit": unit["unit"], "fate": "infused" if unit["infused"] else "kept_apart"}


def _free_times(count: int, request: Request, at: datetime) -> Sequence[Mapping[str, str]]:
    wanted = datetime.fromisoformat(str(request.body.get("starts") or at.isoformat()))
    first = max(wanted, at + timedelta(days=2)).replace(hour=1, minute=0, second=0, microsecond=0) + timedelta(days=1)
    begins = (first + timedelta(days=n) for n in range(count))
    return [{"starts": one.isoformat(), "ends": (one + timedelta(hours=1)).isoformat()} for one in begins]


def _weighted(chance: random.Random, choices: Sequence[tuple[float, T]]) -> T:
    left = chance.uniform(0, sum(weight for weight, _ in choices))
    for weight, choice in choices:
        left -= weight
        if left < 0:
            return choice
    return choices[-1][1]
