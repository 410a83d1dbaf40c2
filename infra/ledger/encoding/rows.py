"""Turns an Append into what is sent to the database."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from functools import cache
from secrets import token_bytes
from types import NoneType
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from activities.ports import Append, Attention, DataKey, Views
from domain.core.personal import KeyClass
from infra.ledger.encoding.batch import NO_ATTENTION, NO_COMMAND, NO_VIEWS, NOT_PLACING, PreparedAppend, ViewTexts
from infra.ledger.encoding.codec import Encoded, encode_meta
from infra.ledger.encoding.details import Detail
from infra.ledger.encoding.hashing import SALT
from infra.ledger.encoding.sealing import NOTHING, SealedPlace, seal
from infra.ledger.schema.tables import CaseView, EffectView, ObligationView

PARTS = 3
PLAIN = {str, int, float, bool, NoneType}
CASE_DETAIL = "view:case_view"
Sealing = Mapping[KeyClass, DataKey]


def classes(encoded: Sequence[Encoded], detail: Detail | None) -> set[KeyClass]:
    """Return the key classes that have something to seal."""
    found = {key_class for one in encoded for key_class in one.secrets}
    return found | set(detail.secrets if detail else ())


def detail_of(views: Views) -> Detail | None:
    """Return the case's detail, taken apart; None when there is none or it is text already."""
    detail = views.case.get("detail") if views.case is not None else None
    return Detail.of(detail) if is_dataclass(detail) and not isinstance(detail, type) else None


def prepared(append: Append, encoded: Sequence[Encoded], detail: Detail | None, keys: Sealing) -> PreparedAppend:
    """Return everything that can be done before the database is asked."""
    command, attention = append.command, append.attention
    return PreparedAppend(
        (
            append.stream,
            append.expected,
            len(append.drafts),
            append.at,
            *((command.actor, command.key, command.body) if command else NO_COMMAND),
            *(_attention(attention) if attention else NO_ATTENTION),
            *(append.placing or NOT_PLACING),
            append.calls or None,
        ),
        list(_events(append, encoded, keys)),
        _views(append, detail, keys) if append.drafts else NO_VIEWS,
    )


def _attention(attention: Attention) -> tuple[Any, ...]:
    a = attention
    return a.attended, a.woken, a.wake_at, a.ended, a.grace, a.epoch


def _events(append: Append, encoded: Sequence[Encoded], keys: Sealing) -> Iterator[tuple[Any, ...]]:
    salts = token_bytes(PARTS * SALT * len(encoded))
    plain = encode_meta(append.meta, None)  # of whatever has nothing of its own to say
    for n, (draft, one) in enumerate(zip(append.drafts, encoded, strict=True)):
        when = draft.occurred
        yield (
            draft.id,
            one.type,
            one.schema_version,
            one.data,
            seal(SealedPlace(append.stream, draft.id), one.secrets, keys) if one.secrets else NOTHING,
            encode_meta(append.meta, draft) if draft.why or draft.corrects else plain,
            salts[n * PARTS * SALT : (n + 1) * PARTS * SALT],
            *((when.earliest, when.latest, when.precision) if when else (None, None, None)),
        )


def _views(append: Append, detail: Detail | None, keys: Sealing) -> ViewTexts:
    rows = view_rows(append.stream, append.expected + len(append.drafts), append.views, detail, keys)
    if not rows:
        return NO_VIEWS
    return ViewTexts(
        cases=_json([rows["case"]] if "case" in rows else ()),
        obligations=_json(rows.get("obligations", ())),
        obligation_ids=_ids(rows.get("obligations")),
        effects=_json(rows.get("effects", ())),
        effect_ids=_ids(rows.get("effects")),
        watched=rows.get("watch"),
        sources=_json([rows["source"]] if "source" in rows else ()),
    )


def _ids(rows: Sequence[Mapping[str, Any]] | None) -> Sequence[str] | None:
    return None if rows is None else [row["id"] for row in rows]


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    """What stands between the brackets of their JSON array."""
    if not rows:
        return ""
    try:
        return to_json(rows)[1:-1].decode()
    except PydanticSerializationError:  # it quotes what it refuses
        pass
    raise TypeError("a read model holds text that cannot be kept")


def view_rows(stream: str, version: int, views: Views, detail: Detail | None, keys: Sealing) -> dict[str, Any]:
    """Return the rows as they stand in the tables, by table."""
    rows: dict[str, Any] = {}
    if views.case is not None:
        text = {"detail": detail.sealed(SealedPlace(stream, CASE_DETAIL), keys)} if detail else {}
        rows["case"] = _row(CaseView, {**views.case, **text, "stream": stream, "version": version})
    if views.case is not None or views.obligations or views.effects or views.watch:
        if views.obligations is not None:
            rows["obligations"] = [_row(ObligationView, {**row, "stream": stream}) for row in views.obligations]
        if views.effects is not None:
            rows["effects"] = [_row(EffectView, {**row, "stream": stream}) for row in views.effects]
        if views.watch is not None:
            rows["watch"] = list(views.watch)
    if views.source is not None:
        rows["source"] = {"stream": stream, "version": version, "state": source_text(views.source)}
    return rows


def source_text(state: Mapping[str, Any]) -> str:
    """Write what others see of a lot, protocol, centre or person, as JSON."""
    return json.dumps(state, sort_keys=True, default=_said, ensure_ascii=False)


def _said(value: object) -> Any:  # noqa: ANN401 - JSON
    if type(value) is date:
        return value.isoformat()
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else _zoned(value).isoformat()


def _row(table: type[CaseView | ObligationView | EffectView], row: Mapping[str, Any]) -> dict[str, Any]:
    """PostgreSQL would leave out a misspelt column, and guess a missing time zone, without a word."""
    if not row.keys() <= _columns(table):
        unknown = sorted(set(row) - _columns(table))
        raise TypeError(f"{table.__tablename__} has no column {', '.join(unknown)}")
    for value in row.values():
        if type(value) not in PLAIN and not isinstance(value, str):
            _zoned(value)
    return dict(row)


@cache
def _columns(table: type[CaseView | ObligationView | EffectView]) -> frozenset[str]:
    return frozenset(table.model_fields)


def _zoned(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo:
        return value
    raise TypeError(f"a read model cannot hold a {type(value).__name__}")
