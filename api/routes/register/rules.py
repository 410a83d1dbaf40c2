"""The rules of countries as the program has them: what is asked, of which route, and where that was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Who
from domain.catalogue.protocols.classes import CLASSES
from domain.core.errors import Reason, require
from domain.law.countries import ROUTES, RULES

router = APIRouter(tags=["rules"])
NO_ADVICE = "No legal advice: a row says what was read and where. An empty article means that nobody read it."


@router.get("/rules", summary="Rules of countries, each with its source")
async def rules(_: Who, country: str = "", route: str = "") -> JSONResponse:
    """List the rules, all or those of a country (ISO 3166 alpha-2, EU) or of a route that a protocol names."""
    known = route in ("", "not_said", *ROUTES)
    require(known, Reason.INVALID, f"no such route; there are {', '.join(ROUTES)}", "route")
    found = rules_told(country, route)
    return JSONResponse({"note": NO_ADVICE, "rules": found}, headers={"Cache-Control": "no-store"})


@router.get("/product-classes", summary="What the class of a product changes, with sources")
async def product_classes(_: Who) -> JSONResponse:
    """List each class: steps left out, what may fail, what is watched and looked at, days to make it, how it lasts."""
    found = {name: {**asdict(row), "left_out": row.left_out} for name, row in CLASSES.items()}
    return JSONResponse({"classes": found}, headers={"Cache-Control": "no-store"})


def rules_told(country: str = "", route: str = "") -> Sequence[dict[str, Any]]:
    """Return the rows of a country and a route as JSON has them; of a route also what counts whichever it is."""
    return [
        asdict(one)
        for one in RULES
        if country.upper() in ("", one.country) and (not route or not one.routes or route in one.routes)
    ]
