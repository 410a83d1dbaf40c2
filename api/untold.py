"""Names why a personal value is not told, of its JSON and of the domain alike; each way out has a word for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.core.personal import Unread

STATES = ("masked", *(one.value for one in Unread))
"""Why a value is not told; the words of each way out are named by these."""


def state_of(value: Any) -> str:  # noqa: ANN401 - JSON, or a value of the domain
    """Return which of STATES stands where a value should; empty where the value is told."""
    if isinstance(value, Unread):
        return value.value
    return next((s for s in STATES if s in value), "") if isinstance(value, Mapping) and len(value) == 1 else ""
