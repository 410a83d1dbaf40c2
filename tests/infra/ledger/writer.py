"""A process of its own that appends until it is told how much is enough, printing what was acknowledged."""

import asyncio
import random
import sys
from pathlib import Path

from infra.ledger.encoding.errors import DatabaseFailed
from infra.ledger.ledger import PgLedger
from tests.infra.ledger.cases import Counted, PatientNamed, opened, stream, writing


async def write(ledger: PgLedger, appends: int, chance: random.Random) -> None:
    """Append batches of 1 to 5 events to new streams; one line an acknowledged append."""
    for _ in range(appends):
        name, size = stream(), chance.randint(1, 5)
        events = [PatientNamed("x") if chance.random() < 0.1 else Counted(i) for i in range(size)]
        try:
            facts = await ledger.append(writing(name, 0, *events))
        except DatabaseFailed:
            return
        print(name, len(facts), flush=True)  # noqa: T201 - its parent reads it


async def main(dsn: str, folder: str, writers: int, appends: int, seed: int) -> None:
    """Run so many writers at once."""
    ledger = await opened(dsn, Path(folder))
    await asyncio.gather(*(write(ledger, appends, random.Random(seed + i)) for i in range(writers)))
    await ledger.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])))
