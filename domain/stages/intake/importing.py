"""Taking over a running case from a spreadsheet: where it stands, with its own dates; nothing past is chased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.case.phases.consents import Consent
from domain.case.phases.submissions import Submission
from domain.case.stage import Stage
from domain.case.state import Case
from domain.case.table import Takes
from domain.case.track import Track
from domain.case.treatment import Infusion, Treatment
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Trace
from domain.core.policy import Policy
from domain.core.roles import Action
from domain.core.when import When
from domain.stages.intake.people import NAMED, consent_of


@dataclass(frozen=True, slots=True)
class ImportFacts:
    """Bring in a running case: where it stands, with its own dates; nothing past is chased."""

    stage: Stage
    owner: str = ""
    team: str = ""
    centre: str = ""
    protocol: str = ""
    accepted_until: datetime | None = None
    consents: tuple[str, ...] = ()
    dose_lot: Trace = ""
    dose_unit: Trace = ""
    dose_until: datetime | None = None
    bed_until: datetime | None = None
    entered: datetime | None = None
    stay_until: datetime | None = None
    infusions: tuple[When, ...] = ()
    home: datetime | None = None
    type: Literal["ImportFacts"] = "ImportFacts"


@dataclass(frozen=True, slots=True)
class FactsImported:
    """A running case was taken over with its own dates."""

    stage: Stage
    owner: str
    team: str
    submission: str
    centre: str
    protocol: str
    accepted_until: datetime | None
    consents: tuple[str, ...]
    dose_lot: Trace
    dose_unit: Trace
    dose_until: datetime | None
    bed_until: datetime | None
    entered: datetime | None
    stay_until: datetime | None
    infusions: tuple[When, ...]
    home: datetime | None
    type: Literal["FactsImported"] = "FactsImported"


Event = FactsImported
TAKES = (Takes(ImportFacts, (FactsImported,), at=(Stage.INQUIRY,), by=Action.IMPORT),)


def decide(case: Case, c: ImportFacts, now: datetime, ids: Ids, policy: Policy) -> Sequence[FactsImported]:
    """Refuse what could not be carried on from; else the facts as they were told."""
    require(case.imported, Reason.NOT_ALLOWED, "only a case opened as imported takes imported facts")
    require("FactsImported" not in case.seen, Reason.ALREADY, "the facts were imported")
    later = c.stage.rank >= Stage.VISA.rank and c.stage is not Stage.CLOSED
    require(not later or (c.centre and c.protocol), Reason.INVALID, "from visa on a case has a centre", "centre")
    treated = c.stage in (Stage.REDOSING, Stage.FOLLOW_UP)
    require(not treated or c.infusions, Reason.INVALID, "a treated case names its infusions", "infusions")
    early = c.stage.rank < Stage.INFUSION.rank
    require(not early or not c.infusions, Reason.INVALID, "cells go in at the stage infusion", "infusions")
    future = any(when.earliest and when.earliest > now for when in c.infusions)
    require(not future, Reason.INVALID, "an infusion lies in the past", "infusions")
    return [
        FactsImported(
            c.stage,
            c.owner,
            c.team,
            ids(),
            c.centre,
            c.protocol,
            c.accepted_until,
            c.consents,
            c.dose_lot,
            c.dose_unit,
            c.dose_until,
            c.bed_until,
            c.entered,
            c.stay_until,
            c.infusions,
            c.home,
        )
    ]


def evolve(case: Case, fact: Fact[FactsImported]) -> Case:
    """Fold the imported facts: what lies before the stage is taken as done."""
    e, stage = fact.event, fact.event.stage
    accepted = Submission(e.submission, e.centre, e.protocol, 0, "accepted", 0, e.accepted_until, fact.id)
    imported = replace(
        case,
        stage=stage,
        stage_since=fact.at,
        owner=e.owner or case.owner,
        team=e.team or case.team,
        submissions={accepted.id: accepted} if e.centre else {},
        consents={**case.consents, **_consents(e, fact.id)},
        replied=fact.id,
        scope_acknowledged=fact.id,
    )
    if stage.rank >= Stage.VISA.rank:
        imported = replace(imported, estimate="acknowledged", quote=Track("held", fact=fact.id, answered=1))
    return _treated(_held(_there(imported, e, fact.id), e, fact.id), e, fact.id)


def _consents(e: FactsImported, fact: str) -> dict[str, Consent]:
    given = ((p, e.centre if p in NAMED else "") for p in e.consents)
    return {f"{p}:{recipient}": consent_of(Case(), p, recipient, fact) for p, recipient in given}


def _there(case: Case, e: FactsImported, fact: str) -> Case:
    """Whoever is being treated has arrived, was admitted and screened."""
    inside = e.stage.rank >= Stage.LYMPHODEPLETION.rank and e.stage is not Stage.CLOSED
    return replace(
        case,
        entered=e.entered,
        stay_until=e.stay_until,
        address=fact if e.entered else "",
        admitted=fact if inside else "",
        screening="confirmed" if inside else "none",
        home=e.home,
        contacted=fact if e.home else "",
        handover="accepted" if e.home else "none",
    )


def _held(case: Case, e: FactsImported, fact: str) -> Case:
    if isinstance(e.dose_lot, str) and isinstance(e.dose_unit, str) and e.dose_lot and e.dose_unit and e.dose_until:
        held = (e.dose_lot, e.dose_unit)
        dose = case.dose.held(e.dose_unit, e.dose_until, fact)
        case = replace(case, lot=e.dose_lot, units={**case.units, fact: held}, dose=dose)
    return replace(case, bed=case.bed.held("", e.bed_until, fact)) if e.bed_until else case


def _treated(case: Case, e: FactsImported, fact: str) -> Case:
    """From the stage infusion on there is a treatment whose gate was passed before the import."""
    if not e.infusions and e.stage is not Stage.INFUSION:
        return case
    infusions = tuple(Infusion(n, when, "", fact) for n, when in enumerate(e.infusions, 1))
    given = Treatment(1, max(1, len(infusions)), gate=fact, depletion="omitted", infusions=infusions)
    pathway = {Stage.REDOSING: "redose", Stage.FOLLOW_UP: "observe"}.get(e.stage, "")
    return replace(case, treatments=(given,), follow_up="open" if infusions else case.follow_up, pathway=pathway)
