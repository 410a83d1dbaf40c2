"""Logs as JSON lines on stdout, with the case and the command key where there is one; nothing personal."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from opentelemetry.trace import get_current_span


def configure_logs(level: str, *, plain: bool = False) -> None:
    """Set up structlog and the standard library's logging alike; `plain` is for a person at a terminal."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _no_values,
        _traced,
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
        if plain
        else structlog.processors.JSONRenderer(sort_keys=True)
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, last],
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


def _traced(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The trace this line belongs to, where there is one."""
    here = get_current_span().get_span_context()
    if here.is_valid:
        event["trace_id"] = f"{here.trace_id:032x}"
    return event
