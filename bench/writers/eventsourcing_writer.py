"""Run in a venv of its own by bench.peers: appends with the `eventsourcing` package's PostgreSQL recorder, in threads.

Told `[writers, batch, seconds]` a line, it answers `[appends a second, p50, p99 in milliseconds]`.
"""

import json
import sys
import time
from statistics import median
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

STATE = json.dumps({"note": "x" * 300, "actor": "a"}).encode()


def append(recorder: Any, batch: int) -> None:
    """One append to a stream of its own."""
    stream = uuid4()
    recorder.insert_events([StoredEvent(stream, n, "bench:Plain", STATE) for n in range(1, batch + 1)])


def write(recorder: Any, batch: int, end: float, took: list[float]) -> None:
    """Append after append until the end."""
    while True:
        at = time.perf_counter()
        append(recorder, batch)
        took.append(time.perf_counter() - at)
        if time.perf_counter() > end:
            return


def measure(recorder: Any, writers: int, batch: int, seconds: float) -> list[float]:
    """All writers at once."""
    took: list[float] = []
    begun = time.perf_counter()
    threads = [Thread(target=write, args=(recorder, batch, begun + seconds, took)) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = time.perf_counter() - begun
    return [len(took) / whole, 1000 * median(took), 1000 * sorted(took)[int(0.99 * len(took))]]


def main(dsn: str) -> None:
    """Answer line by line."""
    at = urlsplit(dsn)
    place = (at.path[1:], at.hostname, at.port, at.username, at.password)
    store = PostgresDatastore(*place, pool_size=128, connect_timeout=60, max_waiting=128)
    recorder = PostgresApplicationRecorder(store)
    recorder.create_table()
    for line in sys.stdin:
        print(json.dumps(measure(recorder, *json.loads(line))), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
