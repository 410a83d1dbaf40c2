"""Says each kind of published event as a hospital would: one function a kind, nothing of the source lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import fields
from typing import Any

from domain.case.state import Case
from domain.core.errors import Refused
from domain.core.fact import Command
from domain.core.when import When
from domain.criteria.response import SYSTEMS
from domain.grading.ctcae import TREATMENTS
from domain.grading.kinds import kind_of
from domain.stages.follow_up.follow_up import RecordVisit
from domain.stages.response.assessing import CODED, AssessResponse
from domain.stages.treatment import grading
from domain.stages.treatment.adverse_events import (
    ReportInfection,
    ReportLaboratory,
    ReportStay,
    ReportToxicity,
    ResolveToxicity,
)
from domain.stages.treatment.grading import GradeCRS, GradeCytopenia, GradeGVHD, GradeICANS
from domain.stages.treatment.infusion import RecordInfusion
from domain.stages.treatment.lymphodepletion import RecordDepletion
from domain.stages.treatment.observations import (
    ReportDeath,
    ReportOccurrence,
    ReportOffStudy,
    ReportOtherTreatment,
    ReportProgression,
    ReportTrialHold,
)
from domain.stages.treatment.safety import ReportMalignancy
from domain.stages.treatment.transplant import RecordTransplant
from rehearsal.courses.published.courses import Published
from rehearsal.courses.published.kinds import OTHER

WORST_GRADE = 5
DENIES = re.compile(
    r"^\s*(none|not given|omitted)\b|\b(no|without) (chemo|conditioning|lymphodeplet|preparative|ld\b)", re.IGNORECASE
)
"""How a source says that no lymphodepletion was given."""
NOT_TOLD = "not told by the source"
Grading = GradeCRS | GradeICANS | GradeGVHD | GradeCytopenia
GRADED_BY: Mapping[str, type[Grading]] = {
    "crs": GradeCRS, "icans": GradeICANS, "acute_gvhd": GradeGVHD, "cytopenia": GradeCytopenia,
}  # fmt: skip
NO_INPUTS = ("grade", "detail", "occurred", "type")
BY_WHOM = ("assessor", "examination")
Tell = Callable[[Published, When], Command]


class Fields:
    """Holds what an event says; whatever is not taken by name ends up in `detail`, as JSON."""

    def __init__(self, event: Published) -> None:
        self._left = dict(event.fields)
        self._kind = event.told
        self._day = None if event.day.plain else dict(event.day.told)

    def text(self, *names: str) -> str:
        """Return the first of these that is said, in the source's words."""
        for name in names:
            value = self._left.get(name)
            if isinstance(value, str) and value:
                return str(self._left.pop(name))
            if isinstance(value, int | float) and not isinstance(value, bool):
                return str(self._left.pop(name))
        return ""

    def called(self, *names: str) -> str:
        """Return the same, else the kind where the source has a word of its own for it."""
        said = self.text(*names)
        if not said and self._kind:
            said, self._kind = self._kind, ""
        return said or NOT_TOLD

    def whole(self, name: str) -> int | None:
        """Take a field as a whole number, where it is one."""
        value = _whole(self._left.get(name))
        if value is not None:
            del self._left[name]
        return value

    def drop(self, name: str) -> None:
        """Drop a field that the command itself says."""
        self._left.pop(name, None)

    def grades(self) -> tuple[int | None, int | None]:
        """Return the grade given: exact, at least, or neither. A grade in other words stays in the detail."""
        for name, exact in (("grade", True), ("grade_at_least", False)):
            value = _whole(self._left.get(name))
            if value is not None and 0 <= value <= WORST_GRADE:
                del self._left[name]
                return (value, None) if exact else (None, value)
        return None, None

    def coded(self, name: str, codes: Container[object]) -> str:
        """Take a field that says one of these codes; anything else stays in the detail."""
        return str(self._left.pop(name)) if isinstance(self._left.get(name), str) and self._left[name] in codes else ""

    def inputs(self, grades: type[Grading]) -> dict[str, Any]:
        """Take whatever a grade is computed from by that command, where the source says it in its own fields."""
        found: dict[str, Any] = {}
        for one in fields(grades):
            said, given = self._left.get(one.name), one.default
            whole = isinstance(given, bool) == isinstance(said, bool) and (given is None or isinstance(given, int))
            fits = isinstance(said, int) if whole else isinstance(said, str) and isinstance(given, str)
            if one.name not in NO_INPUTS and said is not None and fits:
                found[one.name] = self._left.pop(one.name)
        return found

    def detail(self, more: Mapping[str, Any] | None = None) -> str:
        """Everything else, or nothing."""
        rest = {name: value for name, value in (self._left | dict(more or {})).items() if value is not None}
        rest |= {"day": self._day} if self._day else {}
        rest |= {"kind": self._kind} if self._kind else {}
        return json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else ""

    def words(self, *names: str, otherwise: str = "") -> str:
        """Put the text and everything else behind it in words, for commands without a detail of their own."""
        said, rest = self.text(*names), self.detail()
        return " ".join(part for part in (said or (otherwise if not rest else ""), rest) if part)


def _whole(value: object) -> int | None:
    """A whole number, also where it is written 3.0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    return int(value)


def _toxicity(e: Published, occurred: When) -> Command:
    """A source that tells what its grade rests on is graded by that; one that tells what cannot be is kept in words."""
    computed = _graded(e, occurred)
    if computed is not None:
        return computed
    f = Fields(e)
    grade, at_least = f.grades()
    return ReportToxicity(f.called("name", "what"), grade, at_least, f.detail(), occurred)


def _graded(e: Published, occurred: When) -> Grading | None:
    f = Fields(e)
    grade, at_least = f.grades()
    by = GRADED_BY.get(kind_of(str(e.fields.get("name") or "")))
    said = f.inputs(by) if by and at_least is None else {}
    if by is None or not said:
        return None
    command = by(**said, grade=grade, detail=f.detail(), occurred=occurred)
    try:
        grading.computed(Case(), command)
    except Refused:
        return None
    return command


def _resolved(e: Published, occurred: When) -> Command:
    f = Fields(e)
    return ResolveToxicity(f.called("name", "what"), f.detail(), occurred)


def _infection(e: Published, occurred: When) -> Command:
    f = Fields(e)
    grade, at_least = f.grades()
    route = f.coded("treatment_route", TREATMENTS)
    site, organism = f.text("site"), f.text("organism", "name")
    return ReportInfection(site, organism, grade, at_least, f.detail(), occurred, route)


def _laboratory(e: Published, occurred: When) -> Command:
    f = Fields(e)
    return ReportLaboratory(f.called("what", "name", "result"), f.detail(), occurred)


def _hospitalised(e: Published, occurred: When) -> Command:
    return ReportStay(Fields(e).detail(), occurred)


def _assessment(e: Published, occurred: When) -> Command:
    """By the system the source names, where its result is a category of that one."""
    f = Fields(e)
    result = f.called("result", "what")
    systems = [code for code, system in SYSTEMS.items() if result in system.categories]
    system, assessor, examination = f.coded("system", systems), *(f.coded(name, CODED[name]) for name in BY_WHOM)
    return AssessResponse(result, f.detail(), occurred, system, assessor, examination)


def _progression(e: Published, occurred: When) -> Command:
    return ReportProgression(Fields(e).detail(), occurred)


def _other_treatment(e: Published, occurred: When) -> Command:
    f = Fields(e)
    return ReportOtherTreatment(f.called("what", "name", "regimen", "drug"), f.detail(), occurred)


def _occurrence(e: Published, occurred: When) -> Command:
    """The source's own word comes first: what it means is for people to say."""
    f = Fields(e)
    return ReportOccurrence(f.called(), f.detail(), occurred)


def _malignancy(e: Published, occurred: When) -> Command:
    return ReportMalignancy(Fields(e).words("what", "name"), occurred)


def _trial_hold(e: Published, occurred: When) -> Command:
    f = Fields(e)
    return ReportTrialHold(f.text("by"), f.detail(), occurred)


def _off_study(e: Published, occurred: When) -> Command:
    return ReportOffStudy(Fields(e).detail(), occurred)


def _death(e: Published, occurred: When) -> Command:
    return ReportDeath(Fields(e).words("cause"), occurred)


def _transplant(e: Published, occurred: When) -> Command:
    f = Fields(e)
    return RecordTransplant(f.whole("number"), f.text("donor"), f.detail(), occurred)


def _follow_up(e: Published, occurred: When) -> Command:
    """A contact that found the patient dead is kept as a finding; the death itself has its own event and date."""
    f = Fields(e)
    if e.fields.get("alive") is False:
        return ReportLaboratory("follow-up: not alive", f.detail(), occurred)
    f.drop("alive")
    return RecordVisit("", True, f.text("result", "what"), f.detail(), occurred)


def _depletion(e: Published, occurred: When) -> Command:
    regimen = Fields(e).words("regimen", "what", otherwise=f"lymphodepletion, regimen {NOT_TOLD}")
    return RecordDepletion(regimen, e.day.first if e.day.form == "at" else None, occurred)


def infused(unit: str, dose: Mapping[str, Any], e: Published, occurred: When) -> Command:
    """Return the command that says that cells went in; the dose is the course's, or what this infusion says itself."""
    said = Fields(e).detail({f"course_{key}": value for key, value in dose.items()})
    return RecordInfusion(unit, said, occurred)


TELLINGS: Mapping[str, Tell] = {
    "toxicity": _toxicity,
    "toxicity_resolved": _resolved,
    "infection": _infection,
    "laboratory": _laboratory,
    "hospitalised": _hospitalised,
    "assessment": _assessment,
    "progression": _progression,
    "other_treatment": _other_treatment,
    OTHER: _occurrence,
    "malignancy": _malignancy,
    "trial_hold": _trial_hold,
    "off_study": _off_study,
    "death": _death,
    "transplant": _transplant,
    "follow_up": _follow_up,
    "lymphodepletion": _depletion,
}
"""Every kind a report alone can tell; infusions and corrections need the case as well."""

AFTER_CELLS = frozenset(
    {"assessment", "death", "progression", "toxicity", "toxicity_resolved", "off_study", "follow_up", "reinfusion"}
)
"""Kinds that speak of the time after the cells, so that a bound without a beginning begins with day 0."""


def left_out(event: Published) -> bool:
    """Return whether the source says that no lymphodepletion was given, rather than not saying what was."""
    said = event.fields.get("regimen")
    if said not in (None, "", False, []):
        return isinstance(said, str) and (said.strip().casefold() == "no" or DENIES.search(said) is not None)
    notes = [v for k, v in event.fields.items() if k != "regimen" and isinstance(v, str)]
    return any(DENIES.search(note) for note in notes) or event.fields.get("given") is False
