"""A file of results into a case: read, held against the case, recorded in one step or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from structlog.contextvars import bind_contextvars

from activities.command_codec import untimely
from activities.command_handler import CommandRequest, Recorded
from activities.ports import CommandKey, Meta
from api.http.access import case_meant, may_command, permit
from api.http.command_json import CASE
from api.http.problems import Fault, Problem, invalid
from api.ports import Service
from api.results.column_mapping import mapping_of
from api.results.csv_file import read_csv
from api.results.fhir_bundle import read_bundle
from api.results.reading import Left, Read, Unusable, WrongResult, summed
from domain.case.state import Case
from domain.core.errors import Reason, Refused, require
from domain.core.names import folded
from domain.core.personal import readable
from domain.engine.decide import require_past
from domain.roles import Actor
from domain.stages.records.observing import recorded
from domain.stages.records.results import ImportResults, ResultsImported, conflicts, require_same_patient
from domain.stages.records.summary import SummaryTaken, require_statement

COMMAND = ImportResults.__name__
FORMS: Mapping[str, str] = {
    "text/csv": "csv",
    "application/fhir+json": "fhir",
    "application/json": "fhir",
}
"""Media type → what is read."""
MOST_BYTES = 16 * 1024 * 1024
MOST_SHOWN = 200
"""Faults that are listed; all of them are counted."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of results as it was sent. `skip`: leave out what is wrong with it; `dry`: record nothing."""

    media: str
    body: bytes
    mapping: str = ""
    skip: bool = False
    dry: bool = False


async def take(service: Service, who: Actor, case: str, file: File, key: str) -> Mapping[str, Any]:
    """Take in a file, all or nothing; return what came of every part of it. Raises Problem, Refused."""
    stream = await case_meant(service, case)
    bind_contextvars(case=stream, key=key)
    await may_command(service, who, stream, COMMAND)
    read = await asyncio.to_thread(_read, file)  # thousands of lines: nobody else waits meanwhile
    state, _, now = await service.commands.case(stream)
    _require_same(state, read)
    wrong = [*read.wrong, *await asyncio.to_thread(_held, state, read, now)]
    if wrong and not file.skip:
        raise _refused(read, wrong)
    bad = {one.place for one in wrong}
    good = [(place, one) for place, one in read.results if place not in bad]
    # what sections say stands at the Composition, of which a reference may be at fault
    said = [(place, one) for place, one in read.statements if place not in bad or place in read.used]
    kind = "line" if read.form == "csv" else "entry"
    left = [*read.left, *(Left(place, kind, "faulty") for place in sorted(bad))]
    command = ImportResults(
        form=read.form,
        results=tuple(one for _, one in good),
        statements=tuple(one for _, one in said),
        bundle=read.bundle,
        left=summed(left),
        birth=read.birth,
        sex=read.sex,
    )
    done = None if file.dry else await _recorded(service, who, stream, command, key)
    places = [place for place, _ in (*good, *said)]
    return await asyncio.to_thread(_answer, stream, read, done, places, left, wrong)


async def _recorded(service: Service, who: Actor, stream: str, command: ImportResults, key: str) -> Recorded:
    remembered = CommandKey(who.id, key, await asyncio.to_thread(CASE.digest, stream, command))
    meta = Meta(who.id, who.stated, key=key)
    may = permit(who, COMMAND)
    return await service.commands.record(CommandRequest(stream, meta, command, remembered, permit=may, bulky=True))


def _read(file: File) -> Read:
    form = FORMS.get(file.media)
    if form is None:
        fault = Fault(f"must be one of {', '.join(FORMS)}", header="Content-Type")
        raise Problem(415, "unsupported_media_type", "results of this type are not read", [fault])
    ways: Mapping[str, Callable[[], Read]] = {
        "csv": lambda: read_csv(file.body, mapping_of(file.mapping)),
        "fhir": lambda: read_bundle(file.body),
    }
    try:
        return ways[form]()
    except Unusable as no:
        raise invalid(str(no), Fault(str(no), no.pointer)) from None


def _require_same(case: Case, read: Read) -> None:
    """Refuse another patient's file, by birth date, sex and name; what either does not say is no contradiction."""
    require_same_patient(case, read.birth, read.sex)
    known = case.patient.name if case.patient else ""
    if not readable(known) or not read.names:
        return
    words, written = ({w for w in folded(name) if w.isascii()} for name in (str(known), " ".join(read.names)))
    if words and written and not words & written:
        detail = "the name in it shares no word with the patient's: this may be another patient's file"
        raise invalid(detail, Fault("differs from the case", "#/name"))


def _held(case: Case, read: Read, now: datetime) -> Sequence[WrongResult]:
    """What the rules of a single observation say against each result."""
    found: list[WrongResult] = []
    for place, one in read.results:
        try:
            beyond = next(untimely(one.occurred), None)
            require(beyond is None, Reason.INVALID, beyond.detail if beyond else "", "occurred")
            require_past(one.occurred, now)
            recorded(case, one, one.occurred)
        except Refused as no:
            found.append(WrongResult(place, no.field or "", no.field or "", no.detail))
    for place, told in read.statements:
        try:
            require_statement(told, now)
        except Refused as no:
            found.append(WrongResult(place, no.field or "", no.field or "", no.detail))
    return found


def _refused(read: Read, wrong: Sequence[WrongResult]) -> Problem:
    what, where = ("lines", "line") if read.form == "csv" else ("entries", "entry")
    ordered = sorted(wrong, key=lambda one: one.place)[:MOST_SHOWN]
    faults = [
        Fault(f"{where} {one.place}, {one.column}: {one.reason}", f"#/{what}/{one.place}/{one.field}")
        for one in ordered
    ]
    bad = len({one.place for one in wrong})
    detail = f"{bad} {what} cannot be taken, so nothing was; correct them, or have them left out"
    return invalid(detail, *faults)


def _answer(
    stream: str,
    read: Read,
    done: Recorded | None,
    places: Sequence[int],
    left: Sequence[Left],
    wrong: Sequence[WrongResult],
) -> Mapping[str, Any]:
    told = next((f.event for f in done.facts if isinstance(f.event, ResultsImported)), None) if done else None
    said = next((f.event for f in done.facts if isinstance(f.event, SummaryTaken)), None) if done else None
    return {
        "case": stream,
        "form": read.form,
        "recorded": done is not None,
        "repeated": done.repeated if done else False,
        "read": len(places),
        "taken": told.taken if told else 0,
        "known": told.known if told else 0,
        "statements": {"taken": len(said.statements), "known": said.known} if said else {"taken": 0, "known": 0},
        "left": [asdict(one) for one in left],
        "faults": [asdict(one) for one in sorted(wrong, key=lambda one: one.place)],
        "conflicts": _conflicts(done) if done else [],
    }


def _conflicts(done: Recorded) -> Sequence[Sequence[str]]:
    """Groups of observations that contradict one another, of which this file brought at least one."""
    new = {fact.id for fact in done.facts}
    return [group for group in conflicts(done.case) if new & set(group)]
