"""A person forgotten by the real command line and a real worker: no span, workflow, log or file says the name."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from temporalio.client import Client

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.backups.make import backup
from api.run.wiring import Parts, parts
from domain.proof.merkle import check_consistency, check_inclusion
from domain.stages.anytime.notes import AddNote
from domain.stages.follow_up.closing import LeaveJourney
from infra.audit.checkpoints.checkpoint import parse_text
from infra.audit.checkpoints.note import parse
from infra.embedded.postgres_server import PostgresServer
from infra.embedded.temporal_server import TemporalServer
from infra.reads.proofs import ProofQueries
from infra.settings import Settings
from tests.api.cli.test_cli import Cli
from tests.api.conftest import registered, settings
from tests.api.run.test_erasing import in_files, in_tables, readable, stone
from tests.conftest import execute
from tests.workflows.rig import connected, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
NAME, MAIL = "Zinaida Forgetmenot-Ølgaard", "forgetmenot@example.org"
PLANTED = ("Forgetmenot", "Zinaida", MAIL, "Ølgaard", "forgettable-lymphoma")
INQUIRY = (
    "country=IN",
    "language=hi",
    "zone=Asia/Kolkata",
    f"patient_name={NAME}",
    f"patient_mail={MAIL}",
    "diagnosis=forgettable-lymphoma",
    "despite_duplicates=test",
)


def planted(content: bytes) -> list[str]:
    return [word for word in PLANTED if word.encode() in content]


@dataclass
class Collector:
    """Takes spans over OTLP/HTTP and keeps them as they came."""

    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    @property
    def content(self) -> bytes:
        return b"".join(self.bodies)


@pytest.fixture
def spans() -> Iterator[Collector]:
    kept = Collector()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


@pytest.fixture
async def here(dsn: str, tmp_path: Path) -> AsyncIterator[Parts]:
    async with parts(settings(dsn, tmp_path / "home", seal_seconds=0.5)) as opened:
        yield opened


def variables(known: Settings, temporal: TemporalServer) -> dict[str, str]:
    return {
        "CARAVEL_DATABASE_URL": known.database_url.get_secret_value(),
        "CARAVEL_HOME": str(known.home),
        "CARAVEL_SEAL_SECONDS": "0.5",
        "CARAVEL_SMTP": "127.0.0.1:9",
        "TEMPORAL_ADDRESS": temporal.address,
    }


@asynccontextmanager
async def worker(given: Mapping[str, str], said: Path) -> AsyncIterator[None]:
    """`caravel worker` as a process; its output goes to a file."""
    with said.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "api.cli",
            "worker",
            env={**os.environ, **given, "PYTHONUNBUFFERED": "1"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def in_temporal(client: Client, case: str) -> bytes:
    """Every byte the server gives of a case: each run's history, what lists show of it, and its description."""
    found = b""
    async for run in client.list_workflows(f"WorkflowId = '{case}'"):
        handle = client.get_workflow_handle(case, run_id=run.run_id)
        described = await handle.describe()
        found += run.raw_info.SerializeToString() + described.raw_description.SerializeToString()
        found += b"".join([event.SerializeToString() async for event in handle.fetch_history_events()])
    return found


async def proven(here: Parts, case: str) -> None:
    """Every event of the case is in the newest tree, and that tree goes on from the oldest."""
    desk = ProofQueries(here.ledger.pool)
    points = await desk.checkpoints(0, 1000)
    first, newest = (parse_text(parse(one["note"].encode()).text) for one in (points[0], points[-1]))
    for version in range(1, await here.ledger.last_version(case) + 1):
        told = await desk.inclusion(case, version, None)
        path = [b64decode(one) for one in told["path"]]
        assert check_inclusion(b64decode(told["leaf"]), told["index"], newest.size, path, newest.root)
    told = await desk.consistency(first.size, newest.size)
    path = [b64decode(one) for one in told["proof"]]
    assert check_consistency(first.size, newest.size, first.root, newest.root, path)


async def test_by_the_command_line_with_two_people_and_nothing_anywhere_says_the_name(
    here: Parts,
    own_temporal: TemporalServer,
    postgres_server: PostgresServer,
    spans: Collector,
    tmp_path: Path,
) -> None:
    given = variables(here.settings, own_temporal)
    caravel, client, said = Cli(given), await connected(own_temporal.address), tmp_path / "worker.log"
    coordinator, quality, supervisor = [await registered(here, r) for r in ("coordinator", "quality", "supervisor")]
    assert (await caravel("restore")).code == 0
    tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": spans.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    async with worker({**given, **tracing}, said):
        opened = await caravel("case", "open", *INQUIRY, "--as", coordinator, "--json")
        case = str(opened.json["case"])
        for what in (AddNote("note", f"{NAME} rang"), LeaveJourney("declined")):
            await here.commands.record(CommandRequest(case, Meta(coordinator), what))
        older = await backup(here.settings, tmp_path)
        assert not planted((older / "database.dump").read_bytes()), "the dump says nothing without the key service"
        order = ("case", "erase", case, "--reason", "consent_withdrawn", "--note", f"{NAME} wrote")
        assert (await caravel(*order, "--as", quality)).code == 0
        alone = await caravel("case", "erase", case, "--confirm", "--as", quality)
        assert (alone.code, "nobody confirms an order of their own" in alone.err) == (1, True)
        assert await readable(here, case), "the control: one person destroys nothing"
        assert (await caravel("case", "erase", case, "--confirm", "--as", supervisor)).code == 0
        await eventually(lambda: erased(here, case), within=60)
        await eventually(lambda: sealed(here), within=60)
        await eventually(lambda: seen(spans, case), within=60)
    assert not await readable(here, case)
    tombstone = await stone(here, case)
    assert (tombstone.ordered_by, tombstone.confirmed_by) == (quality, supervisor)

    told = await in_temporal(client, case)
    assert b"erase_case" in told, "the control: this is where it would stand"
    assert b"worker ready" in said.read_bytes(), "the control: it did say something"
    assert (planted(told), planted(spans.content), planted(said.read_bytes())) == ([], [], [])
    httpx2.post(spans.url, content=NAME.encode())
    assert planted(spans.content), "the control: what would be sent would be found"
    assert not [f for f in (own_temporal_folder(own_temporal)).rglob("temporal.db*") if planted(f.read_bytes())]
    assert (await in_tables(given["CARAVEL_DATABASE_URL"]), in_files(here.settings.home)) == ([], [])

    await proven(here, case)
    verified = await caravel("audit", "verify", "--jobs", "1", "--json")
    assert verified.json["broken"] is None
    assert (verified.json["holds"], verified.json["erased"]) == (True, [case])
    package = tmp_path / "case.zip"
    taken = await caravel("audit", "export", case, "--level", "full", "--wait", "10", "--out", str(package))
    assert (taken.code, planted(package.read_bytes())) == (0, []), taken.err
    assert (await caravel("audit", "verify", str(package))).code == 0
    await put_back(postgres_server, here, older, case, caravel, tmp_path)


async def put_back(server: PostgresServer, here: Parts, older: Path, case: str, caravel: Cli, tmp_path: Path) -> None:
    """A backup from before the order, in another place: it stays erased, and says on whose order."""
    name, home = f"test_{uuid4().hex[:12]}", tmp_path / "elsewhere"
    home.mkdir()
    await execute(server.dsn, f"create database {name}")
    try:
        there = {"CARAVEL_DATABASE_URL": server.dsn_of(name), "CARAVEL_HOME": str(home)}
        shutil.copy2(here.settings.destroyed_keys, home / "destroyed")
        recovered = await caravel("recover", str(older), **there)
        assert (recovered.code, f"{case} was erased after this backup" in recovered.out) == (0, True), recovered.err
        async with parts(settings(server.dsn_of(name), home), connections=2) as restored:
            assert await stone(restored, case) == await stone(here, case)
            assert not await readable(restored, case)
    finally:
        await execute(server.dsn, f"drop database {name} with (force)")


def own_temporal_folder(server: TemporalServer) -> Path:
    return server._process.folder


async def erased(here: Parts, case: str) -> bool:
    known = (await here.commands.case(case))[0].erasure
    return bool(known and known.done)


async def sealed(here: Parts) -> bool:
    return bool((await ProofQueries(here.ledger.pool).exposure())["events"] == 0)


async def seen(spans: Collector, case: str) -> bool:
    return case.encode() in spans.content and b"activity erase_case" in spans.content
