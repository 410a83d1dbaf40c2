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
from domain.criteria.matching import Match
from domain.doses.stock import Lot, lasting
from domain.roles import Actor, allow
from domain.stages.eligibility.matching import matches, offers, turned_away, ways_left
from domain.stages.travel.first_dose import FirstDose, time_to_first_dose


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


async def first_doses(service: Service, case: Case, found: Sequence[Match], now: datetime) -> Sequence[FirstDose]:
    """Return the time to a first dose by each of these ways, with the stock of their products as it stands."""
    products = {m.offer.product_code for m in found if m.offer.product != "autologous"}
    ends: dict[str, list[datetime]] = {}
    for stream, version in await service.registers.released(products) if products else ():
        lot: Lot = await service.commands.entry_at(stream, version)
        if (end := lasting(lot, now)) is not None:
            ends.setdefault(lot.product, []).append(end)
    policy = service.commands.policy
    return [time_to_first_dose(case, m.offer, ends.get(m.offer.product_code, ()), now, policy) for m in found]


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
    return {} if left is None else {"next_ways": await lines(service, case, left[0], left[1], now)}


async def lines(
    service: Service, case: Case, found: Sequence[Match], of: int, now: datetime
) -> Sequence[Mapping[str, Any]]:
    """Write ways as JSON, each with what its rank rests on and the time to a first dose.

    `ranked`: among how many, as whoever chooses it says.
    """
    times = await first_doses(service, case, found, now)
    return [_line(one, of, first) for one, first in zip(found, times, strict=True)]


def _line(one: Match, of: int, first: FirstDose) -> Mapping[str, Any]:
    checks = [{"name": c.name, "result": c.result, "about": list(c.about)} for c in one.checks]
    named = {"protocol": one.offer.protocol, "centre": one.offer.centre, "rank": one.rank, "ranked": of}
    return {**named, "standing": one.standing, "checks": checks, "first_dose": _time(first)}


def _time(first: FirstDose) -> Mapping[str, Any]:
    """`most_days` null = a part is not known; then `known_most_days` is without it."""
    parts = [
        {"part": one.name, "because": one.because, "least_days": one.least, "most_days": one.most}
        for one in first.parts
    ]
    total = {"least_days": first.least, "most_days": first.most, "known_most_days": first.known_most}
    return {**total, "unknown": list(first.unknown), "parts": parts}


def change_line(known: FirstRank) -> Mapping[str, Any]:
    """Write as JSON what stood first before and after the catalogue changed last, each with the checks that turned."""
    named = {"at": known.at.isoformat(), "position": known.position}
    return {**named, **{name: [asdict(way) for way in getattr(known, name)] for name in ("before", "after")}}
