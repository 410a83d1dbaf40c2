"""Shows how old protocols and centres are: as of which day they were last described, and whether that is stale."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.http.paging import MOST
from api.ports import RegisterQueries, Service
from domain.catalogue.review import Review
from domain.core.errors import Reason, require
from domain.core.policy import Policy
from domain.core.roles import Action
from domain.roles import allow

router = APIRouter(tags=["reviews"])
PERIODS = ("protocol", "centre")
"""The kinds of entries that are held against their source again."""
SHOWN = ("registry", "title", "product", "product_class", "targets", "diseases", "phase", "access", "draft",
         "name", "city", "languages", "accepts_international", "capabilities")  # fmt: skip
"""What a list shows of the newest description: what tells entries apart."""


def period(prefix: str, policy: Policy) -> timedelta:
    """Return how long an entry of that kind counts as read."""
    return policy.protocol_review if prefix == "protocol" else policy.centre_review


def reviewed(review: Review, prefix: str, policy: Policy, now: datetime) -> Mapping[str, Any]:
    """Return as of when an entry is, by whom, when it is to be reviewed, and whether that is past."""
    due = review.due(period(prefix, policy))
    return {"as_of": review.as_of.isoformat(), "reviewed_by": review.by, "review_due": due.isoformat(),
            "stale": now >= due}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shelf:
    """Reads the catalogue, by a policy and at an instant."""

    registers: RegisterQueries
    policy: Policy
    now: datetime


def shelf_of(service: Service) -> Shelf:
    """Return the catalogue as it stands now."""
    return Shelf(service.registers, service.commands.policy, service.clock())


async def listed(shelf: Shelf, prefix: str, after: str, limit: int) -> Sequence[dict[str, Any]]:
    """List protocols or centres: state, what they are, and how old that is."""
    rows = await shelf.registers.described(prefix, after, limit)
    return [_row(row, prefix, shelf) for row in rows]


def _row(row: Mapping[str, Any], prefix: str, shelf: Shelf) -> dict[str, Any]:
    said = {name: row["said"][name] for name in SHOWN if name in row["said"]}
    known = Review("", date.fromisoformat(row["as_of"]), row["reviewed_by"]) if row["as_of"] else None
    age = reviewed(known, prefix, shelf.policy, shelf.now) if known else {}
    return {"id": row["stream"], "version": row["version"], **said, **row["state"], **age}


@router.get("/reviews", summary="Protocols, centres and sites whose word is no longer fresh")
async def reviews(service: Parts, who: Who) -> JSONResponse:
    """List what has to be held against its source again, and sites nobody's word counts for any more, longest first."""
    allowed = allow(who, Action.SEE_CATALOGUE)
    require(allowed, Reason.NOT_ALLOWED, f"a {who.role.value} does not see the catalogue")
    return JSONResponse(await reviews_due(shelf_of(service)), headers={"Cache-Control": "no-store"})


async def reviews_due(shelf: Shelf) -> dict[str, Any]:
    """Return entries whose review is due, and sites whose word has ended, the longest due first."""
    stale: list[dict[str, Any]] = []
    sites: list[dict[str, Any]] = []
    for prefix in PERIODS:
        async for row in _every(shelf, prefix):
            if row.get("stale"):
                name = row.get("name") or row.get("title", "")
                stale.append({n: row[n] for n in ("id", "as_of", "reviewed_by", "review_due")} | {"name": name})
            sites += [{"protocol": row["id"], **site} for site in row.get("sites", ()) if _ended(site, shelf.now)]
    return {
        "reviews": sorted(stale, key=lambda row: row["review_due"]),
        "sites": sorted(sites, key=lambda site: site["until"]),
    }


def _ended(site: Mapping[str, Any], now: datetime) -> bool:
    """Whether the word for a site counts no more; a closed one is not asked again."""
    return site["state"] != "closed" and datetime.fromisoformat(site["until"]) <= now


async def _every(shelf: Shelf, prefix: str) -> AsyncIterator[dict[str, Any]]:
    after = ""
    while rows := await listed(shelf, prefix, after, MOST):
        for row in rows:
            yield row
        after = rows[-1]["id"]
