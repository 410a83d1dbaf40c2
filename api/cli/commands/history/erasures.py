"""`caravel audit erasures`: what was erased by the ledger, held against the list of destroyed keys."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from api.cli.commands.history.verify import Json, here
from api.cli.outcome import REFUSED, as_json, say
from api.cli.way import running
from api.run.wiring import parts
from domain.case.erasure import Tombstone
from infra.ledger.erasures import explained, unlisted
from infra.settings import Settings


def erasures(*, relist: bool = False, json: Json = False) -> None:
    """Say which erasures the list of destroyed keys does not name. The exit code is 1 while there are some.

    Args:
        relist: Write them to the list again, and destroy their keys again where somebody brought them back. Run
            `caravel audit verify` first: what the ledger says is believed.
        json: For programs.
    """
    missing: Sequence[tuple[str, Tombstone]] = running(_unlisted(here(), relist=relist))
    if json:
        as_json({"missing": [{"case": case, "classes": stone.classes} for case, stone in missing], "relisted": relist})
    elif relist:
        say(f"{len(missing)} erasures are on the list of destroyed keys again")
    else:
        say(explained(missing) or "the list of destroyed keys names every erasure of the ledger")
    if missing and not relist:
        sys.exit(REFUSED)


async def _unlisted(settings: Settings, *, relist: bool) -> Sequence[tuple[str, Tombstone]]:
    async with parts(settings, connections=2) as opened:
        missing = await unlisted(opened.ledger.pool, opened.keys.destroyed())
        for case, stone in missing if relist else ():
            for key_class in stone.classes:
                await opened.keys.destroy(case, key_class, stone)
        return missing
