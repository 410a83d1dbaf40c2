"""Cases of one person: which are linked and what they hold, and which probably are; read, never copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.http.access import belonging, case_meant, require_command
from api.http.answers import linked
from api.http.auth import Parts, Who
from api.http.masking import Sees, mask
from api.http.problems import Problem
from api.name_index import PersonIndex
from api.ports import Service
from api.routes.reads import CaseAsSeen, private, seen_case, surviving, told
from domain.case.phases.links import Births, CaseLink
from domain.case.state import Case
from domain.core.errors import Refused
from domain.core.fact import Command, Fact
from domain.core.roles import Action
from domain.roles import Actor, allow
from domain.stages.anytime.linking import LinkCase, MergeCase, UnlinkCase
from domain.stages.intake.duplicates import Ground, described, same_birth

router = APIRouter(tags=["cases"])


async def other_meant(service: Service, who: Actor, command: Command) -> Command:
    """Return the command with the other case by its id, where a number was given. Raises Refused, Problem."""
    if not isinstance(command, LinkCase | UnlinkCase | MergeCase):
        return command
    require_command(who, command.type)
    try:
        return replace(command, other=await case_meant(service, command.other))
    except Refused as no:
        raise Refused(no.reason, no.detail, "other") from None
    except Problem as no:
        raise replace(no, faults=[replace(one, pointer="#/other", parameter=None) for one in no.faults]) from None


@dataclass(frozen=True, slots=True)
class Linked:
    """Another case of the same person as this reader may see it; `seen` is None where it is not theirs to see."""

    link: CaseLink
    seen: CaseAsSeen | None

    @property
    def facts(self) -> Sequence[Fact[Any]]:
        """Return what was told of the patient there, as it stands."""
        if self.seen is None:
            return ()
        known = self.seen.case.correctable
        return [replace(f, event=known[f.id]) for f in self.seen.facts if f.id in known and not f.corrects]


@dataclass(frozen=True, slots=True)
class Perhaps:
    """A case that is probably of the same person and linked with this one in no way."""

    case: str
    number: str
    stage: str
    grounds: Sequence[Ground]
    births: Births


async def linked_with(service: Service, who: Actor, case: Case) -> Sequence[Linked]:
    """Return the linked cases; each that is shown is a look at it."""
    return [Linked(link, await _seen(service, who, link.other)) for link in case.links.values()]


async def _seen(service: Service, who: Actor, other: str) -> CaseAsSeen | None:
    case, _, now = await service.commands.case(other)
    return await seen_case(service, who, other, "case") if allow(who, Action.SEE, belonging(case, now)) else None


async def perhaps_of(service: Service, index: PersonIndex, who: Actor, case: Case, visible: Sees) -> Sequence[Perhaps]:
    """Return who may be the same person and is not linked; to whom names are closed, nobody."""
    patient = case.patient
    if patient is None or "identity" not in visible:
        return []
    asked = described(patient.name, case.birth, patient.mail, patient.phone)
    found = await index.same_person(service, asked)
    told_of = []
    for stream in sorted(set(found) - {case.id, *case.links}):
        other, _, now = await service.commands.case(stream)
        if other.merged_into is None and allow(who, Action.SEE_PERSON, belonging(other, now)):
            births = same_birth(case.birth, other.birth)
            told_of.append(Perhaps(stream, other.number, other.stage.value, found[stream], births))
    return told_of


@router.get("/cases/{case}/same-person")
async def same_person(case: str, request: Request, service: Parts, who: Who) -> JSONResponse:
    """Return cases of the same person: those linked, with what stands there, and those that probably are."""
    state, _, _, visible = await seen_case(service, who, case, "case")
    index: PersonIndex = request.app.state.person_index
    perhaps = await perhaps_of(service, index, who, state, visible)
    body = {
        "goes_on_as": (await surviving(service, state.id)).number if state.merged_into else None,
        "asked": mask(state.link_asked, visible) if state.link_asked else None,
        "linked": [_line(one) for one in await linked_with(service, who, state)],
        "perhaps": [mask(one, visible) for one in perhaps],
    }
    return JSONResponse(body, headers=private())


def _line(one: Linked) -> Mapping[str, Any]:
    line = linked(one.link)
    if one.seen is None:
        return {**line, "masked": True}
    other, _, _, visible = one.seen
    return {
        **line,
        "stage": other.stage.value,
        "open": other.open,
        "documents": [{"item": name, **mask(record, visible)} for name, record in other.records.items()],
        "facts": [told(fact, visible) for fact in one.facts],
    }
