"""Shows a hospital's clerk what their centre was asked to arrange; the clerk offers times, agrees or refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import Response

from activities.ports import Meta
from api.console.pages.clerk import ClerkAnswer, clerk_of, record_answer, zone_at
from api.console.pages.travelling.stay import arrangement_details
from api.console.reply_page import answer_form
from api.console.session import CSRF, Viewer, Visitor, fresh_key, require_csrf
from api.console.text.texts import Texts
from api.console.text.times import ViewerClock
from api.console.web import page, pages, seen
from api.http.access import belonging, require_seen
from api.http.auth import CLERKS, Parts
from api.http.form_json import read_form
from api.http.form_parse import Pairs
from api.http.limits import read_small
from api.http.problems import Problem, of_refusal
from api.ports import Service
from domain.case.phases.arrangements import Arrangement, State
from domain.case.state import Case
from domain.core.errors import Reason, Refused, require
from domain.core.roles import Action
from domain.roles import Actor, allow
from domain.stages.eligibility.submissions import may_receive
from domain.stages.travel.arrangement_kinds import KINDS

router = pages()
ASKED = f"{CLERKS}arrangements"
GONE = "nothing of that name is asked of your hospital"
ANSWERS: Mapping[State, Sequence[str]] = {
    "asked": ("ConfirmArrangement", "OfferSlots", "RefuseArrangement"),
    "offered": ("ConfirmArrangement", "OfferSlots", "RefuseArrangement"),
    "confirmed": ("ConfirmArrangement", "RefuseArrangement"),
    "refused": ("ConfirmArrangement", "OfferSlots"),
}
"""How an arrangement stands → what its centre may say of it then; in any other state it is none of theirs."""
LEFT_OUT = ("place", "distance_km", "payer", "contact", "phone", "emergency_number")
"""Details of an agreement that are asked for where they say something about the kind."""


@dataclass(frozen=True, slots=True)
class CentreArrangement:
    """One arrangement that is asked of the clerk's centre, with its case."""

    case: Case
    known: Arrangement

    @property
    def path(self) -> str:
        """Return where its page is."""
        return f"{ASKED}/{self.case.id}/{self.known.id}"

    @property
    def answers(self) -> Sequence[str]:
        """Return what may be said of it as it stands."""
        offers = KINDS[self.known.kind].appointment
        return [name for name in ANSWERS[self.known.state] if offers or name != "OfferSlots"]

    @property
    def fixed(self) -> Mapping[str, Any]:
        """Return what its forms do not ask: which one is meant, and what says nothing about its kind."""
        says = KINDS[self.known.kind].says
        empty = {name: None if name == "distance_km" else "" for name in LEFT_OUT if name not in says}
        return {"arrangement": self.known.id, **empty}


@router.get(ASKED)
async def asked_of_centre(request: Request, service: Parts, viewer: Viewer) -> Response:
    """List what is asked of the clerk's centre or agreed with it; the look is recorded."""
    who = clerk_of(viewer)
    found: list[CentreArrangement] = []
    for stream in await service.registers.watching(who.centre):
        if stream.startswith("case-"):
            case, _, _ = await service.commands.case(stream)
            found += _standing(who, case)
    found.sort(key=lambda one: (one.known.state != "asked", one.known.starts))
    cases = list(dict.fromkeys(one.case.id for one in found))
    if cases:
        await service.looks.record(Meta(who.id, who.stated), "worklist", cases, ())
    rows = [(one, _when(one, viewer.t, service.clock())) for one in found]
    return page(request, "clerk_arrangements.html", viewer, found=rows)


@router.get(ASKED + "/{case}/{arrangement}")
async def arrangement_asked(case: str, arrangement: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show one arrangement with what is known of it, and what may be said of it now."""
    return await _shown(request, service, viewer, await _one(service, viewer, case, arrangement))


@router.post(ASKED + "/{case}/{arrangement}")
async def arrangement_answered(
    case: str, arrangement: str, request: Request, service: Parts, viewer: Viewer
) -> Response:
    """Record an answer in the clerk's own name, as their centre's word. What is wrong is shown beside its field."""
    pairs = read_form(await read_small(request))
    require_csrf(request, dict(pairs).get(CSRF, ""))
    one = await _one(service, viewer, case, arrangement)
    asks = [e.id for e in one.case.effects.values() if e.about == one.known.about]
    said = ClerkAnswer(one.case, one.answers, one.fixed, asks[-1] if asks else None)

    def still(now: Case) -> None:
        _require_asked(viewer.who, now, arrangement)

    try:
        await record_answer(service, viewer.who, said, pairs, still)
    except Problem as problem:
        return await _shown(request, service, viewer, one, problem, pairs)
    except Refused as refused:
        return await _shown(request, service, viewer, one, of_refusal(refused), pairs)
    return seen(ASKED)


def _standing(who: Actor, case: Case) -> Sequence[CentreArrangement]:
    """What this centre is asked in a case; nothing without the consent to share with it, or once the case has ended."""
    if case.exit or case.forgotten or not may_receive(case, who.centre):
        return ()
    ours = [a for a in case.arrangements.values() if a.asked_of == "centre" and a.centre == who.centre]
    return [CentreArrangement(case, a) for a in ours if a.state in ANSWERS]


def _require_asked(who: Actor, case: Case, arrangement: str) -> CentreArrangement:
    """The arrangement, if it is asked of the clerk's centre; anything else does not exist. Raises Refused."""
    whose = belonging(case)
    require(allow(who, Action.SEE, whose) and allow(who, Action.ANSWER, whose), Reason.NOT_FOUND, GONE)
    found = next((one for one in _standing(who, case) if one.known.id == arrangement), None)
    if found is None:
        raise Refused(Reason.NOT_FOUND, GONE)
    return found


async def _one(service: Service, viewer: Visitor, case: str, arrangement: str) -> CentreArrangement:
    who = clerk_of(viewer)
    require(case.startswith("case-"), Reason.NOT_FOUND, GONE)
    try:
        state, _, _ = await service.commands.case(case)
        require_seen(who, belonging(state))
    except Refused as refused:
        raise Refused(Reason.NOT_FOUND, GONE) if refused.reason is Reason.NOT_FOUND else refused from None
    return _require_asked(who, state, arrangement)


def _clock(one: CentreArrangement, t: Texts, now: datetime) -> ViewerClock:
    return ViewerClock(now, ZoneInfo(zone_at(one.case, one.known.centre)), t)


def _when(one: CentreArrangement, t: Texts, now: datetime) -> str:
    clock = _clock(one, t, now)
    return f"{clock.instant(one.known.starts)} - {clock.instant(one.known.ends)}"


async def _shown(
    request: Request,
    service: Service,
    viewer: Visitor,
    one: CentreArrangement,
    problem: Problem | None = None,
    pairs: Pairs = (),
) -> Response:
    who, t, chosen, now = viewer.who, viewer.t, dict(pairs).get("type", ""), service.clock()
    identity = allow(who, Action.SEE_PERSON, belonging(one.case))
    await service.looks.record(
        Meta(who.id, who.stated), "arrangements", [one.case.id], {"identity"} if identity else ()
    )
    row = {"zone": zone_at(one.case, one.known.centre), "fixed": one.fixed}
    clock = _clock(one, t, now)
    return page(
        request,
        "clerk_arrangement.html",
        viewer,
        problem.status if problem else 200,
        one=one,
        zone=row["zone"],
        when=_when(one, t, now),
        details=arrangement_details(t, one.known, identity=identity),
        slots=[f"{clock.instant(slot.starts)} - {clock.instant(slot.ends)}" for slot in one.known.slots],
        answers=[answer_form(t, row, name, problem, pairs if name == chosen else None) for name in one.answers],
        error=problem.detail if problem else "",
        key=fresh_key(),
    )
