"""Cases from whole journeys with a canary in everything personal, put into a real ledger as it is recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import groupby
from typing import Any

from pydantic import TypeAdapter, ValidationError

from activities.ports import Append, Meta
from activities.views import case_views
from api.run.wiring import Parts
from domain.core.case_number import case_number
from domain.core.fact import Draft, Fact
from domain.core.personal import KeyClass
from domain.engine.evolve import EVENTS, fold
from domain.stages.intake.inquiry import CaseOpened
from infra.ids import fresh_id, fresh_stream
from infra.ledger.encoding.codec import Codec
from infra.ledger.encoding.sealing import MARK, rejoin
from tests.domain.any_command import MAKE
from tests.domain.course import start

STEPS = ("eligibility", "infused")
"""Where the journeys stand before each command is tried once: together they tell most of what is personal."""
CODEC = Codec(EVENTS)


def canary(key_class: KeyClass, mark: str) -> str:
    """What stands in every text of that class, of the cases with that mark."""
    return f"Canary-{mark}-{key_class}-Øster"


@cache
def _told(step: str) -> Sequence[Fact[Any]]:
    j = start(step)
    for make in MAKE.values():
        with suppress(AssertionError):
            j.tried(make(j, 0))
    return j.facts


def _planted(event: Any, mark: str) -> Any:
    """The event with canaries for texts, wherever its shape takes any text at all."""
    encoded = CODEC.encode(event)
    if MARK not in encoded.data:
        return event
    shape: TypeAdapter[Any] = TypeAdapter(type(event))
    known: dict[KeyClass, dict[str, Any]] = {name: dict(values) for name, values in encoded.secrets.items()}
    for key_class, values in known.items():
        for at, value in values.items():
            values[at] = _text(value, canary(key_class, mark))
            try:
                shape.validate_python(rejoin(json.loads(encoded.data), known))
            except ValidationError:
                values[at] = value  # a date, or a word of a list
    return shape.validate_python(rejoin(json.loads(encoded.data), known))


def _text(value: Any, planted: str) -> Any:
    """The same with canaries for its texts, at whatever depth."""
    if isinstance(value, dict):
        return {name: _text(one, planted) for name, one in value.items()}
    if isinstance(value, list):
        return [_text(one, planted) for one in value]
    return planted if isinstance(value, str) else value


async def recorded(here: Parts, step: str, mark: str, owner: str, team: str) -> str:
    """A case with all that journey tells, of that owner and team; answers with its stream."""
    stream, facts = fresh_stream("case"), list(_facts(step, mark, owner, team))
    for actor, own in groupby(facts, lambda fact: fact.actor):
        run = list(own)
        upto = facts[: run[-1].version]
        drafts = [Draft(f.event, f.id, f.occurred, f.why, f.corrects) for f in run]
        views = case_views(replace(fold(upto), id=stream))
        await here.ledger.append(Append(stream, run[0].version - 1, drafts, Meta(actor), views))
    return stream


def _facts(step: str, mark: str, owner: str, team: str) -> Iterator[Fact[Any]]:
    for fact in _told(step):
        event = fact.event
        if isinstance(event, CaseOpened):
            event = replace(event, number=case_number(fresh_id()))
        if hasattr(event, "owner") and hasattr(event, "team"):
            event = replace(event, owner=owner, team=team)
        yield replace(fact, event=_planted(event, mark))
