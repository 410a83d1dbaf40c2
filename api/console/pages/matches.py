"""The page of matches: protocols at centres ranked for a case, each with what is for, against and not known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.case import opened, shown_part
from api.console.pages.travel import NOW
from api.console.session import Viewer
from api.console.text.fact_text import Speaker
from api.console.web import pages
from api.http.answers import allowed_now
from api.http.auth import Parts
from api.routes.matches import ranked
from domain.core.errors import Reason, require
from domain.criteria.matching import Check, Match
from domain.stages.eligibility.excluding import HARD
from domain.stages.eligibility.matching import disease_of, ways_left

router = pages()
SHOWN = 40


@dataclass(frozen=True, slots=True)
class Way:
    """One protocol at one centre as the page shows it; `choose` fills the form of the `command` that proposes it."""

    rank: int
    protocol: str
    centre: str
    standing: str
    next: bool
    command: str
    choose: str
    checks: Sequence[Check]


@router.get("/console/cases/{case}/matches")
async def matches(case: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show what the catalogue offers, the one with least against it first."""
    one = await opened(request, service, viewer, case, NOW)
    may_read = "clinical" in one.speaker.visible
    require(may_read, Reason.NOT_ALLOWED, f"what a match rests on is not for a {viewer.who.role.value}")
    found = await ranked(service, viewer.who, one.case, one.now)
    may = allowed_now(viewer.who, one.case)
    left = {(m.offer.protocol, m.offer.centre) for m in ways_left(one.case, found)}
    return shown_part(
        request,
        viewer,
        one,
        "matches",
        disease=disease_of(one.case),
        ways=[_way(m, one.speaker, left, may, len(found)) for m in found[:SHOWN]],
        more=max(0, len(found) - SHOWN),
    )


def _way(m: Match, speaker: Speaker, left: Collection[tuple[str, str]], may: Collection[str], of: int) -> Way:
    offer = m.offer
    hard = any(one.name in HARD for one in m.of("no"))
    command = "ChooseExcludedCentre" if hard else "" if m.standing == "excluded" else "ChooseCentre"
    chosen = urlencode({"centre": offer.centre, "protocol": offer.protocol, "rank": m.rank, "ranked": of})
    return Way(
        m.rank,
        speaker.label(offer.protocol),
        speaker.label(offer.centre),
        m.standing,
        (offer.protocol, offer.centre) in left,
        command if command in may else "",
        chosen,
        sorted((c for c in m.checks if c.result != "no_matter"), key=lambda c: ORDER.index(c.result)),
    )


ORDER = ("no", "unknown", "yes", "no_matter")
"""What stands against it first, then what is open."""
