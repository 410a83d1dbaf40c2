"""Verifying with the settings of a machine: the log, the checkpoints, the read models. For people and for the night."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console

from activities.doses.recalling import recall_views
from activities.ports import ChoreFinding, Views
from activities.views import case_views
from api.run.sealing import signing_keys
from api.run.wiring import EVERY_EVENT
from domain.case.erasure import Tombstone
from domain.catalogue import streams as catalogue
from domain.core.copying import replace
from domain.core.fact import Fact
from domain.engine.evolve import fold
from domain.recalls import recall
from infra.audit.checkpoints.checkpoint import origin_of
from infra.audit.checkpoints.exposure import Exposure, exposure
from infra.audit.checkpoints.note import Key, parse_key
from infra.audit.checkpoints.sinks import sink_of
from infra.audit.verification.chunk import session
from infra.audit.verification.found import ALL, Break, Check
from infra.audit.verification.rules import Means, verify_rules
from infra.audit.verification.stream import verify_case
from infra.audit.verification.verification import VerificationScope, Verified
from infra.audit.verification.verification import verify as verify_log
from infra.destroyed_keys import destroyed_in
from infra.keys import FolderKeys
from infra.ledger.encoding.codec import Codec
from infra.ledger.encoding.errors import guarded
from infra.ledger.erasures import unlisted
from infra.ledger.rebuild import Rebuild
from infra.ledger.schema.whole import NEEDED
from infra.policy.kept import known_policies
from infra.policy.reading import load_policy
from infra.reads.worklist import stream_meant as stream_of
from infra.settings import Settings

AUDITOR = {"role": "caravel_auditor", "timezone": "UTC", "jit": "off"}


def question_of(
    settings: Settings,
    key: Sequence[str],
    jobs: int,
    state: Path | None,
    checks: frozenset[Check] = ALL,
    *,
    quiet: bool,
) -> VerificationScope:
    """Set what is verified, by this machine's settings. Raises ValueError for a key that cannot be read."""
    return VerificationScope(
        dsn=settings.database_url.get_secret_value(),
        origin=origin_of(settings.installation),
        sinks=[sink_of(place) for place in settings.checkpoint_places],
        anchors=_anchors(settings, key),
        checks=checks,
        jobs=jobs,
        state=state,
        tell=lambda done, all_of: None if quiet else Console(stderr=True).print(f"  {done} of {all_of} events"),
    )


def _anchors(settings: Settings, given: Sequence[str]) -> Sequence[Key]:
    known = [parse_key(text) for text in given]
    return known or (signing_keys(settings).known() if settings.signing.exists() else [])


async def stream_meant(question: VerificationScope, text: str) -> str | None:
    """Return the history of that name, or of the case with that number; None where there is none."""
    connection = await session(question.dsn)
    try:
        found = await stream_of(connection, text)
    finally:
        await connection.close()
    return found


async def verify_with(question: VerificationScope, settings: Settings, case: str) -> tuple[Verified, Exposure]:
    found = await verify_case(question, case) if case else await verify_log(question)
    if not found.broken and "rules" in question.checks:
        await verify_rules(question, await _means(question, settings), found, case)
    if not found.broken and "read_models" in question.checks:
        found.broken = await _read_models(question, settings, case)
    connection = await session(question.dsn)
    try:
        return found, await exposure(connection)
    finally:
        await connection.close()


async def verified(settings: Settings) -> ChoreFinding:
    """Verify the whole as it is done every night: in processes of its own, so that it holds up no case."""
    found, exposed = await verify_with(question_of(settings, (), 2, None, quiet=True), settings, "")
    question = question_of(settings, (), 2, None, quiet=True)
    keyless, missing = await keyless_here(question, settings), await unlisted_here(question, settings)
    fine = found.broken is None and not missing and not (found.away and not found.covered)
    return ChoreFinding(fine, plain(found, exposed, erased_here(settings), keyless) | {"unlisted": len(missing)})


async def _means(question: VerificationScope, settings: Settings) -> Means:
    """The keys of this machine, and every policy the ledger was ever worked under."""
    connection = await session(question.dsn)
    try:
        policies = await known_policies(connection, load_policy(settings.policy))
    finally:
        await connection.close()
    return Means(settings.keys, settings.kek, settings.destroyed_keys, policies)


async def _read_models(question: VerificationScope, settings: Settings, case: str) -> Break | None:
    """Every read model, or those of one case, against a rebuild, with the keys of this machine."""
    keys = FolderKeys(settings.keys, kek=settings.kek, destroyed=settings.destroyed_keys)
    connection = await asyncpg.connect(question.dsn, ssl=False, server_settings=AUDITOR)
    try:
        compared = await Rebuild(connection, keys, Codec(EVERY_EVENT), views_of).compare(case)
    finally:
        await connection.close()
    if not compared.differing:
        return None
    name, stream = compared.differing[0]
    return Break("read_model_differs", 0, stream, says=f"{name}, {len(compared.differing)} rows in all")


def erased_here(settings: Settings, case: str = "") -> Sequence[str]:
    """Histories, or the one, of which a key was destroyed on this machine."""
    return sorted({stream for stream, _ in destroyed_in(settings.destroyed_keys) if case in ("", stream)})


async def keyless_here(question: VerificationScope, settings: Settings, case: str = "") -> Sequence[str]:
    """Histories, or the one, with something sealed whose key is not on this machine and was not destroyed."""
    keys = FolderKeys(settings.keys, kek=settings.kek, destroyed=settings.destroyed_keys)
    connection = await session(question.dsn)
    try:
        needed = [(row["stream"], row["key_class"]) for row in await guarded(connection.fetch(NEEDED))]
    finally:
        await connection.close()
    return sorted({s for s, key_class in needed if case in ("", s) and key_class not in await keys.for_opening(s)})


async def unlisted_here(
    question: VerificationScope, settings: Settings, case: str = ""
) -> Sequence[tuple[str, Tombstone]]:
    """Return erasures, or those of one history, that the list of destroyed keys of this machine does not name."""
    connection = await session(question.dsn)
    try:
        missing = await unlisted(connection, destroyed_in(settings.destroyed_keys))
    finally:
        await connection.close()
    return [(stream, stone) for stream, stone in missing if case in ("", stream)]


def plain(
    found: Verified,
    exposed: Exposure,
    erased: Sequence[str],
    keyless: Sequence[str],
    checks: Collection[str] = ALL,
) -> dict[str, Any]:
    return {
        "holds": found.broken is None,
        "broken": asdict(found.broken) if found.broken else None,
        "events": found.events,
        "resumed_at": found.resumed,
        "checkpoints": found.checkpoints,
        "covered": found.covered,
        "away": found.away,
        "lost": found.lost,
        "rechecked": found.rechecked,
        "unchecked": dict(found.unchecked.most_common()),
        "erased": list(erased),
        "keyless": len(keyless),
        "checks": sorted(checks),
        "exposure": exposed.shown(),
    }


def views_of(stream: str, facts: Sequence[Fact[Any]]) -> Views:
    """Return the read models of any stream from all its facts."""
    kind = stream.split("-", maxsplit=1)[0]
    if kind == "case":
        return case_views(replace(fold(facts), id=stream))
    if kind == "recall":
        return recall_views(recall.fold(facts, stream))
    if kind in catalogue.CATALOGUE:
        return Views(source=catalogue.read_model(stream, catalogue.fold(stream, facts)))
    return Views()
