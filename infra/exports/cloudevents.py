"""Events as CloudEvents 1.0 (https://github.com/cloudevents/spec), JSON format, with the sequence extension."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infra.ledger.encoding.stored import Stored

DIGITS = 20


def cloud_event(row: Stored, log: str, opened: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make a CloudEvent of one event. `data` is as stored, sealed fields as marks, unless somebody opened it first."""
    meta = json.loads(row.meta)
    why = meta.get("why") or {}
    made = {
        "specversion": "1.0",
        "id": row.id,
        "source": f"{log}/{row.stream}",
        "type": f"caravel.{row.type}.v{row.schema_version}",
        "time": instant(row.recorded_at),
        "subject": row.stream,
        "datacontenttype": "application/json",
        "sequence": f"{row.position:0{DIGITS}d}",
        "streamversion": row.version,
        "precision": row.occurred.precision,
        "occurredearliest": row.occurred.earliest and instant(row.occurred.earliest),
        "occurredlatest": row.occurred.latest and instant(row.occurred.latest),
        "actor": meta["actor"],
        "purpose": meta.get("purpose"),
        "onbehalfof": meta.get("on_behalf_of"),
        "causation": meta.get("causation"),
        "corrects": meta.get("corrects"),
        "rule": why.get("rule"),
        "ruleversion": why.get("rule_version"),
        "leafhash": row.hash.hex(),
        "data": json.loads(row.data) if opened is None else dict(opened),
    }
    return {name: value for name, value in made.items() if value is not None}


def instant(at: datetime) -> str:
    """Write an instant by RFC 3339."""
    return at.isoformat().replace("+00:00", "Z")


def position(line: Mapping[str, Any]) -> int:
    """Read the position of an exported event. Raises KeyError, ValueError."""
    return int(line["sequence"])
