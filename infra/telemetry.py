"""Logs as JSON lines on stdout, with the case and the command key where there is one; nothing personal."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog
from opentelemetry.trace import get_current_span

LAST = 8
"""How many of the frames in which an error arose are named."""


def configure_logs(level: str, *, plain: bool = False) -> None:
    """Set up structlog and the standard library's logging alike; `plain` is for a person at a terminal."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _no_values,
        _no_words,
        _traced,
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
        if plain
        else structlog.processors.JSONRenderer(sort_keys=True)
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=last, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def _no_values(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Temporal's own records carry nested dictionaries of ids; keep the two that help to find a case."""
    for name in ("temporal_workflow", "temporal_activity"):
        nested = event.pop(name, None)
        if isinstance(nested, dict):
            event["case"] = nested.get("workflow_id")
            event["activity"] = nested.get("activity_type", event.get("activity"))
    return event


def _no_words(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say which error it was and where; its text and the variables around it hold passwords, and words about people.

    Libraries log with the whole error: asyncpg's pool does, whenever the database is away.
    """
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event.update(error=type(error).__name__, where=where(error))
    return event


def where(error: BaseException) -> list[str]:
    """Name the last frames in which an error arose, without any value."""
    frames = traceback.extract_tb(error.__traceback__)[-LAST:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def _traced(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The trace this line belongs to, where there is one."""
    here = get_current_span().get_span_context()
    if here.is_valid:
        event["trace_id"] = f"{here.trace_id:032x}"
    return event
