"""Holds the rows of a stage file's tables: rules that time or facts set off, and what leaving the stage needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.case.asking import Asking
from domain.case.stage import Stage
from domain.case.state import Case
from domain.core.fact import Ids
from domain.core.policy import Party, Policy
from domain.core.roles import Action

Instants = Iterable[datetime | None]


def never(_: Case) -> Instants:
    """Time alone never sets this rule off."""
    return ()


@dataclass(frozen=True, slots=True)
class Takes:
    """A row of a stage's table: one command, the events it may record, the stages that take it, and who may give it.

    `by` is what giving it is called in the table of roles (domain/roles.py). What only a hospital says comes over FHIR
    as well; `over_fhir` opens that way to what others may say too. `answers` are the kinds of effects it answers, and
    of obligations that no effect asked for: the page behind a link in a mail offers it. `settles` are the kinds of
    obligations it settles besides, or is a step to settling: pages and lists of what is owed offer it.
    """

    command: type[Any]
    records: tuple[type[Any], ...]
    at: tuple[Stage, ...] = ()
    by: Action = Action.COORDINATE
    over_fhir: bool = False
    answers: tuple[str, ...] = ()
    settles: tuple[str, ...] = ()

    @property
    def by_hospital(self) -> bool:
        """Return whether a hospital may give it over its interface."""
        return self.over_fhir or self.by is Action.ANSWER


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


@dataclass(frozen=True, slots=True)
class Owes:
    """A row of a stage's table: `owed` yields what about, `met` tells done from dropped, `due` anchors a date.

    `asked_by` is the kind of the effect that asked for what is owed: a reminder is answered as that effect is.
    `settled_in` is the group of commands (domain/journey.py) that settle it, where it is not its own file's.
    """

    kind: str
    debtor: Party
    creditor: Party
    owed: Callable[[Case], Iterable[str]]
    met: Callable[[Case, str], bool]
    due: Callable[[Case, str], datetime | None] | None = None
    asked_by: str = ""
    settled_in: str = ""


def not_answered(_: Case, __: str) -> bool:
    """Nothing comes back that would show the delivery."""
    return False


@dataclass(frozen=True, slots=True)
class Wants:
    """A row of a stage's table: `wanted` yields what about; `answered` tells that the far side must have it.

    An answer may come before the attempt that would have recorded its own delivery: it implies delivery. `asks` says
    how a hospital's interface is asked; without it no hospital is.
    """

    kind: str
    to: Party
    wanted: Callable[[Case], Iterable[str]]
    answered: Callable[[Case, str], bool] = not_answered
    asks: Asking | None = None
