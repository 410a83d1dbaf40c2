"""Names and dates of a case, for commands made up about it: the n-th of its kind, or one that is not there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from domain.core.when import When
from tests.domain.journey import DAY, Journey

T = TypeVar("T")


def pick(options: Iterable[T], n: int, otherwise: T) -> T:
    found: Sequence[T] = list(options)
    return found[n % len(found)] if found else otherwise


def person(j: Journey, n: int = 0) -> str:
    """Mostly the patient."""
    return pick(j.case.people, 0 if n % 4 else n // 4, "nobody")


def item(j: Journey, n: int) -> str:
    return pick(j.case.records, n, "nothing")


def submission(j: Journey, n: int) -> str:
    return pick(j.case.submissions, n, "nothing")


def moment(j: Journey, n: int) -> When | None:
    return pick(
        [None, When.at(j.now), When.on((j.now - 3 * DAY).date()), When.unknown(), When.between(None, j.now)], n, None
    )


def resource(j: Journey, n: int) -> str:
    return pick(j.case.resources, n, "nothing")
