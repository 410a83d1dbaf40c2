"""Matching [S3]: what counts of a case, and what the catalogue offers, as `domain/criteria/matching.py` ranks them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from domain.case.phases.findings import Therapy
from domain.case.stage import Stage
from domain.case.state import Case
from domain.catalogue.centre import Centre
from domain.catalogue.product import said_in
from domain.catalogue.protocol import Protocol
from domain.catalogue.protocols.description import Description
from domain.catalogue.site import SiteLease, leases
from domain.core.personal import readable
from domain.criteria.checks import Door, Offer, Patient
from domain.criteria.diseases import DISEASES, disease_in
from domain.criteria.matching import Match, Prepared, match, next_ways
from domain.law.clinical_holds import in_force
from domain.law.countries import wanted_class
from domain.stages.records.observing import observed

BECAUSE: Mapping[str, str] = {
    "manufacture_failed": "manufacture_failed",
    "harvest_contaminated": "autologous_not_feasible",
    "not_feasible": "autologous_not_feasible",
    "too_slow": "not_fast_enough",
    "progression": "autologous_failed",
}
"""Why an autologous product ended → why the patient's own cells are no way [criteria.lines]."""


@dataclass(frozen=True, slots=True)
class CaseDisease:
    """The disease as a code; `from_words`: nobody stated the code, it was read from the words of the diagnosis."""

    code: str = ""
    from_words: bool = False


def disease_of(case: Case) -> CaseDisease:
    """Return the stated code, else what the words of the diagnosis name; nothing where they cannot be read."""
    if readable(case.disease) and case.disease in DISEASES:
        return CaseDisease(str(case.disease))
    words = disease_in(str(case.diagnosis)) if readable(case.diagnosis) else ""
    return CaseDisease(words, bool(words))


def own_cells(case: Case) -> tuple[str, ...]:
    """Return why the patient's own cells are no way: what triage said, and what came of autologous products."""
    told = [case.triage] if case.triage in BECAUSE.values() else []
    told += [reason for one in case.therapies.values() if (reason := _failed(one))]
    return tuple(dict.fromkeys(told))


def _failed(one: Therapy) -> str:
    if one.kind != "autologous_car_t":
        return ""
    return BECAUSE.get(one.ended_because, "") or ("autologous_failed" if one.best_response == "progression" else "")


def patient_of(case: Case, now: datetime) -> Patient:
    """Return what counts of a case at an instant."""
    directed: dict[str, date | None] = {}
    for one in case.therapies.values():
        if one.target and one.kind != "other":
            day = one.ended or one.started
            known = directed.get(one.target, date.min)
            directed[one.target] = max(day, known) if day and known else None
    return Patient(
        country=case.country,
        language=case.language,
        disease=disease_of(case).code,
        urgent=case.urgent,
        own_cells=own_cells(case),
        directed=directed,
        facts=observed(case, now),
        read={s.protocol: {one.criterion: one.result for one in s.criteria} for s in case.submissions.values()},
    )


def offers(protocols: Mapping[str, Protocol], centres: Mapping[str, Centre], now: datetime) -> Iterator[Offer]:
    """Yield each protocol at each centre that runs it; of which nobody says where it runs, at every centre."""
    for stream, protocol in protocols.items():
        if protocol.description is not None:
            yield from _of(stream, protocol, protocol.description, centres, now)


def _of(
    stream: str, protocol: Protocol, told: Description, centres: Mapping[str, Centre], now: datetime
) -> Iterator[Offer]:
    sites = {one.centre: one for one in leases(protocol.sites)}
    only = [told.centre] if told.centre else list(centres)
    for name in sites or only:
        if (centre := centres.get(name)) is not None:
            door = _site_door(sites[name], now) if sites else _door(protocol, told, now)
            said = said_in(protocol.approvals, centre.country) if told.access == "approved_use" else None
            door = "shut" if told.draft or in_force(protocol.holds) else door
            yield replace(_offer(stream, told, name, centre, door), approvals=said)


def _offer(stream: str, told: Description, name: str, centre: Centre, door: Door) -> Offer:
    return Offer(
        protocol=stream,
        centre=name,
        product=told.product_class,
        targets=told.targets,
        diseases=told.diseases,
        criteria=told.criteria,
        door=door,
        takes_patients=not centre.paused,
        accepts_from_abroad=centre.accepts_international,
        country=centre.country,
        capabilities=frozenset(centre.capabilities),
        languages=frozenset(centre.languages),
        wanted_class=wanted_class(told.route),
        hospital_class=centre.hospital_class,
        product_code=told.product,
        depletion_days=depletion_days(told),
    )


def depletion_days(told: Description) -> tuple[int, int] | None:
    """Return how many days before the infusion lymphodepletion begins, least and most of the protocol's variants.

    None where the source does not say: a drug without days may begin before those that have some.
    """
    if told.lymphodepletion_planned is False:
        return 0, 0
    if not told.lymphodepletion or not all(drug.days for drug in told.lymphodepletion):
        return None
    first: dict[str, int] = {}
    for drug in told.lymphodepletion:
        first[drug.variant] = max(first.get(drug.variant, 0), -min(drug.days))
    return min(first.values()), max(first.values())


def _site_door(site: SiteLease, now: datetime) -> Door:
    return "not_known" if site.stale_at(now) else "open" if site.open_at(now) else "shut"


def _door(protocol: Protocol, told: Description, now: datetime) -> Door:
    """Open only where somebody said that it runs there, and that it takes patients."""
    if protocol.closed is not None:
        return "shut"
    known = told.centre and protocol.open_until and now < protocol.open_until
    return "open" if known else "not_known"


def matches(case: Case, found: Iterable[Offer] | Prepared, now: datetime) -> Sequence[Match]:
    """Return every offer ranked for a case."""
    return match(patient_of(case, now), found, now)


def ways_left(case: Case, found: Sequence[Match]) -> Sequence[Match]:
    """Return the next two ways that nothing excludes, after those that were tried or are under way."""
    return next_ways(found, {(s.protocol, s.centre) for s in case.submissions.values()})


def turned_away(case: Case) -> bool:
    """Return whether a centre declined, no acceptance stands, and the journey goes on: another way is to be found."""
    states = [s.state for s in case.submissions.values()]
    seeking = case.stage in (Stage.ELIGIBILITY, Stage.ADMISSION) and not case.exit
    return seeking and "declined" in states and "accepted" not in states
