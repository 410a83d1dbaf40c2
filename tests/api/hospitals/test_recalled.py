"""A hospital with an interface acknowledges a recall over it: asked as the worker asks, answered as hospitals sign."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from activities.doses.genealogy import Genealogy
from activities.doses.recalling import units_at
from activities.effect_handlers.recalls import recall_handlers
from activities.gateways import Gateway, Receipt, Request
from activities.ports import Meta
from api.run.wiring import Parts
from domain.doses.linking import LinkMaterial
from domain.doses.unit import HoldUnit
from domain.recalls.recall import OpenRecall, Recall
from domain.stages.eligibility.eligibility import AcceptPatient
from infra.hospitals.recall_tasks import request_of, task
from infra.identity.capabilities import recall_links
from infra.ids import fresh_stream
from infra.reads.genealogy import GenealogyQueries
from rehearsal.hospitals.behaviour import behaviour, spoken
from tests.api.routes.test_callbacks import Hospital, hospital, keys, stranger
from tests.api.routes.test_commands import assert_problem
from tests.api.run.test_recalled_later import lot, tell, vector
from tests.api.submitted import submitted

__all__ = ["hospital", "keys", "stranger"]
ENGINE = Meta("engine")


class Kept:
    """The hospital's own side: it reads the Task as it goes over the wire."""

    channel = "asks"

    def __init__(self) -> None:
        self.got: list[Request] = []

    async def send(self, request: Request) -> Receipt:
        self.got.append(request_of(task(request), request.centre))
        return Receipt("Task/1")

    async def ask(self, effect: str) -> Receipt | None:
        return next((Receipt("Task/1") for one in self.got if one.effect == effect), None)


async def opened(here: Parts, centre: str, *, drill: bool = True) -> tuple[str, str]:
    """A recall whose vector lot reached one patient of this hospital; its stream, and that of the lot."""
    material, _ = await vector(here)
    batch = await lot(here)
    await tell(here, batch, LinkMaterial(material))
    case = await submitted(here, centre)
    await case.tell(AcceptPatient(case.submission, "Dr Li", datetime.now(UTC) + timedelta(days=60)))
    await tell(here, batch, HoldUnit(case.id, f"e-{batch}", datetime.now(UTC) + timedelta(days=30)), ENGINE)
    recall = fresh_stream("recall")
    await tell(here, recall, OpenRecall(material, "defect", drill))
    return recall, batch


async def recall_of(here: Parts, stream: str) -> Recall:
    state, _ = await here.commands.driven(stream)
    assert isinstance(state, Recall)
    return state


async def asked(here: Parts, stream: str) -> tuple[Request, str]:
    """Ask as the worker does; what the hospital read, and the effect."""
    state, side = await recall_of(here, stream), Kept()
    queries = GenealogyQueries(here.ledger.pool, here.keys)
    never: Any = None
    gateway: Gateway = side  # type: ignore[assignment] # its channel is one of the words
    table = recall_handlers(
        here.commands, never, never, queries.numbers_of, recall_links(here.ledger, ""), lambda *_: gateway,
        units_at(Genealogy(here.ledger, queries)),
    )  # fmt: skip
    [effect] = [e for e in state.effects.values() if e.kind == "ask_acknowledgement"]
    for repeat in (0, 1):
        await table[effect.kind].deliver(state, effect, datetime.now(UTC), repeat=repeat)
    [request] = side.got
    return request, effect.id


async def test_the_simulated_hospital_reads_its_units_and_acknowledges(here: Parts, hospital: Hospital) -> None:
    stream, batch = await opened(here, hospital.id)
    request, effect = await asked(here, stream)
    assert request.kind == "ask_acknowledgement_drill"
    assert request.body["units"] == [{"lot": batch, "unit": "u1", "infused": False}]
    seed = next(n for n in range(100) if behaviour(n, effect, request.kind).answers)
    said = spoken(behaviour(seed, effect, request.kind).answers[0], request, datetime.now(UTC))
    first = await hospital.say(stream, said, callback="c-1", effect=effect)
    assert first.json() == {"case": stream, "recorded": first.json()["recorded"], "repeated": False}, first.text
    state = await recall_of(here, stream)
    assert state.over
    assert state.hospitals[hospital.id].fates == {(batch, "u1"): "kept_apart"}
    assert (await hospital.say(stream, said, callback="c-1", effect=effect)).json()["repeated"] is True
    facts = (await here.ledger.load(stream)).facts
    assert [fact.actor for fact in facts if fact.event.type == "RecallAcknowledged"] == [hospital.id]


def said_of(batch: str, fate: str = "kept_apart", unit: str = "u1") -> Mapping[str, Any]:
    units = [{"lot": batch, "unit": unit, "fate": fate}]
    return {"type": "AcknowledgeRecall", "said_by": "Dr Wu", "units": units}


async def test_what_is_not_the_hospitals_own_is_refused(here: Parts, hospital: Hospital, stranger: Hospital) -> None:
    stream, batch = await opened(here, hospital.id)

    async def says(who: Hospital, to: str, said: Mapping[str, Any]) -> httpx2.Response:
        return await who.say(to, dict(said))

    assert (await says(stranger, stream, said_of(batch))).status_code == 404, "another hospital's recall"
    for name in ("recall-none", "recall-\x00"):
        assert (await says(hospital, name, said_of(batch))).status_code == 404
    assert (await hospital.say("case-\x00")).status_code == 404
    assert (await says(hospital, stream, said_of(batch, unit="u2"))).status_code == 422, "a unit that is not theirs"
    assert (await says(hospital, stream, said_of(batch, fate="eaten"))).status_code == 400, "no word of ours"
    assert (await says(hospital, stream, {**said_of(batch), "said_by": ""})).status_code == 400, "nobody said so"
    assert not (await recall_of(here, stream)).over
    assert (await says(hospital, stream, said_of("lot-none"))).status_code == 422
    silent = await says(hospital, stream, {**said_of(batch), "units": []})
    assert_problem(silent, 422, "invalid")
    assert f"u1 of {batch}" in silent.json()["detail"], "which unit nothing was said of"
    strange = await hospital.say(stream, dict(said_of(batch)), effect="Rao Asha 1960")
    assert_problem(strange, 404, "not_found")
    assert not (await recall_of(here, stream)).hospitals[hospital.id].acknowledged
    assert (await says(hospital, stream, said_of(batch))).status_code == 200
