"""`caravel audit …` on the machine: the database read as an auditor, checkpoints from every place they are kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import asyncpg
from cyclopts import Parameter
from rich.console import Console

from api.cli.outcome import REFUSED, UNAVAILABLE, Failed, as_json, say, table
from api.cli.way import running
from api.run.embedded import machine, settings_of
from api.run.maintenance import views_of
from api.run.sealing import signing_keys, where_checkpoints_are
from domain import catalogue, installation
from domain.case import EVENTS
from infra.checkpoints.checkpoint import origin_of
from infra.checkpoints.exposure import Exposure, exposure
from infra.checkpoints.note import Key, parse_key
from infra.checkpoints.sinks import sink_of
from infra.keys import FolderKeys, destroyed_in
from infra.ledger.codec import Codec
from infra.ledger.rebuild import Rebuild
from infra.proof.chunk import session
from infra.proof.found import ALL, MEANING, Break
from infra.proof.stream import verify_case
from infra.proof.verification import Question, Verified
from infra.proof.verification import verify as verify_log
from infra.settings import Settings

Json = Annotated[bool, Parameter(name="--json", negative="", help="For programs.")]
AUDITOR = {"role": "caravel_auditor", "timezone": "UTC", "jit": "off"}


def here() -> Settings:
    """The settings of this machine; of the embedded database in CARAVEL_HOME where no other is named."""
    settings = Settings()
    home = settings.home.absolute()
    if not settings.database_url.get_secret_value() and (home / "postgres").exists():
        servers = machine(home)
        servers.postgres.find()
        return settings_of(home, servers)
    if not settings.database_url.get_secret_value():
        raise Failed(UNAVAILABLE, "set CARAVEL_DATABASE_URL, or CARAVEL_HOME to the folder of `caravel up`")
    return settings


def verify(
    case: str = "", *, jobs: int = 0, key: tuple[str, ...] = (), state: Path | None = None, json: Json = False
) -> None:
    """Recompute everything, or one case. The exit code is 1 when anything does not hold.

    Args:
        case: Only this stream: its links, and that the newest checkpoint outside has its events.
        jobs: Processes; all cores when nothing is said.
        key: A public key noted down earlier, believed instead of those on this machine.
        state: A file that remembers how far it came, to go on from there.
        json: For programs.
    """
    settings = here()
    question = _question(settings, key, jobs or os.cpu_count() or 1, state, quiet=json)
    found, exposed = running(_verify(question, settings, case))
    gone = _erased(settings, case)
    as_json(_plain(found, exposed, gone)) if json else _show(found, exposed, gone)
    if found.broken:
        sys.exit(REFUSED)
    if found.away and not found.covered:
        raise Failed(UNAVAILABLE, "no checkpoint outside could be read", sorted(found.away))


def _erased(settings: Settings, case: str) -> Sequence[str]:
    """Histories, or the one, of which a key was destroyed on this machine."""
    return sorted({stream for stream, _ in destroyed_in(settings.destroyed_keys) if case in ("", stream)})


def _question(settings: Settings, key: Sequence[str], jobs: int, state: Path | None, *, quiet: bool) -> Question:
    return Question(
        dsn=settings.database_url.get_secret_value(),
        origin=origin_of(settings.installation),
        sinks=[sink_of(place) for place in settings.checkpoint_places],
        anchors=_anchors(settings, key),
        jobs=jobs,
        state=state,
        tell=lambda done, all_of: None if quiet else Console(stderr=True).print(f"  {done} of {all_of}"),
    )


def _anchors(settings: Settings, given: Sequence[str]) -> Sequence[Key]:
    try:
        return [parse_key(text) for text in given] or (
            signing_keys(settings).known() if settings.signing.exists() else []
        )
    except ValueError as error:
        raise Failed(REFUSED, f"key: {error}") from None


async def _verify(question: Question, settings: Settings, case: str) -> tuple[Verified, Exposure]:
    found = await verify_case(question, case) if case else await verify_log(question)
    if not (case or found.broken):
        found.broken = await _read_models(question, settings)
    connection = await session(question.dsn)
    try:
        return found, await exposure(connection)
    finally:
        await connection.close()


async def _read_models(question: Question, settings: Settings) -> Break | None:
    """Every read model against a rebuild, with the keys of this machine."""
    if "read_models" not in question.checks:
        return None
    keys = FolderKeys(settings.keys, kek=settings.kek, destroyed=settings.destroyed_keys)
    codec = Codec((*installation.EVENTS, *EVENTS, *catalogue.EVENTS))
    connection = await asyncpg.connect(question.dsn, ssl=False, server_settings=AUDITOR)
    try:
        compared = await Rebuild(connection, keys, codec, views_of).compare()
    finally:
        await connection.close()
    if not compared.differing:
        return None
    name, stream = compared.differing[0]
    return Break("read_model_differs", 0, stream, says=f"{name}, {len(compared.differing)} rows in all")


def _plain(found: Verified, exposed: Exposure, erased: Sequence[str]) -> dict[str, Any]:
    return {
        "holds": found.broken is None,
        "broken": asdict(found.broken) if found.broken else None,
        "events": found.events,
        "resumed_at": found.resumed,
        "checkpoints": found.checkpoints,
        "covered": found.covered,
        "away": found.away,
        "erased": list(erased),
        "checks": sorted(ALL),
        "exposure": exposed.shown(),
    }


def _show(found: Verified, exposed: Exposure, erased: Sequence[str]) -> None:
    if found.broken:
        one = found.broken
        where = f"position {one.position}" + (f", {one.stream}, version {one.version}" if one.stream else "")
        say(f"BROKEN: {one.kind} at {where}: {MEANING[one.kind]}" + (f" ({one.says})" if one.says else ""))
    else:
        say(f"holds: {found.events} events, {found.checkpoints} checkpoints compared; {found.covered} events covered")
    if found.resumed:
        say(f"the first {found.resumed} events were verified earlier and only their checkpoint was compared")
    for stream in erased:
        say(f"not re-checkable: erased: {stream}; its hashes are checked, what was sealed in it can never be read")
    for name, error in found.away.items():
        say(f"not compared with {name}: {error}")
    say(f"exposure window: {exposed.events} events, {exposed.seconds:.0f} s; what is in it nothing proves yet")


def status(*, json: Json = False) -> None:
    """How much is sealed, what is not yet, and where checkpoints are kept."""
    settings = here()
    exposed = running(_exposed(settings.database_url.get_secret_value()))
    if json:
        as_json(exposed.shown())
        return
    say(f"{exposed.head} events, {exposed.sealed} sealed, {exposed.outside} covered outside")
    say(f"exposure window: {exposed.events} events, {exposed.seconds:.0f} s")
    say(f"checkpoints: {where_checkpoints_are(settings)}")
    if exposed.refused:
        say(f"NOTHING IS SIGNED: {exposed.refused}")
    table(
        ("place", "up to", "failing since", "error"),
        [(s["name"], s["size"], s["failing_since"], s["error"]) for s in exposed.sinks],
    )


async def _exposed(dsn: str) -> Exposure:
    connection = await session(dsn)
    try:
        return await exposure(connection)
    finally:
        await connection.close()


def keys() -> None:
    """Every public key of this log, the newest last."""
    for key in signing_keys(here()).known():
        say(str(key))


def rotate_key() -> None:
    """A new signing key from now on; the old private key is destroyed, its public key stays in the list."""
    say(str(signing_keys(here()).rotate()))
