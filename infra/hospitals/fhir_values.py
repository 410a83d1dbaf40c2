"""FHIR's value[x] elements to and from plain values; an instant always carries its zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from domain.core.when import When

ELEMENTS: tuple[tuple[type, str], ...] = (
    (bool, "valueBoolean"),  # before int, which it is too
    (int, "valueInteger"),
    (float, "valueDecimal"),
    (datetime, "valueDateTime"),  # before date, which it is too
    (date, "valueDate"),
    (str, "valueString"),
)


def valued(value: object) -> dict[str, Any]:
    """Write one plain value as the value[x] that fits it. Raises ValueError for what FHIR has no word for here."""
    if isinstance(value, When):
        return _when(value)
    for kind, name in ELEMENTS:
        if isinstance(value, kind):
            return {name: _said(value)}
    raise ValueError(f"no FHIR value for {type(value).__name__}")


def _said(value: object) -> object:
    if isinstance(value, datetime):
        return _aware(value).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def plain(element: Mapping[str, Any]) -> object:
    """Return the value of an input or output, as JSON. Raises ValueError when there is none, or two."""
    values = [(k, v) for k, v in element.items() if k.startswith("value")]
    if len(values) != 1:
        raise ValueError("an element has exactly one value")
    return values[0][1]


def span(element: Mapping[str, Any]) -> dict[str, int]:
    """Read a range of money as the JSON of a line of costs: whole numbers, without an upper end exactly that much.

    Raises ValueError for anything else.
    """
    value = plain(element)
    if "valueRange" not in element or not isinstance(value, Mapping):
        raise ValueError("not a range")
    return {end: _whole(value[end]) for end in ("low", "high") if end in value}


def range_of(low: int, high: int | None) -> dict[str, Any]:
    """Write such a range."""
    ends = {"low": low, "high": high}
    return {"valueRange": {end: {"value": value} for end, value in ends.items() if value is not None}}


def slot(element: Mapping[str, Any]) -> dict[str, Any]:
    """Read a time that is offered as the JSON of a slot: a period with both ends, each with its zone.

    Raises ValueError for anything else.
    """
    value = plain(element)
    if "valuePeriod" not in element or not isinstance(value, Mapping):
        raise ValueError("not a period")
    ends = {"starts": value["start"], "ends": value["end"]}
    return {name: _aware(datetime.fromisoformat(str(at))).isoformat() for name, at in ends.items()}


def period_of(starts: datetime, ends: datetime) -> dict[str, Any]:
    """Write such a time."""
    return {"valuePeriod": {"start": _aware(starts).isoformat(), "end": _aware(ends).isoformat()}}


def _whole(quantity: Mapping[str, Any]) -> int:
    value = quantity["value"]
    if int(value) != value:
        raise ValueError("not a whole number")
    return int(value)


def when(element: Mapping[str, Any]) -> dict[str, Any]:
    """Read when something happened as the JSON of a When: instant, day, month, year, period, or the code "unknown"."""
    value = plain(element)
    if "valuePeriod" in element and isinstance(value, Mapping):
        return _json(When.between(_start(value), _end(value)))
    if "valueCode" in element and value == "unknown":
        return _json(When.unknown())
    if ("valueDate" in element or "valueDateTime" in element) and isinstance(value, str):
        return _json(When.written(value))
    raise ValueError("not a time")


def _when(value: When) -> dict[str, Any]:
    if value.precision == "unknown":
        return {"valueCode": "unknown"}
    if value.precision == "day" and value.day:
        return {"valueDate": value.day.isoformat()}
    if value.precision == "instant" and value.earliest:
        return {"valueDateTime": value.earliest.isoformat()}
    bounds = {"start": value.earliest, "end": value.latest}
    return {"valuePeriod": {name: bound.isoformat() for name, bound in bounds.items() if bound}}


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return value


def _start(period: Mapping[str, Any]) -> datetime | None:
    return When.written(period["start"]).earliest if "start" in period else None


def _end(period: Mapping[str, Any]) -> datetime | None:
    return When.written(period["end"]).latest if "end" in period else None


def _json(value: When) -> dict[str, Any]:
    bounds = {"earliest": value.earliest, "latest": value.latest}
    return {"precision": value.precision} | {k: b and b.astimezone(UTC).isoformat() for k, b in bounds.items()}
