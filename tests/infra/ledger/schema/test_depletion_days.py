"""Revision 0018 writes the days of lymphodepletion into read models of before, as today's program does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg

from activities.ports import Views
from domain.catalogue.product import Depletion
from domain.catalogue.protocol import ProtocolAmended, ProtocolRegistered
from domain.catalogue.streams import EVENTS, fold, read_model
from domain.core.fact import Fact
from domain.core.when import When
from infra.ledger.encoding.rows import source_text
from infra.ledger.schema import migrate
from tests.infra.ledger.cases import new_id, opened, stream, writing

VERSIONS = Path(migrate.__file__).parent / "migrations" / "versions"
FILL = (VERSIONS / "0018_depletion_days.sql").read_text()
FILL_PRODUCTS = (VERSIONS / "0023_products.sql").read_text()
FILL_CLASSES = (VERSIONS / "0022_product_classes.sql").read_text()
NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
FLU = Depletion(drug="fludarabine «x»", dose="30", unit="mg/m²", days=(-5, -4, -3))
LATER = Depletion(drug="cyclophosphamide", variant="B", days=(-2,))
NO_DAYS = Depletion(drug="etoposide")
DESCRIBED = {
    "registry": "r", "title": "t", "product": "p", "product_class": "allogeneic", "targets": ("CD19",),
    "diseases": ("B-ALL",), "source": "s", "as_of": date(2026, 1, 1),
}  # fmt: skip


async def test_a_protocol_of_before_reads_as_if_written_today(
    postgres: str, tmp_path: Path, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    first = ProtocolRegistered(**DESCRIBED, lymphodepletion=(LATER,))  # type: ignore[arg-type]
    amended = ProtocolAmended(**DESCRIBED, lymphodepletion=(FLU, NO_DAYS, LATER), number=2, label="2", change="c")  # type: ignore[arg-type]
    none = replace(first, lymphodepletion=(NO_DAYS,))
    wanted: dict[str, str] = {}
    ledger = await opened(postgres, tmp_path, events=EVENTS)
    for events in ([first], [first, amended], [none]):
        name = stream("protocol")
        facts = [Fact(e, new_id(), n, NOW, When.at(NOW), "person-1") for n, e in enumerate(events, 1)]
        known = read_model(name, fold(name, facts))
        wanted[name] = source_text(known)
        before = {key: value for key, value in known.items() if key != "lymphodepletion"}
        await ledger.append(writing(name, 0, *events, views=Views(None, None, None, None, before)))
    await ledger.close()
    sql = "select stream, state from source where stream = any($1)"
    assert dict(map(tuple, await admin.fetch(sql, list(wanted)))) != wanted
    await admin.execute(FILL)
    assert dict(map(tuple, await admin.fetch(sql, list(wanted)))) == wanted


MADE = ("product_class", "depletion_planned", "product")


async def test_the_class_of_a_product_is_written_as_if_written_today(
    postgres: str, tmp_path: Path, admin: asyncpg.Connection[asyncpg.Record]
) -> None:
    first = ProtocolRegistered(**DESCRIBED, lymphodepletion=(LATER,))  # type: ignore[arg-type]
    amended = ProtocolAmended(**DESCRIBED, lymphodepletion_planned=False, number=2, label="2", change="c")  # type: ignore[arg-type]
    unknown = replace(first, product_class="not_said", lymphodepletion_planned=True)
    wanted: dict[str, str] = {}
    ledger = await opened(postgres, tmp_path, events=EVENTS)
    for events in ([first], [first, amended], [unknown]):
        name = stream("protocol")
        facts = [Fact(e, new_id(), n, NOW, When.at(NOW), "person-1") for n, e in enumerate(events, 1)]
        known = read_model(name, fold(name, facts))
        wanted[name] = source_text(known)
        before = {key: value for key, value in known.items() if key not in MADE}
        await ledger.append(writing(name, 0, *events, views=Views(None, None, None, None, before)))
    await ledger.close()
    sql = "select stream, state from source where stream = any($1)"
    assert dict(map(tuple, await admin.fetch(sql, list(wanted)))) != wanted
    await admin.execute(FILL_CLASSES)
    await admin.execute(FILL_PRODUCTS)
    assert dict(map(tuple, await admin.fetch(sql, list(wanted)))) == wanted
