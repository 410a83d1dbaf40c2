"""Who waits for a unit of a product, in the order in which units are offered, and why in that [doses.turns]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from activities.following.dose_turns import WaitingCase
from api.http.access import belonging
from api.http.auth import Parts, Who
from api.ports import Service
from domain.catalogue.streams import parse_source_state
from domain.core.errors import Reason, require
from domain.core.roles import Action
from domain.doses.waiting.forecast import supply
from domain.roles import Actor, allow

router = APIRouter(tags=["lots"])
PAGE = 500


@router.get("/doses/waiting")
async def waiting(service: Parts, who: Who) -> JSONResponse:
    """List who waits for a unit, by product: let go first by a supervisor, urgent, then who has waited longest.

    `case` is null where the reader may not see that case; its place counts all the same. `asked`: a unit is being
    asked for it now.
    """
    body = jsonable_encoder({"products": await lines(service, who)})
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.get("/doses/forecast")
async def forecast(service: Parts, who: Who) -> JSONResponse:
    """Count the units of each product beside who waits for one, the most wanting product first.

    `free` now, `coming` in lots that are not released yet, `held` for a time, `expire` too soon for who asks now,
    `bound` to one patient. `short`: so many who wait get none that is free; `short_later`: none that is coming either.
    """
    body = jsonable_encoder({"products": await supplies(service, who)})
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


async def supplies(service: Service, who: Actor) -> Sequence[Mapping[str, Any]]:
    """Return the supply of each product. Raises Refused."""
    allowed = allow(who, Action.SEE_CATALOGUE)
    require(allowed, Reason.NOT_ALLOWED, f"a {who.role.value} does not see the supply of products")
    lots, after = [], ""
    while rows := await service.registers.catalogue("lot", after, PAGE):
        lots += [parse_source_state(row["stream"], row["state"]) for row in rows]
        after = rows[-1]["stream"]
    waiting = {product: len(line) for product, line in (await service.turns.every()).items()}
    now, policy = service.clock(), service.commands.policy
    found = supply(lots, waiting, now, now + policy.dose_hold + policy.dose_margin)
    return [{**asdict(one), "short": one.short, "short_later": one.short_later} for one in found]


async def lines(service: Service, who: Actor) -> Sequence[Mapping[str, Any]]:
    """Return the list of each product as this reader may see it. Raises Refused."""
    allowed = allow(who, Action.SEE_CATALOGUE)
    require(allowed, Reason.NOT_ALLOWED, f"a {who.role.value} does not see who waits for a unit")
    found = await service.turns.every()
    return [
        {"product": product, "waiting": [_row(number, one, who) for number, one in enumerate(line, 1)]}
        for product, line in sorted(found.items())
    ]


def _row(number: int, one: WaitingCase, who: Actor) -> Mapping[str, Any]:
    turn = one.turn
    return {
        "number": number,
        "case": one.case.id if allow(who, Action.SEE, belonging(one.case)) else None,
        "urgent": turn.urgent,
        "out_of_turn": turn.out_of_turn,
        "since": turn.since,
        "asked": turn.asked,
    }
