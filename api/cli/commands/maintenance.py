"""Does what an operator needs now and then: run everything, restore onto a Temporal, back up, rebuild read models."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console

from api.cli.commands.history.verify import Json
from api.cli.commands.history.verify import here as here_settings
from api.cli.outcome import REFUSED, CommandFailed, as_json, say, table
from api.cli.way import running
from api.run.backups.end_mark import BackupFailed
from api.run.backups.make import backup as make_backup
from api.run.backups.recover import recover as put_back
from api.run.clock import accept as accept_clock
from api.run.clock import acted, spans
from api.run.embedded.machine import machine
from api.run.engine.courier import Courier
from api.run.engine.restore import restore as bring_live
from api.run.loss import Accepting, explained, whole
from api.run.verifying import views_of
from api.run.wiring import EVERY_EVENT, connect_temporal, parts
from domain.catalogue.installation import ClockReason, LossReason
from infra.embedded.server_process import ServerError
from infra.keys import FolderKeys
from infra.ledger.encoding.codec import Codec
from infra.ledger.rebuild import Rebuild, Rebuilt
from infra.settings import Settings
from infra.telemetry import configure_logs

UNAVAILABLE = 3


def up(*, home: Path | None = None, cohort: int = 24, seed: int = 1, still: bool = False) -> None:
    """Run everything on this machine until Ctrl-C: PostgreSQL, Temporal, hospitals, mail, worker, API.

    Args:
        home: Folder of all data; CARAVEL_HOME or ./.caravel.
        cohort: How many journeys an empty folder is filled with.
        seed: The same seed, the same journeys.
        still: Nobody acts by themselves afterwards.
    """
    from api.run.embedded.up import up as run_everything  # noqa: PLC0415 - the rehearsal, which no other needs

    try:
        running(run_everything((home or Settings().home).absolute(), cohort=cohort, seed=seed, still=still))
    except ServerError as error:
        Console(stderr=True).print(str(error))
        sys.exit(UNAVAILABLE)


def restore(
    *, take_over: bool = False, accept_loss: bool = False, reason: LossReason | None = None, by: str = ""
) -> None:
    """Start a loop for every open case on the configured Temporal; the first start of an installation does this too.

    Args:
        take_over: Act for a ledger another Temporal acts for; stop that one first.
        accept_loss: Go on although the end of the history is lost; with --take-over, --reason and --by.
        reason: Why it was lost, recorded for ever.
        by: The person who accepts it (a supervisor or operator), recorded for ever.
    """
    if accept_loss and not (take_over and reason and by):
        raise CommandFailed(REFUSED, "--accept-loss goes with --take-over, --reason and --by")
    restored = running(_restore(take_over=take_over, loss=Accepting(reason, by) if accept_loss and reason else None))
    say(f"epoch {restored.epoch}: {restored.now} cases started now, {restored.later} sleep until something falls due")


async def _restore(*, take_over: bool, loss: Accepting | None) -> Any:  # noqa: ANN401 - Restored
    settings = here_settings()
    configure_logs(settings.log_level)
    beside = machine(settings.home.absolute()).temporal.known_address
    async with parts(settings, connections=4) as here:
        client = await connect_temporal(**({"target_host": beside} if beside else {}))
        above = await whole(here, client, loss)
        courier = Courier(here.ledger, client, settings.database_url.get_secret_value())
        return await bring_live(here.ledger, client, courier, take_over=take_over, above=above, progress=_progress)


def _progress(done: int, all_of: int) -> None:
    if done == all_of or done % 500 == 0:
        Console(stderr=True).print(f"  {done} of {all_of}")


def backup(into: Path) -> None:
    """Write database, documents and keys into a new folder below `into`, last the mark that says it is whole."""
    try:
        say(str(running(make_backup(Settings(), into))))
    except BackupFailed as failed:
        raise CommandFailed(UNAVAILABLE, str(failed)) from None


def recover(folder: Path) -> None:
    """Put a whole backup into an empty installation; what was destroyed since it was made stays destroyed.

    Cut short, it is given again with the same words.
    """
    try:
        done = running(put_back(Settings(), folder, lambda text: Console(stderr=True).print(text, markup=False)))
    except BackupFailed as failed:
        raise CommandFailed(REFUSED, str(failed)) from None
    if done.faults:
        raise CommandFailed(
            REFUSED, "put back, but what is there now is not whole; put back another backup", done.faults
        )
    say(f"put back; keys of {len(done.erased)} histories stay destroyed. `caravel restore` brings the cases live")
    for line in explained(done.missing) if done.missing else ():
        say(line)
    for case in done.told:
        say(f"  {case} was erased after this backup was made; its tombstone is recorded again")


def rebuild(*, check: bool = False) -> None:
    """Compute every read model again from the events and swap it in.

    Args:
        check: Only compare; the exit code is 1 when anything differs.
    """
    rebuilt = running(_rebuild(swap=not check))
    say(f"{rebuilt.streams} streams, {len(rebuilt.differing)} rows differed")
    for name, stream in rebuilt.differing:
        say(f"  {name} {stream}")
    if check and rebuilt.differing:
        sys.exit(1)


async def _rebuild(*, swap: bool) -> Rebuilt:
    settings = Settings()
    keys = FolderKeys(settings.keys, kek=settings.kek, destroyed=settings.destroyed_keys)
    connection = await asyncpg.connect(settings.database_url.get_secret_value(), ssl=False)
    try:
        return await Rebuild(connection, keys, Codec(EVERY_EVENT), views_of).run(swap=swap)
    finally:
        await connection.close()


def simulator(*, port: int, book: Path, keys: Path, api: str = "", seed: int = 1, speed: float = 1.0) -> None:
    """Simulated hospitals: a FHIR server per centre that acknowledges, asks, accepts, declines, or never answers.

    Args:
        port: Where it listens, on 127.0.0.1.
        book: SQLite file it keeps its own book in.
        keys: Folder of its signing secret.
        api: Where callbacks go.
        seed: What every mood follows from.
        speed: Seconds of the journey in one second.
    """
    from rehearsal.hospitals.__main__ import options, serve  # noqa: PLC0415 - a program of its own

    words = ["--port", str(port), "--book", str(book), "--keys", str(keys), "--api", api]
    running(serve(options([*words, "--seed", str(seed), "--speed", str(speed)])))


WHAT_NOW = """Until somebody decides nothing is recorded. If the clock is right now:
caravel audit clock --accept --reason … --by PERSON"""


def clock(*, accept: bool = False, reason: ClockReason | None = None, by: str = "", json: Json = False) -> None:
    """List events dated ahead of the clock and what followed from that by itself; the exit code is 1 while undecided.

    Args:
        accept: The clock is right now: go on recording by it. With --reason and --by.
        reason: Why it ran ahead, recorded for ever.
        by: The person who says so (a supervisor or operator), recorded for ever.
        json: For programs.
    """
    if accept and not (reason and by):
        raise CommandFailed(REFUSED, "--accept goes with --reason and --by")
    found = running(_clock(reason if accept else None, by))
    if json:
        as_json(found)
    else:
        _show(found)
    if any(not one["by"] for one in found):
        sys.exit(REFUSED)


async def _clock(reason: ClockReason | None, by: str) -> list[dict[str, Any]]:
    async with parts(here_settings(), connections=2) as opened:
        if reason:
            await accept_clock(opened, reason, by)
        return [
            {**asdict(one), "acted": [asdict(row) for row in await acted(opened, one)]} for one in await spans(opened)
        ]


def _show(found: list[dict[str, Any]]) -> None:
    if not found:
        say("no event is dated ahead of the clock")
    for one in found:
        who = f"accepted by {one['by']}" if one["by"] else "NOBODY HAS ACCEPTED THIS"
        say(f"positions {one['first']} to {one['last']} are dated up to {one['ahead']}: {who}")
        table(
            ("case", "position", "what followed by itself", "way back", ""),
            [(r["number"], r["position"], r["event"], r["command"], r["says"]) for r in one["acted"]],
        )
        if not one["by"]:
            say(WHAT_NOW)
