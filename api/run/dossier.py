"""`caravel audit export`: a case as a file, from the database of this machine."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import httpx2
from cyclopts import Parameter

from api.cli.here import MACHINE
from api.cli.outcome import Failed, failed_of, say
from api.cli.way import running
from api.run.audit import here
from api.run.http import http_app
from api.run.wiring import parts

PATIENCE = 70
"""Seconds: a little more than the sealer takes at most."""
NAME = Annotated[Path | None, Parameter(name="--out")]


def export(case: str, *, level: str = "regulator", out: NAME = None, wait: int = PATIENCE) -> None:
    """Write the dossier of a case. Who took it is recorded.

    Args:
        case: Its id or number.
        level: full, clinical or regulator (nothing personal, and still provable).
        out: The file; the case's id and the level when nothing is said.
        wait: Seconds to wait at most until every event is sealed.
    """
    stream, content = running(_dossier(case, level, wait))
    file = out or Path(f"{stream}-{level}.zip")
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Failed(1, f"the file cannot be written: {error.strerror}") from None
    say(f"{file}: {len(content)} bytes, SHA-256 {sha256(content).hexdigest()}")


async def _dossier(case: str, level: str, wait: int) -> tuple[str, bytes]:
    async with parts(here(), connections=4) as ledger:
        transport = httpx2.ASGITransport(app=http_app(ledger, local=MACHINE))
        async with httpx2.AsyncClient(transport=transport, base_url="http://caravel", timeout=None) as http:
            answer = await http.get(f"/audit/cases/{case}/dossier", params={"level": level, "wait": wait})
    if answer.is_error:
        problem: Any = answer.json()
        raise failed_of(answer.status_code, problem)
    named = answer.headers["content-disposition"].partition('"')[2].partition('"')[0]
    return named.removesuffix(f"-{level}.zip"), answer.content
