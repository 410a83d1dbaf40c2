"""Documents are scanned as they come in: a signature found or a scanner that is away, and nothing of the file stays."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from api.ports import DevSignIn
from api.run.http_app import http_app
from api.run.wiring import Parts
from infra.embedded.server_process import free_port
from infra.virus_scan import Clamd
from tests.api.conftest import CANARY, HOST, NO_LIMIT, SECRET, Person, registered, signed_in
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_documents import PDF, attach

BAD = PDF + b"caravel-test-signature-7f3a"
INSTALLED = shutil.which("clamd") is not None


def started() -> tuple[subprocess.Popen[bytes], Path, str]:
    """Debian's clamd with one signature of our own, and no other."""
    folder = Path(tempfile.mkdtemp(prefix="clamd-"))
    (folder / "db").mkdir()
    signature = b"caravel-test-signature-7f3a".hex()
    (folder / "db" / "own.ndb").write_text(f"Caravel.Test.Signature:0:*:{signature}\n")
    port = free_port()
    (folder / "clamd.conf").write_text(
        f"DatabaseDirectory {folder}/db\nTCPSocket {port}\nTCPAddr 127.0.0.1\nForeground yes\n"
        f"LogFile {folder}/log\nStreamMaxLength 3M\nMaxThreads 2\nTemporaryDirectory {folder}\n"
    )
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o644)
    process = subprocess.Popen(["clamd", "-c", str(folder / "clamd.conf")], stdout=subprocess.DEVNULL)
    return process, folder, f"127.0.0.1:{port}"


@pytest.fixture(scope="module")
async def clamd() -> AsyncIterator[str]:
    if not INSTALLED:
        pytest.skip("Debian's clamav-daemon is not installed")
    process, folder, address = started()
    for _ in range(600):
        if await Clamd(address).answers():
            break
        await asyncio.sleep(0.1)
    yield address
    process.terminate()
    process.wait()
    shutil.rmtree(folder)


async def person(here: Parts, app: FastAPI) -> Person:
    return await signed_in(app, await registered(here, "coordinator"))


def with_scanner(here: Parts, address: str, unscanned: str = "refuse") -> FastAPI:
    """The same app with another scanner; its settings are read once, so they are put in here."""
    told = here.settings.model_copy(update={"clamd": address, "clamd_down": unscanned})
    return http_app(replace(here, settings=told), dev=DevSignIn(SECRET, frozenset({HOST})), limits=NO_LIMIT)


def kept(here: Parts) -> set[str]:
    folder = here.settings.document_folder
    return {one.name for one in folder.rglob("*") if one.is_file()} if folder.exists() else set()


async def sent(here: Parts, app: FastAPI, content: bytes) -> tuple[httpx2.Response, set[str]]:
    """What came of sending it, and which files it left in the store."""
    before = kept(here)
    async with app.router.lifespan_context(app):
        who = await person(here, app)
        case = str((await who.open())["case"])
        answer = await attach(who, case, content)
        return answer, kept(here) - before


async def troubles(here: Parts, answer: httpx2.Response) -> tuple[str, ...]:
    told = answer.json()
    return (await here.commands.case(told["case"]))[0].stored[told["document"]].troubles


async def test_a_signature_is_named_and_nothing_is_kept(here: Parts, clamd: str) -> None:
    app = with_scanner(here, clamd)
    answer, left = await sent(here, app, BAD)
    assert_problem(answer, 422, "infected")
    assert "Caravel.Test.Signature" in answer.json()["detail"]
    assert CANARY not in answer.text
    assert left == set()
    clean, left = await sent(here, app, PDF)
    assert clean.status_code == 201, clean.text
    assert "not_scanned" not in await troubles(here, clean)
    assert len(left) == 1


async def test_what_is_larger_than_the_scanner_takes_is_refused_with_the_reason(here: Parts, clamd: str) -> None:
    answer, left = await sent(here, with_scanner(here, clamd), PDF + os.urandom(4 * 1024 * 1024))
    assert_problem(answer, 503, "not_scanned")
    assert left == set()


async def test_a_scanner_that_is_away_refuses_or_marks_as_it_is_set(here: Parts) -> None:
    away = f"127.0.0.1:{free_port()}"
    refused, left = await sent(here, with_scanner(here, away), PDF)
    assert_problem(refused, 503, "not_scanned")
    assert left == set()
    taken, left = await sent(here, with_scanner(here, away, "take"), PDF)
    assert taken.status_code == 201, taken.text
    assert "not_scanned" in await troubles(here, taken)
    assert len(left) == 1


async def _answering(says: bytes) -> tuple[asyncio.Server, str]:
    """A socket that reads a little, says that, and closes: what a scanner does that fails."""

    async def serve(reader: Any, writer: Any) -> None:
        await reader.read(100)
        writer.write(says)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("says", "why"),
    [
        (b"", "no verdict"),
        (b"garbage\0", "no verdict"),
        (b"stream: OK and more\0", "no verdict"),
        (b"INSTREAM size limit exceeded. ERROR\0", "larger than it takes"),
    ],
)
async def test_what_is_no_verdict_is_none(here: Parts, says: bytes, why: str) -> None:
    server, address = await _answering(says)
    async with server:
        answer, left = await sent(here, with_scanner(here, address), PDF)
    assert_problem(answer, 503, "not_scanned")
    assert why in answer.json()["detail"]
    assert left == set()
