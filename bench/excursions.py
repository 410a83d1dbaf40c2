"""A year of one-minute readings of 100 freezers, against the bare maximum of the same columns; and reading a file.

Four years of readings take turns for the hundred, so that memory is not what is measured. Each has rises and gaps.
"""

import random
import time
from array import array
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from bench.common import Asked, Row, short
from domain.doses.readings import Readings, StoreRule, parse, summarise

FREEZERS, MINUTES, YEARS = 100, 525_600, 4
BEGAN = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
RULE = StoreRule(-150.0, 300, 600)


def year(seed: int, minutes: int) -> Readings:
    """Readings around -185 °C with a door that opens daily, a rise each month, and a gap each season."""
    chance = random.Random(seed)
    values = array("d", [round(-185 + chance.random() * 4, 1) for _ in range(minutes)])
    times = array("d", [BEGAN + 60.0 * n for n in range(minutes)])
    for at in range(700, minutes, 1440):
        values[at] = -148.0
    for at in range(9000, minutes - 30, 43_200):
        values[at : at + 20] = array("d", [-140.0] * 20)
    for at in range(60_000, minutes - 60, 130_000):
        del values[at : at + 30], times[at : at + 30]
    return times, values


def written(readings: Readings) -> str:
    """The readings as a logger's file."""
    lines = (
        f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ},{value}" for at, value in zip(*readings, strict=True)
    )
    return "\n".join(lines)


async def main(asked: Asked) -> AsyncIterator[Row]:
    """Yield one row: the excursions of all freezers, the bare maximum, and one file."""
    minutes, freezers = asked.either(MINUTES, 20_000), asked.either(FREEZERS, 4)
    years = [year(seed, minutes) for seed in range(YEARS)]
    began = time.process_time()
    found = [len(summarise(years[n % YEARS], RULE).excursions) for n in range(freezers)]
    took = time.process_time() - began
    began = time.process_time()
    for n in range(freezers):
        max(years[n % YEARS][0])
        max(years[n % YEARS][1])
    floor = time.process_time() - began
    text = written(years[0])
    began = time.process_time()
    assert parse(text) == years[0]
    reading = time.process_time() - began
    yield {
        "freezers": freezers, "readings": freezers * minutes, "excursions": sum(found), "seconds": short(took),
        "maximum of both columns, s": short(floor), "times that": short(took / floor),
        "a year's file of one, s": short(reading),
    }  # fmt: skip
