"""The simulated hospitals as a process: `python -m rehearsal.hospitals --book FILE --keys FOLDER --api URL`."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import httpx2
import uvicorn

from rehearsal.hospitals.book import Book
from rehearsal.hospitals.desk import HospitalDesk
from rehearsal.hospitals.keys import HospitalKeys
from rehearsal.hospitals.reader import DossierReader
from rehearsal.hospitals.server import application
from rehearsal.hospitals.speaker import Speaker


def options(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.hospitals", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1, help="what every mood follows from")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of the journey in one second")
    parser.add_argument("--api", default="", help="where callbacks go; without it nothing is said")
    parser.add_argument("--book", type=Path, required=True, help="SQLite file, made when missing")
    parser.add_argument("--keys", type=Path, required=True, help="folder of the signing secret")
    return parser.parse_args(words)


async def serve(given: argparse.Namespace) -> None:
    """Serve until told to stop; on start, go on with every answer still due."""
    given.book.parent.mkdir(parents=True, exist_ok=True)
    book = Book(given.book)
    async with httpx2.AsyncClient() as http, asyncio.TaskGroup() as group:
        speaker = Speaker(book, HospitalKeys(given.keys), given.api, http)
        reader = DossierReader(book, http, speaker)

        def woken() -> None:
            speaker.wake()
            reader.wake()

        app = application(HospitalDesk(book, given.seed, given.speed), woken)
        config = uvicorn.Config(app, host=given.host, port=given.port, log_level="warning", timeout_graceful_shutdown=1)
        busy = [group.create_task(job()) for job in (speaker.run, reader.run)] if given.api else []
        await uvicorn.Server(config).serve()
        for job in busy:
            job.cancel()
    book.close()


if __name__ == "__main__":
    asyncio.run(serve(options()))
