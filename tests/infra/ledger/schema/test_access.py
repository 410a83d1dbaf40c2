"""Revision 0020 writes how a product is come by into read models of before, as today's program does."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg

from activities.ports import Views
from domain.catalogue.protocol import ProtocolAmended, ProtocolRegistered
from domain.catalogue.streams import EVENTS, fold, read_model
from domain.core.fact import Fact
from domain.core.when import When
from infra.ledger.encoding.rows import source_text
from infra.ledger.schema import migrate
from tests.infra.ledger.cases import new_id, opened, stream, writing

FILL = (Path(migrate.__file__).parent / "migrations" / "versions" / "0020_access.sql").read_text()
NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
DESCRIBED = {
    "registry": "r", "title": "t", "product": "p", "product_class": "allogeneic", "targets": ("CD19",),
    "diseases": ("B-ALL",), "source": "s", "as_of": date(2026, 1, 1),
}  # fmt: skip


async def test_a_protocol_of_before_reads_as_if_written_today(
    postgres: str, tmp_path: Path, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    trial = ProtocolRegistered(**DESCRIBED)  # type: ignore[arg-type]
    approved = ProtocolRegistered(**DESCRIBED, access="approved_use")  # type: ignore[arg-type]
    version = {**DESCRIBED, "number": 2, "label": "2", "change": "c"}
    programme = ProtocolAmended(**version, access="hospital_programme")  # type: ignore[arg-type]
    back = ProtocolAmended(**version)  # type: ignore[arg-type]
    wanted: dict[str, str] = {}
    ledger = await opened(postgres, tmp_path, events=EVENTS)
    for events in ([trial], [approved], [trial, programme], [approved, back]):
        name = stream("protocol")
        facts = [Fact(e, new_id(), n, NOW, When.at(NOW), "person-1") for n, e in enumerate(events, 1)]
        known = read_model(name, fold(name, facts))
        wanted[name] = source_text(known)
        before = {key: value for key, value in known.items() if key != "access"}
        await ledger.append(writing(name, 0, *events, views=Views(None, None, None, None, before)))
    await ledger.close()
    assert sum('"access"' in state for state in wanted.values()) == 2
    sql = "select stream, state from source where stream = any($1)"
    assert dict(map(tuple, await admin.fetch(sql, list(wanted)))) != wanted
    await admin.execute(FILL)
    assert dict(map(tuple, await admin.fetch(sql, list(wanted)))) == wanted
