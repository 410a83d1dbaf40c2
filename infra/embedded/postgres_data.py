"""PostgreSQL's data folder: made whole or not at all, and freed from what a killed server left."""

import asyncio
import contextlib
import secrets
import shutil
from pathlib import Path

from infra.embedded.lifeline import lifeline
from infra.embedded.postgres_programs import Programs
from infra.embedded.server_process import ServerError

SUPERUSER = "postgres"
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin:/sbin", "LC_ALL": "C"}
CREATION = ("--auth=scram-sha-256", f"--username={SUPERUSER}", "--encoding=UTF8", "--locale=C", "--data-checksums")


async def create(folder: Path, programs: Programs, *, durable: bool) -> str:
    """Make a data folder under a draft name, so that a kill half-way leaves nothing to trip over; its password."""
    draft, file = folder / "data.new", folder / "password.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(0o700)
    file.unlink(missing_ok=True)
    file.touch(0o600)
    file.write_text(secrets.token_urlsafe(24))
    programs.give(draft, file)
    options = [*CREATION, f"--pwfile={file}", *([] if durable else ["--no-sync"])]
    await _run(programs.command("initdb", "-D", str(draft), *options), programs.user)
    password = file.read_text()
    file.unlink()
    return password


def adopt(folder: Path) -> None:
    """Give the draft its final name; call it once the password is kept."""
    (folder / "data.new").rename(folder / "data")


def forget_stale_pid(data: Path) -> None:
    """Drop a killed server's pid file when another program has that number by now; PostgreSQL cannot tell."""
    file = data / "postmaster.pid"
    if not file.exists():
        return
    at = Path("/proc", file.read_text().partition("\n")[0], "cwd")
    with contextlib.suppress(FileNotFoundError):  # nobody has that number, or is about to end: PostgreSQL sees that
        if at.readlink() != data.resolve():
            file.unlink()


async def _run(command: list[str], user: int | None) -> None:
    child = await asyncio.create_subprocess_exec(
        *lifeline(command, user=user),
        env=ENVIRONMENT,
        cwd="/",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await child.communicate()
    if child.returncode:
        raise ServerError(f"PostgreSQL's data folder could not be made:\n{said.decode(errors='replace')}")
