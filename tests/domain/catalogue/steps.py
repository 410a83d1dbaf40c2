"""given / when / then for the streams of the catalogue: exact events in exact order, or the reason of a refusal."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from domain.catalogue.around import Around
from domain.catalogue.streams import Command, State, decide, fold
from domain.core.errors import Reason, Refused
from domain.core.fact import Fact
from domain.core.when import When

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AROUND = Around("", "somebody", signed_in=False, keepers=frozenset(), closed=False, lapse=timedelta(days=14))
"""Nobody could be asked yet."""


def given(stream: str, *events: Any) -> State:
    """The state after these events, all recorded at NOW by somebody unnamed."""
    return fold(stream, [fact(event, version) for version, event in enumerate(events, 1)])


def fact(event: Any, version: int, at: datetime = NOW) -> Fact[Any]:
    return Fact(event, f"e{version}", version, at, When.at(at), "somebody")


def when(stream: str, state: State, command: Command, now: datetime = NOW, around: Around = AROUND) -> Sequence[Any]:
    """The events a command brings about."""
    numbers = count(1)
    return [draft.event for draft in decide(stream, state, command, now, lambda: f"n{next(numbers)}", around)]


def refused(
    stream: str, state: State, command: Command, now: datetime = NOW, around: Around = AROUND
) -> tuple[Reason, str | None]:
    """Reason and field of the refusal a command meets."""
    with pytest.raises(Refused) as caught:
        when(stream, state, command, now, around)
    return caught.value.reason, caught.value.field
