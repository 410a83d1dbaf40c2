"""Asks for slides or blocks together with the list [records.specimens]: things in custody, that come home again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from domain.case.phases.records import Specimen
from domain.case.state import Case
from domain.case.table import Owes, Takes, Wants
from domain.core.copying import replace
from domain.core.fact import Fact, Ids
from domain.core.policy import Party
from domain.stages.records.needed import needed


@dataclass(frozen=True, slots=True)
class SpecimenAsked:
    """Slides or blocks are asked for, of whoever has the pathology."""

    specimen: str
    source: Literal["family", "home_oncologist"]
    type: Literal["SpecimenAsked"] = "SpecimenAsked"


Event = SpecimenAsked
TAKES: tuple[Takes, ...] = ()
"""No command is told here: they are asked for with the list; what becomes of them is told in custody."""


def evolve(case: Case, fact: Fact[SpecimenAsked]) -> Case:
    """Fold that they are asked for."""
    e = fact.event
    return replace(case, specimens={**case.specimens, e.specimen: Specimen(e.specimen, Party(e.source))})


def specimens_to_ask(case: Case, ids: Ids) -> Sequence[SpecimenAsked]:
    """Return the request for slides or blocks: once, where pathology is needed and none are known of."""
    sent = any(r.kind in ("slides", "blocks") for r in case.resources.values())
    if case.specimens or sent or not _wanted(case):
        return []
    doctor = case.home_doctor is not None and case.shares_with_doctor
    return [SpecimenAsked(ids(), "home_oncologist" if doctor else "family")]


def _wanted(case: Case) -> bool:
    return any(one.kind == "pathology" for one in needed(case))


def _awaited(case: Case, source: Party) -> Iterable[str]:
    """Asked for and not at hand, while a centre is still to decide on them."""
    asked = [one.id for one in case.specimens.values() if one.source is source and one.state == "asked"]
    return asked if asked and not case.exit and case.accepted is None and _wanted(case) else []


def _told(case: Case, about: str) -> bool:
    known = case.specimens.get(about)
    return known is not None and known.state != "asked"


OWES = (
    Owes(
        "specimen",
        Party.FAMILY,
        Party.COORDINATOR,
        lambda c: _awaited(c, Party.FAMILY),
        _told,
        asked_by="ask_for_specimen",
        settled_in="custody",
    ),
    Owes(
        "specimen_from_doctor",
        Party.HOME_ONCOLOGIST,
        Party.COORDINATOR,
        lambda c: _awaited(c, Party.HOME_ONCOLOGIST),
        _told,
        asked_by="ask_for_specimen_from_doctor",
        settled_in="custody",
    ),
)
WANTS = (
    Wants("ask_for_specimen", Party.FAMILY, lambda c: _awaited(c, Party.FAMILY), _told),
    Wants("ask_for_specimen_from_doctor", Party.HOME_ONCOLOGIST, lambda c: _awaited(c, Party.HOME_ONCOLOGIST), _told),
)
