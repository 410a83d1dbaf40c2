"""Turns an Append into the arguments of caravel_append."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from datetime import datetime
from secrets import token_bytes
from typing import Any

from activities.ports import Append, Attention, DataKey, Views
from domain.personal import KeyClass
from infra.ledger.codec import Encoded, encode_meta
from infra.ledger.details import Detail
from infra.ledger.hashing import SALT
from infra.ledger.sealing import Place, canonical, seal
from infra.ledger.tables import CaseView, EffectView, ObligationView

PARTS = 3
CASE_DETAIL = "view:case_view"
Keyring = Mapping[KeyClass, DataKey]


def classes(encoded: Sequence[Encoded], detail: Detail | None) -> set[KeyClass]:
    """The key classes that have something to seal."""
    found = {key_class for one in encoded for key_class in one.secrets}
    return found | set(detail.secrets if detail else ())


def detail_of(views: Views) -> Detail | None:
    """The case's detail, taken apart; None when there is none or it is text already."""
    detail = views.case.get("detail") if views.case is not None else None
    return Detail.of(detail) if is_dataclass(detail) and not isinstance(detail, type) else None


def arguments(append: Append, encoded: Sequence[Encoded], detail: Detail | None, keys: Keyring) -> list[Any]:
    """In the order of queries.APPEND."""
    drafts = append.drafts
    when = [draft.occurred for draft in drafts]
    command = append.command
    version = append.expected + len(drafts)
    return [
        append.stream,
        append.expected,
        [draft.id for draft in drafts],
        [one.type for one in encoded],
        [one.schema_version for one in encoded],
        [one.data for one in encoded],
        [seal(Place(append.stream, d.id), one.secrets, keys) for d, one in zip(drafts, encoded, strict=True)],
        [encode_meta(append.meta, draft) for draft in drafts],
        [token_bytes(PARTS * SALT) for _ in drafts],
        [w and w.earliest for w in when],
        [w and w.latest for w in when],
        [w and w.precision for w in when],
        append.at,
        command and command.actor,
        command and command.key,
        command and command.body,
        views_json(append.stream, version, append.views, detail, keys) if drafts else None,
        attention_json(append.attention),
    ]


def attention_json(attention: Attention | None) -> str | None:
    """p_attention."""
    if attention is None:
        return None
    return canonical(
        {
            "attended": attention.attended,
            "woken": attention.woken,
            "wake_at": attention.wake_at.isoformat() if attention.wake_at else None,
            "ended": attention.ended,
            "grace": attention.grace.total_seconds(),
            "epoch": attention.epoch,
        }
    )


def views_json(stream: str, version: int, views: Views, detail: Detail | None, keys: Keyring) -> str | None:
    """p_views; None for a stream without read models."""
    rows = view_rows(stream, version, views, detail, keys)
    return json.dumps(rows, default=_instant, ensure_ascii=False) if rows else None


def view_rows(stream: str, version: int, views: Views, detail: Detail | None, keys: Keyring) -> dict[str, Any]:
    """The rows as they stand in the tables, under the names p_views gives them."""
    rows: dict[str, Any] = {}
    if views.case is not None:
        rows["case"] = _row(CaseView, {**views.case, "stream": stream, "version": version})
        if detail:
            rows["case"]["detail"] = detail.sealed(Place(stream, CASE_DETAIL), keys)
    if views.case is not None or views.obligations or views.effects or views.watch:
        rows["obligations"] = [_row(ObligationView, {**row, "stream": stream}) for row in views.obligations]
        rows["effects"] = [_row(EffectView, {**row, "stream": stream}) for row in views.effects]
        rows["watch"] = list(views.watch)
    if views.source is not None:
        state = json.dumps(views.source, sort_keys=True, default=_instant, ensure_ascii=False)
        rows["source"] = {"stream": stream, "version": version, "state": state}
    return rows


def _row(table: type[CaseView | ObligationView | EffectView], row: Mapping[str, Any]) -> dict[str, Any]:
    """PostgreSQL would leave out a misspelt column without a word."""
    if unknown := set(row) - set(table.model_fields):
        raise TypeError(f"{table.__tablename__} has no column {', '.join(sorted(unknown))}")
    return dict(row)


def _instant(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo:
        return value.isoformat()
    raise TypeError(f"a read model cannot hold a {type(value).__name__}")
