"""Runs PostgreSQL's programs for backups; they end when this process ends."""

from __future__ import annotations

import asyncio
import os
from urllib.parse import urlsplit

from api.run.backups.end_mark import BackupFailed
from infra.embedded.lifeline import lifeline
from infra.embedded.postgres_programs import find_binaries


async def run_program(program: str, dsn: str, *words: str) -> None:
    """Run it on the database at `dsn`. Raises BackupFailed with the last line it said."""
    url = urlsplit(dsn)
    place = url._replace(netloc=url.netloc.replace(f":{url.password}@", "@")) if url.password else url
    process = await asyncio.create_subprocess_exec(
        *lifeline([str(find_binaries() / program), f"--dbname={place.geturl()}", *words]),
        env={**os.environ, "PGPASSWORD": url.password or ""},  # not among the words every user of the machine can see
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        raise BackupFailed(lines[-1] if lines else f"{program} ended with {process.returncode}")
