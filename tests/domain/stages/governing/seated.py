"""A case in a trial with dose levels: the protocol's word on its place, as the case notes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.catalogue.protocols.seats import Seat
from tests.domain.course import PROTOCOL
from tests.domain.journey import Journey

Step = Callable[[Journey], object]


def escalates(j: Journey) -> Journey:
    """The protocol has dose levels, and has heard nothing of the case."""
    return j.source(PROTOCOL, escalates=True).look()


def place(j: Journey, **stands: Any) -> Journey:
    """The case has a place, or waits for one; by default its turn has come in cohort 1."""
    seat = Seat("case-1", **{"state": "ready", "cohort": 1, "level": "1", "opened": True, **stands})
    return j.source(PROTOCOL, escalates=True, seats=(seat,)).look()


def waits(j: Journey) -> Journey:
    return place(j, state="waiting", cohort=0, level="")


SCENES_OF_COHORTS: Mapping[str, tuple[str, Step, Step]] = {
    "cohort_place": ("accepted", lambda j: place(j, state="enrolled"), waits),
}
