"""Signing in. The development sign-in exists only where the process was given one (inside `caravel up`)."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who, cookie_name, secure
from api.http.command_json import read_json
from api.http.limits import address, read_small
from api.http.problems import Fault, Problem, invalid
from api.ports import DevSignIn, Service
from domain.catalogue.staff import Staff

router = APIRouter(tags=["signing in"])
dev_router = APIRouter(tags=["signing in"])


@router.get("/me")
async def me(who: Who) -> Mapping[str, str]:
    """Return who you are to Caravel."""
    return {"actor": who.id, "role": who.role.value, "team": who.team, "purpose": who.stated}


@router.post("/sign-out", status_code=204)
async def sign_out(request: Request, who: Who) -> None:
    """End this session."""
    del who
    await request.app.state.doorkeeper.signed_out(request)


@dev_router.post("/dev/sign-in")
async def dev_sign_in(request: Request, service: Parts) -> JSONResponse:
    """Be one of the seeded people: {"person", "secret"}; the secret stands in the ready URL."""
    await request.app.state.throttle.hit("sign_in", address(request))
    dev = service.dev
    assert dev is not None
    require_local(request, dev)
    given = read_json(await read_small(request))
    if not hmac.compare_digest(str(given.get("secret", "")).encode(), dev.secret.encode()):
        raise Problem(401, "not_signed_in", "that is not the secret of the ready address")
    person = await require_person(service, given.get("person"))
    token = await service.sessions.open(person, "development", dev.lasts)
    answer = JSONResponse({"token": token, "actor": person}, headers={"Cache-Control": "no-store"})
    seconds = int(dev.lasts.total_seconds())
    name = cookie_name(request)
    answer.set_cookie(name, token, max_age=seconds, httponly=True, samesite="lax", secure=secure(request))
    return answer


def require_local(request: Request, dev: DevSignIn) -> None:
    """Loopback, our own Host, and no page of another site. Raises Problem(403)."""
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    ours = host in dev.hosts and (origin is None or origin.partition("://")[2] in dev.hosts)
    if not (ours and _loopback(address(request))):
        raise Problem(403, "not_allowed", "the development sign-in is for this machine only")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def require_person(service: Service, person: object) -> str:
    """Return the stream of somebody registered. Raises Problem."""
    if isinstance(person, str) and person.startswith("person-"):
        state = (await service.commands.entry(person)).state
        if isinstance(state, Staff) and state.role is not None:
            return person
    raise invalid("nobody of that name is known", Fault("must be the id of a person", "#/person"))
