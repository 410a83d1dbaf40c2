"""Makes files of results and prior therapies for random histories."""

from __future__ import annotations

from typing import get_args

from domain.case.phases.findings import EndedBecause, NotTaken, Statement, TherapyKind
from domain.core.when import When
from domain.stages.records.observing import RecordObservation, RecordTherapy
from domain.stages.records.results import ImportResults, Result
from tests.domain.journey import DAY, Journey

STATEMENTS = (
    Statement(kind="condition", section="problems", entry=3, text="Follicular lymphoma", disease="fl"),
    Statement(kind="allergy", section="allergies", entry=1, said="none_known"),
    Statement(kind="medication", section="medications", entry=4, text="Aspirin", began="2025-11", status="active"),
)


def any_therapy(j: Journey, n: int) -> RecordTherapy:
    kinds, ends = get_args(TherapyKind), get_args(EndedBecause)
    started = (j.now - 200 * DAY).date()
    kind, because = kinds[n % len(kinds)], ends[n // 3 % len(ends)]
    return RecordTherapy(kind=kind, line=n % 4, target=("", "CD19")[n % 2], started=started, ended_because=because)


def any_value(taken: When, n: int) -> RecordObservation:
    return RecordObservation(analyte="creatinine", value=str(50 + n % 300), unit="umol/L", limit="100", occurred=taken)


def any_results(j: Journey, n: int) -> ImportResults:
    taken = (When.at(j.now), When.on((j.now - 3 * DAY).date()), When.unknown())
    results = [Result(analyte="lvef", value=str(40 + k), unit="%", occurred=taken[k]) for k in range(1 + n % 3)]
    left = (NotTaken("line", "faulty", 2),)
    return ImportResults(
        form="csv",
        results=tuple(results),
        left=left,
        birth=("", "1980")[n % 2],
        statements=STATEMENTS[: n % (len(STATEMENTS) + 1)],
        bundle="urn:uuid:7" if n % 3 else "",
    )
