"""Cases with something personal of every kind, of which half are erased: what the tests of the doors ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pytest
from fastapi import FastAPI

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.case.state import Case
from domain.catalogue.protocol import RegisterProtocol
from domain.core.personal import KEY_CLASSES
from domain.criteria.criterion import Comparison, Criterion
from tests.api.conftest import Person
from tests.api.personal_cases import STEPS, recorded
from tests.api.routes.test_documents import attach

SCREENED = "protocol-screened"
"""A protocol that asks for what the cases were observed for."""
ASKS = RegisterProtocol(
    registry="X", title="t", product="p", product_class="allogeneic", targets=("CD19",), diseases=("B-ALL",),
    source="s", as_of=date(2026, 1, 1),
    criteria=(
        Criterion(id="age", kind="inclusion", words="adults",
                  ways=((Comparison(analyte="age", op=">=", value="18", unit="a"),),)),
        Criterion(id="creatinine", kind="inclusion", words="creatinine <=1.5 x ULN",
                  ways=((Comparison(analyte="creatinine", op="<=", value="1.5", unit="{ULN}"),),)),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """A case with canaries: its stream, an event of it, a document, the kinds of commands there are."""

    stream: str
    events: Sequence[str]
    document: str
    state: Case


@dataclass(frozen=True)
class Scene:
    """Two sets of the same cases, of which one is erased; an app with all keys, and one whose folder is empty."""

    here: Parts
    app: FastAPI
    live: Sequence[Told]
    gone: Sequence[Told]
    people: Mapping[str, Person]


@pytest.fixture(scope="module")
async def scene(here: Parts, app: FastAPI, people: Mapping[str, Person]) -> Scene:
    owner = people["coordinator"]
    await here.commands.record(CommandRequest(SCREENED, Meta("person-keeper", "operation"), ASKS))
    live = [await _told(here, owner, step, "live") for step in STEPS]
    gone = [await _told(here, owner, step, "gone") for step in STEPS]
    for one in gone:
        for key_class in KEY_CLASSES:
            await here.keys.destroy(one.stream, key_class)
    return Scene(here, app, live, gone, people)


async def _told(here: Parts, owner: Person, step: str, mark: str) -> Told:
    stream = await recorded(here, step, mark, owner.id, "asia")
    attached = await attach(owner, stream)
    state, facts, _ = await here.commands.case(stream)
    named = attached.json()["document"] if attached.status_code == 201 else "0" * 64
    return Told(stream, [facts[0].id, facts[-1].id], named, state)
