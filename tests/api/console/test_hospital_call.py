"""A hospital that does not answer, as an operator sees it: a worker, a simulator and Temporal as they really run."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Locator, expect
from temporalio.client import Client

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.http.streams_end import serve
from api.ports import DevSignIn
from api.run.engine.courier import Courier
from api.run.engine.restore import restore
from api.run.http_app import http_app
from api.run.wiring import Parts, connect_temporal, parts
from domain.case.state import Case
from domain.catalogue.centre import RegisterCentre
from domain.catalogue.protocol import ConfirmProtocolOpen, RegisterProtocol
from domain.stages.eligibility.submissions import ChooseCentre
from domain.stages.intake.inquiry import AcknowledgeScope, OpenCase, ReplyToFamily
from domain.stages.intake.people import GiveConsent
from domain.stages.records.dossier import DraftSummary, SignSummary
from domain.stages.records.records import ReceiveRecord, RequestRecord, VerifyRecord
from infra.embedded.server_process import ServerProcess, free_port
from infra.embedded.temporal_server import NAMESPACE, TemporalServer
from infra.ids import fresh_stream
from rehearsal.hospitals.behaviour import behaviour
from rehearsal.hospitals.book import Book
from rehearsal.hospitals.keys import HospitalKeys
from rehearsal.world.papers import papers
from tests.api.conftest import NO_LIMIT, SECRET, registered, settings
from tests.api.console.conftest import Screen, screen
from tests.infra.gateways import Process
from tests.workflows.rig import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(360)]
CENTRE, PROTOCOL = "centre-real", "protocol-real"
LONG = 150.0
"""Seconds for what takes a few on a free machine."""
WORKER = """
from datetime import timedelta
from activities import perform
from api.cli import main
perform.CALL, perform.LEASE = 4.0, timedelta(seconds=5)
main(["worker"])
"""
"""`caravel worker`; it asks about a call it is unsure of after 5 s, not after 40."""


@dataclass
class Real:
    """Everything, with the hospital still closed."""

    here: Parts
    site: str
    folder: Path
    port: int
    """Where the hospital will be."""

    def hospital(self, seed: int) -> Process:
        """`python -m rehearsal.hospitals`."""
        words = ["--port", str(self.port), "--seed", str(seed), "--book", str(self.folder / "book.sqlite")]
        words += ["--keys", str(self.folder / "keys")]
        return Process(self.folder, "rehearsal.hospitals", tuple(words), f"http://127.0.0.1:{self.port}")


@pytest.fixture(scope="module")
async def real(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Real]:
    folder = tmp_path_factory.mktemp("real")
    temporal = TemporalServer(folder / "temporal", ui=True)
    await temporal.start()
    given = settings(
        postgres,
        folder / "home",
        temporal_ui=f"{temporal.ui_url}/namespaces/{NAMESPACE}",
        endpoints_allowed=("127.0.0.1",),
    )
    async with temporal, parts(given) as here:
        client = await connect_temporal(target_host=temporal.address, namespace=NAMESPACE)
        await restore(here.ledger, client, Courier(here.ledger, client, postgres), take_over=False)
        async with worker(folder, postgres, temporal.address), served(here, client) as site:
            yield Real(here, site, folder, free_port())


@asynccontextmanager
async def worker(folder: Path, dsn: str, temporal: str) -> AsyncIterator[None]:
    told = {"CARAVEL_DATABASE_URL": dsn, "CARAVEL_HOME": str(folder / "home"), "TEMPORAL_ADDRESS": temporal}
    told["CARAVEL_ENDPOINTS_ALLOWED"] = "127.0.0.1"
    process = ServerProcess(folder / "worker", "worker", signal.SIGTERM)
    await process.own()
    process.spawn([sys.executable, "-c", WORKER], env={**os.environ, **told})
    yield
    await process.stop(15)


@asynccontextmanager
async def served(here: Parts, client: Client) -> AsyncIterator[str]:
    port, stop, ready = free_port(), asyncio.Event(), asyncio.get_running_loop().create_future()
    dev = DevSignIn(SECRET, frozenset({f"127.0.0.1:{port}"}))
    app = http_app(here, client, dev=dev, limits=NO_LIMIT)
    task = asyncio.create_task(serve(app, "127.0.0.1", port, stop, ready.set_result))
    yield f"http://127.0.0.1:{await ready}"
    stop.set()
    await task


async def opened_centre(real: Real) -> None:
    """A centre that is reached where the hospital will be, and its open protocol."""
    keeper, meta = real.here.commands, Meta("test", "operation")
    centre = RegisterCentre(
        "Real Hospital", "Shanghai", "CN", "Asia/Shanghai", ("en",), True, ("cell_therapy",), "test",
        date(2026, 1, 1), endpoint=f"http://127.0.0.1:{real.port}/{CENTRE}/fhir",
        callback_key=HospitalKeys(real.folder / "keys").public(CENTRE),
    )  # fmt: skip
    protocol = RegisterProtocol(
        registry="NCT2", title="Trial", product="CAR-S", product_class="allogeneic", targets=("CD19",),
        diseases=("B-ALL",), centre=CENTRE, source="test", as_of=date(2026, 1, 1),
    )  # fmt: skip
    await keeper.record(CommandRequest(CENTRE, meta, centre))
    await keeper.record(CommandRequest(PROTOCOL, meta, protocol))
    await keeper.record(
        CommandRequest(PROTOCOL, meta, ConfirmProtocolOpen(datetime.now(UTC) + timedelta(days=90), "sponsor"))
    )


async def ready_to_submit(real: Real, owner: str) -> tuple[str, str]:
    """A case whose dossier only has to be handed in: it, and its submission."""
    case = fresh_stream("case")

    async def tell(*commands: Any) -> Case:
        state = Case()
        for command in commands:
            request = CommandRequest(case, Meta(owner), command, stored=papers(command))
            state = (await real.here.commands.record(request)).case
        return state

    state = await tell(OpenCase("IN", "en", "Asia/Kolkata", "Asha Rao", owner=owner, team="asia"))
    assert state.patient
    who = state.patient.id
    state = await tell(ReplyToFamily("call"), AcknowledgeScope(who, "1"), RequestRecord("pathology"))
    item = next(iter(state.records))
    consents = [GiveConsent(p, who, "1", "en", recipient=CENTRE) for p in ("share_with_hospital", "cross_border")]
    state = await tell(
        GiveConsent("data_processing", who, "1", "en"), ReceiveRecord(item, "a" * 64, "en"),
        VerifyRecord(item, by=owner), DraftSummary("b" * 64, by=owner), SignSummary(by="person-other"),
        ChooseCentre(CENTRE, PROTOCOL), *consents,
    )  # fmt: skip
    return case, next(iter(state.submissions))


async def dossier_sent(real: Real, case: str) -> str:
    """The effect that takes the dossier to the hospital."""
    state, _, _ = await real.here.commands.case(case)
    return next(e.id for e in state.effects.values() if e.kind == "submit_dossier")


def kept_but_said_failed(effect: str) -> int:
    """A seed with which the hospital keeps the request, says it failed, and then answers when asked about it."""
    plans = ((n, behaviour(n, effect, "submit_dossier")) for n in range(100_000))
    return next(n for n, plan in plans if plan.troubles == ("error_kept",) and not plan.refusal)


async def line_of(operator: Screen, number: str) -> Locator:
    """The dossier's line among the calls that failed, on the operations page as it is now."""
    await operator.go("/console/operations")
    lines = operator.page.locator("#h-effects ~ .scroll tr").filter(has_text=number)
    return lines.filter(has_text="Dossier to the hospital")


async def shown(operator: Screen, number: str, *, there: bool) -> Locator:
    """The line once it is on the page, or no longer."""

    async def as_wanted() -> Locator | None:
        line = await line_of(operator, number)
        return line if (await line.count() > 0) == there else None

    found = await eventually(as_wanted, within=LONG, every=0.5)
    assert found
    return found


async def in_temporal(operator: Screen, case: str, number: str, line: Locator) -> None:
    """Follow the line's link: Temporal's own page shows the workflow of this very case, and that it runs."""
    link = line.get_by_role("link", name=f"Workflow of case {number}")
    page = await operator.page.context.new_page()
    await page.goto(str(await link.get_attribute("href")))
    for words in (case, "Running"):
        await expect(page.locator("body")).to_contain_text(words, timeout=LONG * 1_000)
    await page.close()


async def delivered(coordinator: Screen, case: str) -> None:
    await coordinator.go(f"/console/cases/{case}/messages")
    told = coordinator.page.locator("li", has_text="Dossier to the hospital")
    await expect(told).to_contain_text("received by the hospital")


async def test_an_operator_sees_a_hospital_call_fail_and_reconcile(chromium: Chromium, real: Real) -> None:
    """The hospital is closed; then it keeps the request but says that it failed; then it is asked, and has it."""
    owner = await registered(real.here, "coordinator")
    await opened_centre(real)
    case, submission = await ready_to_submit(real, owner)
    coordinator = await screen(chromium, real.site, owner)
    operator = await screen(chromium, real.site, await registered(real.here, "operator"))
    await coordinator.do(case, "SubmitDossier", submission=submission)
    number, effect = (await real.here.commands.case(case))[0].number, await dossier_sent(real, case)

    line = await shown(operator, number, there=True)
    await expect(line).to_contain_text("under way")
    await expect(line).to_contain_text("tried again by itself")
    for queue in ("cases", "hospitals", "notices"):
        await expect(operator.page.locator("#h-workers ~ table tr", has_text=queue).first).to_contain_text("@")
    await expect(operator.page.locator(".cards")).to_contain_text("Courier: answers")

    hospital = real.hospital(kept_but_said_failed(effect))
    try:
        await hospital.start()
        await in_temporal(operator, case, number, line)
        await shown(operator, number, there=False)
        await delivered(coordinator, case)
        book = Book(real.folder / "book.sqlite")
        assert [(one["effect"], one["kept"], one["requests"]) for one in book.effects()] == [(effect, 1, 1)], "once"
        book.close()
    finally:
        await hospital.stop()
    for one in (coordinator, operator):
        await one.page.context.close()
