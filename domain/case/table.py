"""What a stage file puts in its tables: rules that time or facts set off, and what leaving the stage needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from domain.case.state import Case
    from domain.core.fact import Ids
    from domain.core.policy import Policy

Instants = Iterable[datetime | None]


def never(_: Case) -> Instants:
    """Time alone never sets this rule off."""
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: what follows from facts or from time. A changed rule gets a new version; events name the one they used.

    `rests_on` names the event types whose newest facts the outcome is explained by; `at` yields every instant at
    which time alone may set the rule off; `brings` are the events it may record.
    """

    name: str
    version: int
    follows: Callable[[Case, datetime, Ids, Policy], Sequence[Any]]
    rests_on: tuple[str, ...] = ()
    brings: tuple[type[Any], ...] = ()
    at: Callable[[Case], Instants] = never


@dataclass(frozen=True, slots=True)
class Need:
    """Something a stage must have before it is left. `waivable` needs can be accepted as missing by a supervisor."""

    name: str
    holds: Callable[[Case, datetime], bool]
    waivable: bool = True
    rests_on: tuple[str, ...] = ()
