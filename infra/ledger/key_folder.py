"""Holds the key folder of this machine against the one the ledger names, from the first start with keys on."""

import json
from contextlib import suppress

import structlog

from activities.ports import Append, Meta, VersionConflict
from domain.catalogue import installation
from domain.catalogue.installation import KeyFolderNamed
from domain.core.fact import Draft, Ids
from infra.keys import FolderKeys
from infra.ledger import queries
from infra.ledger.encoding.errors import guarded
from infra.ledger.ledger import PgLedger
from infra.ledger.opening import installation_of

log = structlog.get_logger()
LOOKED_AT = 500
"""Events with something sealed, the oldest, by which a folder is judged that no event names yet."""
ELSEWHERE = (
    "the keys of this ledger are not in the key folder of this machine, so nothing is recorded; "
    "put the right `keys`, `kek` and `destroyed` into CARAVEL_HOME and start again"
)


async def hold_to_keys(ledger: PgLedger, keys: FolderKeys, ids: Ids) -> None:
    """Name the folder where no event does, and let the ledger stand back from any other than the one that is named.

    While a rehearsal is under way its clock is told the time: then nothing is named, and any folder that fits will do.
    """
    if ledger.read_only:
        keys.refuse(ledger.stands_back)
        return
    named = keys_named(ledger)
    fits = keys.fingerprint() == named if named and keys.fingerprint() else await _fits(ledger, keys, named)
    if fits and not (ledger.installation and ledger.installation.rehearsing):
        fingerprint = keys.mark()  # empty where another's mark is there
        if fingerprint and not named:
            named = await _name(ledger, fingerprint, ids)
        fits = fingerprint == named != ""
        keys.hold_to(named)
    if not fits:
        log.error("the keys of this ledger are not here: nothing is recorded")
        ledger.stands_back, ledger.keys_elsewhere = ELSEWHERE, True
        keys.refuse(ELSEWHERE)


def keys_here(ledger: PgLedger, keys: FolderKeys) -> bool:
    """Return whether the folder is still the one the ledger names, or none is named."""
    return not ledger.keys_elsewhere and (not keys_named(ledger) or keys.fingerprint() == keys_named(ledger))


def keys_named(ledger: PgLedger) -> str:
    """Return the fingerprint the ledger names; empty where it names none."""
    return ledger.installation.keys if ledger.installation else ""


async def _fits(ledger: PgLedger, keys: FolderKeys, named: str) -> bool:
    """Whether an unmarked folder is the right one: what wraps its keys is what is named, and what was sealed opens.

    That is so where nothing was sealed yet, a key of what was sealed first is here, or all of them were destroyed.
    """
    if named and named != keys.wrapping_fingerprint():
        return False
    lacking, gone = False, keys.destroyed()
    for row in await guarded(ledger.pool.fetch(queries.SEALED_FIRST, LOOKED_AT)):
        known = await keys.for_opening(row["stream"])
        for key_class, box in json.loads(row["sealed"]).items():
            key = known.get(key_class)
            if key is not None and key.id == box["key"]:
                return True
            lacking = lacking or (row["stream"], key_class) not in gone
    return not lacking


async def _name(ledger: PgLedger, fingerprint: str, ids: Ids) -> str:
    """Record the fingerprint, unless another process was first; return the one the ledger names."""
    while not keys_named(ledger):
        known = await ledger.last_version(installation.STREAM)
        draft = Draft(KeyFolderNamed(fingerprint), ids())
        with suppress(VersionConflict):
            await ledger.append(Append(installation.STREAM, known, [draft], Meta("caravel", "operation")))
        ledger.installation = await installation_of(ledger)
    return keys_named(ledger)
