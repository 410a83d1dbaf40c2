"""Traces a material, lot or patient both ways in one call: what it is made of, every unit made of it, who got them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.http.access import SPOKEN, case_meant
from api.http.auth import Parts, Who
from api.http.command_json import read_json
from api.http.limits import read_body
from api.http.masking import EVERYTHING
from api.http.problems import Fault, invalid
from api.ports import Service
from api.routes.looks import looked
from api.routes.reads import private, zoned
from api.routes.register.entries import visible_to
from domain.core.errors import Reason, require
from domain.doses.genealogy import Trace, UnitFound, patients_of, units_of
from domain.roles import Actor
from domain.stages.treatment.look_back import infused_lots

router = APIRouter(prefix="/genealogy", tags=["genealogy"])


@router.post("/trace", summary="Trace a code both ways")
async def trace(request: Request, service: Parts, who: Who) -> JSONResponse:
    """Trace what `of` names, now or as known at `known_at`: the code or id of a material or lot, or a case.

    `shared`: from there back to the vector lots it was made with, and down to everybody who got cells of the same.
    A code may describe a donor, so it is asked by POST. Whoever may see who got a unit may ask.
    """
    body = read_json(await read_body(request))
    then, shared = _instant(body.get("known_at")), body.get("shared") is True
    found, at = await traced(service, who, str(body.get("of", "")), then, shared=shared)
    return JSONResponse(await answered(service, who, found, at), headers=private())


async def traced(
    service: Service, who: Actor, of: str, known_at: datetime | None, *, shared: bool = False
) -> tuple[Trace, datetime]:
    """Return what stands around what somebody named, and as of when. Raises Refused."""
    require_quality(who)
    starts = await starts_of(service, of)
    require(starts, Reason.NOT_FOUND, "no material, lot or case has that code", "of")
    now = service.clock()
    if shared:
        starts = await service.genealogy.shared(starts, known_at)
    return await service.genealogy.trace(starts, known_at), min(known_at or now, now)


def require_quality(who: Actor) -> None:
    """Refuse whoever may not see who got a unit. Raises Refused."""
    allowed = visible_to(who, "lot") is EVERYTHING
    require(allowed, Reason.NOT_ALLOWED, f"who got a unit is not for the role {who.role.value} to see")


async def starts_of(service: Service, of: str) -> Sequence[str]:
    """Return the materials and lots that are meant; of a case those its patient got, or is to get. Raises Refused."""
    if of.startswith("case-") or SPOKEN.fullmatch(of):
        case, _, _ = await service.commands.case(await case_meant(service, of))
        got = {*infused_lots(case), case.lot}
        return await service.genealogy.existing(sorted(got - {""}))
    return await service.genealogy.meant(of)


async def answered(service: Service, who: Actor, found: Trace, at: datetime) -> Mapping[str, Any]:
    """Return the answer as JSON, once the look at the cases in it is recorded."""
    units = units_of(found, at)
    patients = patients_of(units)
    rows = {row["stream"]: row for row in await service.worklist.rows(list(patients))}
    if rows:
        await looked(service, who, "genealogy", sorted(rows), frozenset())
    return {
        "of": list(found.starts),
        "materials": [_material(stream, found) for stream in sorted(found.materials)],
        "lots": [_lot(stream, found) for stream in sorted(found.lots)],
        "made_of": sorted(map(list, found.made_of)),
        "made_into": sorted(map(list, found.made_into)),
        "only_written": list(found.written),
        "units": [{**_unit(one), "number": rows[one.case]["number"] if one.case in rows else None} for one in units],
        "patients": [_patient(case, of, rows.get(case, {})) for case, of in patients.items()],
        "as_known_at": at.isoformat(),
    }


def _material(stream: str, found: Trace) -> Mapping[str, Any]:
    one = found.materials[stream]
    screening = [{"marker": s.marker, "result": s.result, "sampled": s.sampled.isoformat()} for s in one.screening]
    typed = {"alleles": list(one.alleles)} if one.alleles else {}
    donor = {"consents": list(one.consents), "screening": screening, **typed} if one.kind == "donor" else {}
    return {"id": stream, "kind": one.kind, "code": one.code, **one.told, **donor}


def _lot(stream: str, found: Trace) -> Mapping[str, Any]:
    lot = found.lots[stream]
    expires = lot.expires.isoformat() if lot.expires else None
    return {"id": stream, "state": lot.state, "product": lot.product, "expires": expires, "units": len(lot.units)}


def _unit(one: UnitFound) -> dict[str, Any]:
    return {"lot": one.lot, "unit": one.unit, "state": one.state, "case": one.case or None}


def _patient(case: str, units: Sequence[UnitFound], row: Mapping[str, Any]) -> Mapping[str, Any]:
    got = [{"lot": one.lot, "unit": one.unit, "state": one.state} for one in units]
    known = {name: row.get(name) for name in ("number", "centre", "stage", "team")}
    return {"case": case, **known, "units": got}


def _instant(given: object) -> datetime | None:
    if given is None:
        return None
    try:
        return zoned(datetime.fromisoformat(str(given)), "known_at")
    except ValueError:
        raise invalid("this is no instant", Fault("write it as 2026-11-30T12:00:00Z", "#/known_at")) from None
