"""A sealer that is killed at one of its steps, by the signal nobody can catch."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from infra.audit.checkpoints import shipping
from infra.audit.checkpoints.sealer import Sealer
from tests.infra.audit.log import Log


def deadly(owner: type[Any], name: str, *, after: bool) -> None:
    """Make a method die before or after its work."""
    step = getattr(owner, name)

    async def dying(*args: Any) -> None:
        if after:
            await step(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, dying)


def main(dsn: str, folder: Path, step: str, after: bool) -> None:
    """Seal until killed."""
    owner, name = (shipping.Shipping, step.split(".")[1]) if "." in step else (Sealer, step)
    deadly(owner, name, after=after)
    asyncio.run(sealing(Log(dsn, folder)))


async def sealing(log: Log) -> None:
    async with log.sessions(log.dsn) as pool:
        await log.sealer().round(pool)
