"""The pages of one case: where it stands, its facts by stage, its timeline, its messages, and why something is so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from api.console.actions import actions
from api.console.overview.called_for import called_for, first_called, probe_of
from api.console.overview.case_status import OpenObligation, askings, lacking, legs, staged, waits
from api.console.overview.costs import cost_table
from api.console.overview.dates import dates_chart
from api.console.overview.depletion import depletion_tables
from api.console.overview.patient_card import patient_card
from api.console.overview.reopened import reopened
from api.console.overview.screened import screened
from api.console.pages.desk.away import away_words
from api.console.pages.desk.place import place_of_case
from api.console.pages.differing import since
from api.console.pages.summarised import summarised
from api.console.pages.travel import (
    NOW,
    AtMoment,
    Moment,
    Scale,
    happened_scale,
    neighbours,
    owed_since,
    recorded_scale,
)
from api.console.session import Viewer, Visitor, directory_of
from api.console.text.fact_text import FactText, FactWriter
from api.console.text.times import ViewerClock
from api.console.ways import Way, waits_of, way_of
from api.console.web import page, pages, seen
from api.http.answers import allowed_now
from api.http.auth import Parts
from api.ports import Service
from api.ranking import after_refusal, first_doses
from api.routes.reads import seen_case
from domain.case.phases.records import StoredDocument
from domain.case.state import Case
from domain.core.errors import Reason, require
from domain.core.fact import Fact
from domain.core.policy import Policy
from domain.core.roles import Action
from domain.history.dated import as_of as held
from domain.history.dated import known
from domain.history.grounds import grounds
from domain.roles import allow
from domain.stages.eligibility.redosing_criteria import redosing_standings
from domain.stages.follow_up.custody import SpecimenLine, specimen_lines
from domain.stages.follow_up.follow_up import visit_lines
from domain.stages.follow_up.registries import form_lines
from domain.stages.follow_up.visit_plan import last_due
from domain.stages.governing.by_class import class_of
from domain.stages.governing.cohort_place import seat_at
from domain.stages.records.needed import Line, lines, outstanding
from domain.stages.response.cell_loss import below_limit
from domain.stages.response.course import response_courses, response_lines
from domain.stages.response.donor_search import often_followed, searched
from domain.stages.schedule.infusion_slip import there
from domain.stages.schedule.monitoring_days import monitoring_tables
from domain.stages.treatment.bedside.dosing import cell_lines, cell_range
from domain.stages.treatment.slip import unasked

router = pages()
LATEST = 12
DEEPEST = 6
PARTS = ("facts", "timeline", "messages")


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """A case as one viewer sees it at one moment; `present` and `whole` are the case and its facts as they are now."""

    case: Case
    facts: Sequence[Fact[Any]]
    now: datetime
    speaker: FactWriter
    moment: Moment
    present: Case
    whole: Sequence[Fact[Any]]
    away: str = ""
    """Says that the owner is away and who covers, in the viewer's words."""

    @property
    def past(self) -> bool:
        """Return whether this is not how the case stands now."""
        return self.moment.known_at is not None

    def scales(self) -> Sequence[Scale]:
        """Return the sliders of both clocks."""
        return recorded_scale(self.whole, self.moment), happened_scale(self.facts, self.moment)

    @property
    def patient(self) -> str:
        """Return the patient's name, where the viewer may see it."""
        known = self.case.patient
        return self.speaker.person(known.id).rpartition(" (")[0] if known and self.named else ""

    @property
    def named(self) -> bool:
        """Return whether names may be seen."""
        return "identity" in self.speaker.visible

    @property
    def unfiled(self) -> Mapping[str, StoredDocument]:
        """Return the files that are no record that was asked for, and no summary."""
        filed = {name for i in self.case.records.values() for name in (i.document, i.original, i.translation)}
        return {n: f for n, f in self.case.stored.items() if n not in filed | {self.case.dossier.summary}}

    @property
    def checklist(self) -> Sequence[Line]:
        """Return how each document this case needs stands."""
        return lines(self.case)

    @property
    def specimens(self) -> Sequence[SpecimenLine]:
        """Return where the slides and blocks are that were asked for."""
        return specimen_lines(self.case)

    @property
    def checklist_open(self) -> bool:
        """Return whether the dossier waits for something on the list."""
        return outstanding(self.case)

    @property
    def clinical(self) -> bool:
        """Return whether documents and findings may be seen."""
        return "clinical" in self.speaker.visible


async def opened(request: Request, service: Service, viewer: Visitor, case: str, moment: Moment = NOW) -> OpenedCase:
    """Return the case, if it exists for this viewer. Raises Refused, Problem."""
    known_at = moment.known_at
    state, facts, now, visible = await seen_case(service, viewer.who, case, "case", known_at)
    clock = ViewerClock(known_at or now, viewer.zone, viewer.t)
    directory = directory_of(request)
    labels = await directory.labels(service, viewer.who)
    owner = await directory.one(service, state.owner)
    corrected = frozenset(f.corrects for f in facts if f.corrects)
    speaker = FactWriter(state, clock, visible, labels, corrected)
    present, whole, _ = await service.commands.case(state.id) if known_at else (state, facts, now)
    away = "" if known_at else away_words(owner, clock, labels)
    return OpenedCase(state, facts, known_at or now, speaker, moment, present, whole, away)


def shown_part(
    request: Request,
    viewer: Visitor,
    one: OpenedCase,
    part: str,
    **values: Any,  # noqa: ANN401 - what the template asks for
) -> Response:
    """Render one part of the case inside its frame."""
    clock = one.speaker.clock
    return page(
        request,
        f"case_{part}.html",
        viewer,
        one=one,
        case=one.case,
        clock=clock,
        speaker=one.speaker,
        part=part,
        may_see_looks=allow(viewer.who, Action.SEE_LOOKS),
        scales=one.scales(),
        steps=neighbours(one.scales()[0], one.moment),
        legs=legs(one.case, one.facts, clock),
        place=None if one.past else place_of_case(request, one.case.id),
        **values,
    )


@router.get("/console/cases/{case}")
async def overview(
    case: str,
    request: Request,
    service: Parts,
    viewer: Viewer,
    done: str = "",
    again: bool = False,
    *,
    moment: AtMoment,
) -> Response:
    """Show the case at a glance."""
    one = await opened(request, service, viewer, case, moment)
    onward, needs = lacking(one.case, one.now, one.speaker.clock)
    owed = waits(one.case, one.now, one.speaker)
    offered = _offered(viewer, one, owed, service.commands.policy)
    return shown_part(
        request,
        viewer,
        one,
        "overview",
        card=patient_card(one.case, one.now, one.speaker),
        dates=dates_chart(one.case, one.facts, one.now, one.speaker),
        waits=owed,
        askings=askings(one.case, one.speaker),
        screened=await screened(service, one.case, one.now, one.speaker),
        slips=None if one.past else unasked(one.case, one.now, service.commands.policy),
        there=not one.past and there(one.case),
        depletion=depletion_tables(one.case, one.speaker),
        monitoring=monitoring_tables(one.case),
        **_response(one.case),
        watched=class_of(one.case).watched,
        **_cells(one.case, one.now),
        **_followed(one.case),
        costs=cost_table(one.case, one.speaker),
        summaries=summarised(one.case, one.speaker),
        onward=onward,
        needs=needs,
        became=owed_since(one.case, one.present, one.speaker),
        differs=since(one.case, one.present, one.whole, one.speaker) if one.past else (),
        reopened=reopened(one.case, one.facts, one.speaker, [act for g in offered["groups"] for act in g.acts]),
        **offered,
        latest=[one.speaker.fact(f) for f in reversed([f for f in one.facts if f.told][-LATEST:])],
        recorded=_recorded(one, done),
        again=again,
        ways=None if one.past else await _ways(service, viewer, one),
        queues=() if one.past else await waits_of(service, one.case, one.speaker),
    )


def _offered(viewer: Visitor, one: OpenedCase, owed: Sequence[OpenObligation], policy: Policy) -> dict[str, Any]:
    """What this viewer can do now, in groups and by what is owed; nothing with a case as it was."""
    tried = probe_of(viewer, one.case, one.now, one.speaker, policy)
    groups = () if one.past else actions(viewer, one.case, {w.group for w in owed}, tried)
    may = {act.name for group in groups for act in group.acts}
    settling = called_for(viewer, owed, may, tried)
    return {"groups": groups, "may": may, "settling": settling, "called": first_called(settling)}


def _cells(case: Case, now: datetime) -> dict[str, Any]:
    """How many cells were authorised and given, what is asked before another dose, and the place in a cohort."""
    return {
        "redosing": redosing_standings(case, now),
        "cells": cell_range(case, now),
        "cell_lines": cell_lines(case),
        "seat": seat_at(case, case.protocol),
    }


def _response(case: Case) -> dict[str, Any]:
    """How the disease answered to the cells, and what may follow."""
    return {
        "below_limit": below_limit,
        "donor_search": searched(case),
        "often_followed": often_followed(case),
        "responses": response_lines(case),
        "response_courses": response_courses(case),
    }


async def _ways(service: Service, viewer: Visitor, one: OpenedCase) -> Sequence[Way] | None:
    """The next ways after a refusal, each with the form that proposes it; None where nobody refused."""
    left = await after_refusal(service, viewer.who, one.case, one.now, one.speaker.visible)
    if left is None:
        return None
    may = allowed_now(viewer.who, one.case)
    times = await first_doses(service, one.case, left[0], one.now)
    return [way_of(m, first, one.speaker, may, left[1], left=True) for m, first in zip(left[0], times, strict=True)]


def _followed(case: Case) -> Mapping[str, Any]:
    """What follow-up shows: the visits and its end, and the forms for registries that are not ahead."""
    lines = [line for line in form_lines(case) if line.stands != "ahead"]
    return {"visits": visit_lines(case), "visits_end": last_due(case), "registry_lines": lines}


def _recorded(one: OpenedCase, done: str) -> Sequence[FactText] | None:
    """What the form that led here brought: `done` is first-last, the versions it wrote."""
    first, _, last = done.partition("-")
    if not (first.isdecimal() and last.isdecimal() and len(done) < LATEST * 2):
        return None
    return [one.speaker.fact(f) for f in one.facts if int(first) <= f.version <= int(last)]


@router.get("/console/cases/{case}/facts")
async def facts_by_stage(case: str, request: Request, service: Parts, viewer: Viewer, moment: AtMoment) -> Response:
    """Show what people and hospitals said, by stage; a corrected fact stands with both its versions."""
    one = await opened(request, service, viewer, case, moment)
    return shown_part(
        request,
        viewer,
        one,
        "facts",
        stages=_by_stage(one),
        correctable=() if one.past else one.case.correctable,
        dated=[(d.standing, one.speaker.fact(d.fact)) for d in held(one.facts, moment.as_of)] if moment.as_of else None,
        later={f.corrects for f in one.whole[len(one.facts) :] if f.corrects},
    )


@dataclass(frozen=True, slots=True)
class FactVersions:
    """A fact and every earlier version of it, oldest first."""

    now: FactText
    before: Sequence[FactText]


def _by_stage(one: OpenedCase) -> Sequence[tuple[str, Sequence[FactVersions]]]:
    found = dict[str, list[FactVersions]]()
    again: dict[str, list[Fact[Any]]] = {}
    for fact in one.facts:
        if fact.corrects:
            again.setdefault(fact.corrects, []).append(fact)
    for s in staged(one.facts):
        if s.fact.told and not s.fact.corrects:
            versions = [one.speaker.fact(f) for f in (s.fact, *again.get(s.fact.id, ()))]
            found.setdefault(s.stage.value, []).append(FactVersions(versions[-1], versions[:-1]))
    return list(found.items())


@router.get("/console/cases/{case}/at")
async def to_moment(
    case: str,
    request: Request,
    service: Parts,
    viewer: Viewer,
    recorded: int | None = None,
    happened: int | None = None,
    part: str = "overview",
) -> Response:
    """Lead from the places of both sliders to the address of that moment, which stays right."""
    one = await opened(request, service, viewer, case)
    known_at = recorded_scale(one.whole, NOW).at(recorded)
    facts = known(one.whole, known_at) if known_at else one.whole
    as_of = happened_scale(facts, NOW).at(happened)
    where = "/facts" if as_of else f"/{part}" if part in PARTS else ""
    return seen(f"/console/cases/{one.case.id}{where}{Moment(known_at, as_of).query()}")


@router.get("/console/cases/{case}/why/{event}")
async def why(case: str, event: str, request: Request, service: Parts, viewer: Viewer, moment: AtMoment) -> Response:
    """Show one event and what it rests on, down to what people said."""
    one = await opened(request, service, viewer, case, moment)
    by_id = {fact.id: fact for fact in one.facts}
    require(event in by_id, Reason.NOT_FOUND, "no such event in this case")
    return shown_part(request, viewer, one, "why", root=_reason(one, by_id[event], DEEPEST))


@dataclass(frozen=True, slots=True)
class Grounds:
    """A fact, and what it rests on."""

    said: FactText
    fact: Fact[Any]
    rests: Sequence[Grounds]


def _reason(one: OpenedCase, fact: Fact[Any], depth: int) -> Grounds:
    rests = grounds(fact, one.facts) if depth else ()
    return Grounds(one.speaker.fact(fact), fact, [_reason(one, f, depth - 1) for f in rests])
