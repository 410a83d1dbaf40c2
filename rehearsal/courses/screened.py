"""Holds the patients of the published courses against every protocol of the catalogue, and writes what is found.

Only what a publication states is observed; what it leaves out is unknown. The page gives counts and what to obtain
next, never a verdict: `python -m rehearsal.courses.screened` writes docs/screening-courses.md.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from domain.core.when import When
from domain.criteria.checks import Offer, Patient
from domain.criteria.criterion import Criterion
from domain.criteria.diseases import disease_in, within
from domain.criteria.matching import Match, match
from domain.criteria.observation import Observation
from domain.criteria.screening import Finding, next_steps, screen
from rehearsal.courses.published.courses import Course, read_courses
from rehearsal.world.catalogue_data import COURSES, PROTOCOLS, protocols

PAGE = Path(__file__).parents[2] / "docs" / "screening-courses.md"
AT = datetime(2026, 11, 30, tzinfo=UTC)
"""The instant that is asked about; nothing published has a day that would make another of it."""
UNDATED = When.unknown()
AGE = re.compile(r"(\d+)\s*(y|months)")
ADULT, OLDEST = Decimal(18 * 12), Decimal(1440)
POSITIVE = re.compile(r"\b(CD\d+|BCMA)\+")
BLASTS = re.compile(r"(\d+)% marrow blasts")
GROUPS = ("all", "aml", "nhl", "hodgkin", "cll", "myeloma", "autoimmune")


@dataclass(frozen=True, slots=True)
class ScreenedProtocol:
    """One protocol: its number, what it treats, its antigens, and its criteria; none where no source was read."""

    name: str
    title: str
    diseases: tuple[str, ...]
    targets: tuple[str, ...]
    product: str
    criteria: tuple[Criterion, ...] = ()
    sourced: bool = True


@dataclass(frozen=True, slots=True)
class ScreenedPatient:
    """One patient against one protocol. `diagnosis` as matching has it: yes, no or unknown."""

    asked: ScreenedProtocol
    findings: Sequence[Finding]
    diagnosis: str

    @property
    def counts(self) -> Counter[str]:
        """Return how many criteria stand how; what is neither yes nor no is told as unknown."""
        return Counter(one.result if one.result in DECIDED else "unknown" for one in self.findings)


DECIDED = ("met", "not_met", "not_applicable")


def every_protocol() -> Sequence[ScreenedProtocol]:
    """Return all given protocols: those of the catalogue, then those known by name only."""
    known = [
        ScreenedProtocol(c.registry, c.title, c.diseases, c.targets, c.product_class, c.criteria)
        for c in protocols().values()
    ]
    rows: Iterable[Mapping[str, Any]] = json.loads(PROTOCOLS.read_text(encoding="utf-8"))["unsourced"]
    unsourced = [
        ScreenedProtocol(
            row["registry"], row["title"], tuple(row["diseases"]), tuple(row["targets"]), "not_said", (), False
        )
        for row in rows
    ]
    return [*known, *unsourced]


def every_course() -> Sequence[Course]:
    """Return the published courses."""
    return read_courses(COURSES.read_bytes())


def facts_of(course: Course) -> Sequence[Observation]:
    """Return what the publication states of the patient, undated: age, kind of disease, antigens, blasts."""
    found = [_age(course.age), *_group(disease_in(course.disease))]
    found += [_fact("antigen", code="positive", target=one) for one in POSITIVE.findall(course.disease)]
    found += [_fact("marrow_blasts", low=Decimal(one), high=Decimal(one)) for one in BLASTS.findall(course.disease)]
    return [one for one in found if one is not None]


def _age(told: str) -> Observation | None:
    """A year of life leaves twelve months; "adult" leaves all of them from 18 years on."""
    if told == "adult":
        return _fact("age", low=ADULT, high=OLDEST)
    known = AGE.fullmatch(told)
    if known is None:
        return None
    months = Decimal(known[1]) * (12 if known[2] == "y" else 1)
    return _fact("age", low=months, high=months + (11 if known[2] == "y" else 0))


def _group(disease: str) -> Iterable[Observation]:
    return [_fact("disease_group", code=one) for one in GROUPS if disease and within(disease, one)]


def _fact(analyte: str, **told: Any) -> Observation:  # noqa: ANN401 - fields of an observation
    return Observation(id=analyte, analyte=analyte, taken=UNDATED, **told)


def held(course: Course, asked: Iterable[ScreenedProtocol]) -> Sequence[ScreenedPatient]:
    """Return the patient of a course against each protocol."""
    facts = facts_of(course)
    patient = Patient(country="", disease=disease_in(course.disease), facts=facts)
    return [ScreenedPatient(one, screen(one.criteria, facts, AT), _diagnosis(_matched(patient, one))) for one in asked]


def _matched(patient: Patient, one: ScreenedProtocol) -> Match:
    offer = Offer(
        protocol=one.name, centre="", product=one.product, targets=one.targets, diseases=one.diseases,
        criteria=one.criteria,
    )  # fmt: skip
    return match(patient, [offer], AT)[0]


def _diagnosis(found: Match) -> str:
    return next(one.result for one in found.checks if one.name == "diagnosis")


INTRO = """# The published courses against every protocol

Made by `python -m rehearsal.courses.screened` from the code as it is; nothing of it is written by hand. The {courses}
published courses that come with Caravel are held against all {protocols} given protocols by the rules that screen a
case ([criteria](domain/criteria.md)). A publication states little of a patient: what it leaves out is unknown, and
unknown is never taken for met or for not met. Criteria that a source states in words only are for a person to read and
count as unknown here. No line says who may be treated; clinicians decide.

Courses whose publications state the same stand together. *Diagnosis* says whether the protocol names the patient's
disease; where that is not known it is open. *To obtain first* is what settles most open criteria of that protocol.
"""


def page() -> str:
    """Return the page as the code has it now."""
    asked, courses = every_protocol(), every_course()
    found = {course.patient: held(course, asked) for course in courses}
    lines = [INTRO.format(courses=len(courses), protocols=len(asked)), *_overview(asked, found)]
    for alike in _grouped(courses):
        lines += _section(alike, found[alike[0].patient])
    return "\n".join([*lines, ""])


def _overview(asked: Sequence[ScreenedProtocol], found: Mapping[str, Sequence[ScreenedPatient]]) -> Iterable[str]:
    """One line for each protocol, over all patients."""
    yield "## By protocol, over all patients\n"
    yield "| Protocol | Criteria with values, in words | Diagnosis yes, no, open | Met | Not met | Unknown | N/A |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for n, one in enumerate(asked):
        every = [rows[n] for rows in found.values()]
        counts = sum((row.counts for row in every), Counter[str]())
        named = Counter(row.diagnosis for row in every)
        values = sum(bool(c.ways) for c in one.criteria)
        said = f"{values}, {len(one.criteria) - values}" if one.sourced else "no source was read"
        yield (
            f"| {one.name}: {one.title} | {said} | {named['yes']}, {named['no']}, {named['unknown']} | "
            f"{counts['met']} | {counts['not_met']} | {counts['unknown']} | {counts['not_applicable']} |"
        )


def _grouped(courses: Sequence[Course]) -> Iterable[Sequence[Course]]:
    groups: dict[tuple[str, str, str], list[Course]] = {}
    for course in courses:
        groups.setdefault((course.age, course.sex, course.disease), []).append(course)
    return groups.values()


def _section(alike: Sequence[Course], found: Sequence[ScreenedPatient]) -> Iterable[str]:
    first = alike[0]
    told = ", ".join(_said(one) for one in facts_of(first)) or "nothing that a criterion asks for"
    yield f"\n## {', '.join(one.patient for one in alike)}\n"
    yield f"Published: {first.disease}; age {first.age or 'not stated'}. Observed from it: {told}.\n"
    yield "| Protocol | Diagnosis | Met | Not met | Unknown | To obtain first |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in found:
        counts = row.counts
        met, against = (", ".join(f.criterion for f in row.findings if f.result == name) for name in ("met", "not_met"))
        steps = [gap.analyte + (f" {gap.target}" if gap.target else "") for gap, _ in next_steps(row.findings)[:3]]
        yield (
            f"| {row.asked.name} | {row.diagnosis} | {_with(counts['met'], met)} | {_with(counts['not_met'], against)} "
            f"| {counts['unknown']} | {', '.join(dict.fromkeys(steps)) or '-'} |"
        )


def _with(many: int, names: str) -> str:
    return f"{many}: {names}" if many else "0"


def _said(one: Observation) -> str:
    value = one.code or (f"{one.low}" if one.low == one.high else f"{one.low} to {one.high}")
    unit = " months" if one.analyte == "age" else ""
    return f"{one.analyte}{f' {one.target}' if one.target else ''} {value}{unit}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
