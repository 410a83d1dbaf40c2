"""Opens a ledger: connects, names an empty one, and stands back from one that belongs to somebody else."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

from activities.ports import Append, Keys, Meta, VersionConflict
from domain.catalogue import installation
from domain.catalogue.installation import InstallationNamed, Kind
from domain.core.fact import Draft, Ids
from infra.clock import Clock
from infra.ledger.bells import Bells
from infra.ledger.encoding.codec import Codec
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.upcasting import Upcaster
from infra.ledger.ledger import PgLedger

SETTINGS = {"role": "caravel_app", "timezone": "UTC", "jit": "off", "application_name": "caravel"}
CONNECTIONS = 16
ANOTHER = "this ledger belongs to another installation"


async def open_ledger(
    dsn: str,
    keys: Keys,
    events: Sequence[type],
    name: str,
    kind: Kind,
    *,
    ids: Ids,
    upcasters: Mapping[tuple[str, int], Upcaster] | None = None,
    connections: int = CONNECTIONS,
    start: datetime | None = None,
    clock: Clock | None = None,
) -> PgLedger:
    """Open a migrated ledger, read-only when its name or kind is another. `start`: the first instant of a rehearsal.

    The user in `dsn` must be a member of caravel_app.
    """
    codec = Codec((*installation.EVENTS, *events), upcasters)
    pool = await guarded(
        asyncpg.create_pool(dsn, min_size=1, max_size=connections, server_settings=SETTINGS, reset=_nothing_to_reset)
    )
    ledger = PgLedger(pool, keys, codec, Bells(dsn), clock=clock)
    try:
        named = await installation_of(ledger)
        if named is None:
            await _name(ledger, InstallationNamed(name, kind), ids(), start)
            named = await installation_of(ledger)
    except BaseException:
        await ledger.close()
        raise
    ledger.installation = named
    ledger.stands_back = "" if named and (named.name, named.kind) == (name, kind) else ANOTHER
    return ledger


async def _nothing_to_reset(_connection: object) -> None:
    """The pool's own reset costs a round trip with every use, and no session here is ever changed."""


async def installation_of(ledger: PgLedger) -> installation.Installation | None:
    """Read what the ledger says of the installation it belongs to."""
    return installation.fold((await ledger.load(installation.STREAM)).facts)


async def _name(ledger: PgLedger, event: InstallationNamed, event_id: str, start: datetime | None) -> None:
    try:
        await ledger.append(
            Append(
                installation.STREAM, 0, [Draft(event, event_id)], Meta(actor="caravel", purpose="operation"), at=start
            )
        )
    except VersionConflict:
        return  # another process named it first; what it said counts
