"""`caravel audit …` on the machine: the database read as an auditor, checkpoints from every place they are kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from activities.ports import ChoreFinding
from api.cli.commands.history.verify_package import is_package, verify_package
from api.cli.outcome import REFUSED, UNAVAILABLE, USAGE, CommandFailed, as_json, say, table
from api.cli.way import running
from api.run.embedded.machine import machine, settings_of
from api.run.engine.drift import KINDS, compare
from api.run.loss import explained
from api.run.sealing import rotated, signing_keys, where_checkpoints_are
from api.run.verifying import erased_here, keyless_here, plain, question_of, stream_meant, unlisted_here, verify_with
from api.run.wiring import connect_temporal, parts
from infra.audit.checkpoints.exposure import Exposure, exposure
from infra.audit.checkpoints.note import BadNote
from infra.audit.verification.chunk import session
from infra.audit.verification.found import ALL, MEANING
from infra.audit.verification.verification import VerificationScope, Verified
from infra.ledger.erasures import explained as erasures_explained
from infra.ledger.loss import noted_loss
from infra.reads.nightly import last
from infra.settings import Settings

Json = Annotated[bool, Parameter(name="--json", negative="", help="For programs.")]


def here() -> Settings:
    """Return the settings of this machine; of the embedded database in CARAVEL_HOME where no other is named."""
    settings = Settings()
    home = settings.home.absolute()
    if not settings.database_url.get_secret_value() and (home / "postgres").exists():
        servers = machine(home)
        servers.postgres.find()
        return settings_of(home, servers)
    if not settings.database_url.get_secret_value():
        raise CommandFailed(UNAVAILABLE, "set CARAVEL_DATABASE_URL, or CARAVEL_HOME to the folder of `caravel up`")
    return settings


def verify(
    case: str = "", *, jobs: int = 0, key: tuple[str, ...] = (), state: Path | None = None,
    rules: Annotated[bool, Parameter(negative="--no-rules")] = True, json: Json = False,
) -> None:  # fmt: skip
    """Recompute everything, or one case, or an evidence package. The exit code is 1 when anything does not hold.

    Args:
        case: Only this history, by id or number, with its rules and read models; or a package's file.
        jobs: Processes; all cores when nothing is said.
        key: A public key noted down earlier, believed instead of those on this machine.
        state: A file that remembers how far it came, to go on from there.
        rules: Hold every automatic event against its rule, too; --no-rules leaves out what takes longest.
        json: For programs.
    """
    if is_package(case):
        verify_package(Path(case), key, json=json)
        return
    settings = here()
    checks = ALL if rules else ALL - {"rules"}
    try:
        question = question_of(settings, key, jobs or os.cpu_count() or 1, state, checks, quiet=json)
    except ValueError as error:
        raise CommandFailed(REFUSED, f"key: {error}") from None
    case = _meant(question, case) if case else ""
    found, exposed = running(verify_with(question, settings, case))
    gone = erased_here(settings, case)
    keyless = running(keyless_here(question, settings, case))
    unlisted = running(unlisted_here(question, settings, case))
    missing = running(_missing(question.dsn))
    if json:
        said = {**plain(found, exposed, gone, keyless, checks), "unlisted": len(unlisted), "missing": missing}
        as_json(said)
    else:
        _show(found, exposed, gone, keyless)
        if unlisted:
            say(f"NOT AS IT SHOULD BE: {erasures_explained(unlisted)}")
        for line in explained(missing) if missing else ():
            say(line)
    if found.broken:
        sys.exit(REFUSED)
    if found.away and not found.covered:
        raise CommandFailed(UNAVAILABLE, "no checkpoint outside could be read", sorted(found.away))


def _meant(question: VerificationScope, text: str) -> str:
    """The history that is meant. Raises CommandFailed: nothing there is nothing that holds."""
    stream: str | None = running(stream_meant(question, text))
    if stream is None:
        raise CommandFailed(USAGE, f"{text}: no such case, and no such file")
    return stream


def _show(found: Verified, exposed: Exposure, erased: Sequence[str], keyless: Sequence[str]) -> None:
    if found.broken:
        one = found.broken
        where = f"position {one.position}" + (f", {one.stream}, version {one.version}" if one.stream else "")
        say(f"BROKEN: {one.kind} at {where}: {MEANING[one.kind]}" + (f" ({one.says})" if one.says else ""))
    else:
        say(f"holds: {found.events} events, {found.checkpoints} checkpoints compared; {found.covered} events covered")
        if found.rechecked:
            say(f"{found.rechecked} automatic events are what their rules say")
    for why, number in found.unchecked.most_common():
        say(f"not re-checkable: {why}: {number} automatic events")
    if found.resumed:
        say(f"the first {found.resumed} events were verified earlier and only their checkpoint was compared")
    for stream in erased:
        say(f"not re-checkable: erased: {stream}; its hashes are checked, what was sealed in it can never be read")
    if keyless:
        more = f" and {len(keyless) - 1} more histories" if len(keyless) > 1 else ""
        say(f"not re-checkable: no key on this machine: {keyless[0]}{more}; verify again where the keys are")
    for line in found.lost:
        say(line)
    for name, error in found.away.items():
        say(f"not compared with {name}: {error}")
    means = "what is in it nothing proves yet" if exposed.events else "every event is covered outside"
    say(f"exposure window: {exposed.events} events, {exposed.seconds:.0f} s; {means}")


def drift(*, json: Json = False) -> None:
    """Compare the ledger with Temporal. The exit code is 1 when they differ; nothing is repaired."""
    found = running(_drift())
    if json:
        as_json({"fine": found.fine, **found.says})
    else:
        say(f"{found.says['cases']} open cases, {found.says['loops']} loops")
        for kind, number in found.says["drift"].items():
            if number:
                say(f"{number} {KINDS[kind]}: {', '.join(c for k, c in found.says['first'] if k == kind)}")
    if not found.fine:
        sys.exit(REFUSED)


async def _drift() -> ChoreFinding:
    settings = here()
    beside = machine(settings.home.absolute()).temporal.known_address
    address = {"target_host": beside} if beside else {}
    async with parts(settings, connections=2) as opened:
        return (await compare(opened.ledger, await connect_temporal(**address))).finding()


def status(*, json: Json = False) -> None:
    """Print how much is sealed, what is not yet, and where checkpoints are kept."""
    settings = here()
    exposed, nightly, lost = running(_exposed(settings.database_url.get_secret_value()))
    if json:
        as_json({**exposed.shown(), "nightly": nightly, "loss": lost})
        return
    say(f"{exposed.head} events, {exposed.sealed} sealed, {exposed.outside} covered outside")
    say(f"exposure window: {exposed.events} events, {exposed.seconds:.0f} s")
    say(f"checkpoints: {where_checkpoints_are(settings)}")
    for line in explained(lost) if lost else ():
        say(line)
    if exposed.refused:
        say(f"NOTHING IS SIGNED: {exposed.refused}")
    table(
        ("place", "up to", "failing since", "error"),
        [(s["name"], s["size"], s["failing_since"], s["error"]) for s in exposed.sinks],
    )
    for name, one in nightly.items():
        say(f"{name}: {'all well' if one['fine'] else 'NOT WELL'} at {one['ended_at']}")
        if not one["fine"]:
            say(f"  {one['found'].get('broken') or one['found'].get('drift') or one['found']}")


async def _missing(dsn: str) -> Mapping[str, Any] | None:
    connection = await session(dsn)
    try:
        return await noted_loss(connection)
    finally:
        await connection.close()


async def _exposed(dsn: str) -> tuple[Exposure, Mapping[str, Any], Mapping[str, Any] | None]:
    connection = await session(dsn)
    try:
        return await exposure(connection), await last(connection), await noted_loss(connection)
    finally:
        await connection.close()


def keys() -> None:
    """Every public key of this log, the newest last."""
    for key in signing_keys(here()).known():
        say(str(key))


def rotate_key() -> None:
    """A new signing key from now on; the old private key is destroyed, its public key stays in the list."""
    try:
        say(str(running(rotated(here()))))
    except (BadNote, OSError) as error:
        raise CommandFailed(REFUSED, f"no new key: {error}") from None
