"""Ranks the catalogue as it stands for a case, and says which ways are left after a refusal; the way of every page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from activities.following.first_ranks import entries
from api.http.access import belonging
from api.ports import Service
from domain.case.phases.submissions import FirstRank
from domain.case.state import Case
from domain.core.errors import Reason, require
from domain.core.personal import KeyClass
from domain.core.roles import Action
from domain.criteria.comparison import FIRST_DOSE
from domain.criteria.matching import Match
from domain.roles import Actor, allow
from domain.stages.eligibility.matching import matches, offers, turned_away, ways_left


async def ranked(service: Service, who: Actor, case: Case, now: datetime) -> Sequence[Match]:
    """Return the catalogue as it stands, ranked for a case at an instant. Raises Refused."""
    allowed = allow(who, Action.SEE_CATALOGUE)
    require(allowed, Reason.NOT_ALLOWED, f"a {who.role.value} does not see the catalogue")
    protocols, centres = [await _every(service, prefix) for prefix in ("protocol", "centre")]
    return matches(case, offers(protocols, centres, now), now)


async def _every(service: Service, prefix: str) -> Mapping[str, Any]:
    async def listed(kind: str, after: str, limit: int) -> Sequence[tuple[str, int]]:
        return [(row["stream"], row["version"]) for row in await service.registers.catalogue(kind, after, limit)]

    return await entries(service.commands, listed, prefix)


async def after_refusal(
    service: Service, who: Actor, case: Case, now: datetime, visible: frozenset[KeyClass]
) -> tuple[Sequence[Match], int] | None:
    """Return the next ways for a case that a centre refused, and of how many; None = not refused, or not for `who`.

    They are for whoever chooses a centre: a hospital that declines is not told where the patient goes next.
    """
    chooses = allow(who, Action.COORDINATE, belonging(case, now)) and allow(who, Action.SEE_CATALOGUE)
    if not turned_away(case) or "clinical" not in visible or not chooses:
        return None
    found = await ranked(service, who, case, now)
    return ways_left(case, found), len(found)


async def next_ways(
    service: Service, who: Actor, case: Case, now: datetime, visible: frozenset[KeyClass]
) -> Mapping[str, Any]:
    """Return `next_ways` as an answer says it, where a centre refused the case; else nothing."""
    left = await after_refusal(service, who, case, now, visible)
    return {} if left is None else {"next_ways": [line(one, left[1]) for one in left[0]]}


def line(one: Match, of: int) -> Mapping[str, Any]:
    """Write one way as JSON, with what its rank rests on; `ranked`: among how many, as whoever chooses it says.

    `first_dose`: days until there is one, as far as anybody says of its kind of product; null = not known.
    """
    checks = [{"name": c.name, "result": c.result, "about": list(c.about)} for c in one.checks]
    named = {"protocol": one.offer.protocol, "centre": one.offer.centre, "rank": one.rank, "ranked": of}
    days = FIRST_DOSE.get(one.offer.product)
    first = {"least_days": days[0], "most_days": days[1]} if days else None
    return {**named, "standing": one.standing, "checks": checks, "first_dose": first}


def change_line(known: FirstRank) -> Mapping[str, Any]:
    """Write as JSON what stood first before and after the catalogue changed last, each with the checks that turned."""
    named = {"at": known.at.isoformat(), "position": known.position}
    return {**named, **{name: [asdict(way) for way in getattr(known, name)] for name in ("before", "after")}}
