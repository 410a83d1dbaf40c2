"""A correction begins from the fact as it stands: the form of the command that told it, filled in."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime, tzinfo
from typing import Any, get_args

from api.http.form_parse import Pairs
from domain.case.state import Case
from domain.core.personal import Unread
from domain.journey import TAKES
from domain.stages.anytime.correcting import Correctable


def correcting(case: Case, pairs: Pairs, zone: tzinfo) -> Pairs:
    """Return what was typed; where only the fact is named yet, also what it says now."""
    given = dict(pairs)
    event = case.correctable.get(given.get("fact", ""))
    if event is None or any(name.startswith("correction.") for name in given):
        return pairs
    told = next((c for c in get_args(Correctable) if type(event) in TAKES[c].records), None)
    if told is None:
        return pairs
    known = {f.name for f in fields(event)}
    stands = [(f"correction.{f.name}", _text(getattr(event, f.name), zone)) for f in fields(told) if f.name in known]
    kind = ("correction.type", told.__name__)
    return [*pairs, kind, *(pair for pair in stands if pair[1] and pair[0] != kind[0])]


def _text(value: Any, zone: tzinfo) -> str:  # noqa: ANN401 - any field
    """As an input holds it."""
    if isinstance(value, Unread) or value is None or value is False:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return "true" if value is True else str(value) if isinstance(value, str | int) else ""
