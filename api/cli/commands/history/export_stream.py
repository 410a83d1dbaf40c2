"""`caravel audit export --format …`: the ledger for other tools, streamed; what was cut short is gone on with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, get_args

from rich.console import Console

from api.cli.outcome import REFUSED, CommandFailed, say
from api.http.masking import EVERYTHING, NOTHING, mask
from api.ports import Service
from api.routes.looks import looked
from api.run.wiring import MACHINE, Parts
from infra.audit.checkpoints.checkpoint import origin_of
from infra.exports import cloudevents, fhir_audit, reading, xes
from infra.ledger.encoding.stored import Stored

Format = Literal["evidence", "cloudevents", "fhir", "xes"]
FORMATS: tuple[Format, ...] = get_args(Format)
TOLD_EVERY = 10_000
LOOKS = 500
"""Cases in one recorded look."""
TAIL = 1 << 20
"""Bytes in which the last line of a file is looked for."""
POSITION: Mapping[str, Callable[[Mapping[str, Any]], int]] = {
    "cloudevents": cloudevents.position,
    "fhir": fhir_audit.position,
}
"""Formats with an event a line, which can be gone on with."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`case` empty = everything. `opened` = with personal fields, where the format has a place for them."""

    format: Format
    case: str
    out: Path
    after: int = 0
    resume: bool = False
    opened: bool = False


async def write(here: Parts, wanted: Wanted, service: Service) -> None:
    """Write the file, once it is recorded that it was taken. Raises CommandFailed."""
    after = _resumed(wanted) if wanted.resume else wanted.after
    await _record(here, wanted, service)
    upto = await reading.head(here.ledger.pool)
    mode = "a" if wanted.resume else "w"
    try:
        with wanted.out.open(mode, encoding="utf-8", newline="\n") as file:
            count = await WRITERS[wanted.format](here, wanted, file, after, upto)
    except OSError as error:
        raise CommandFailed(REFUSED, f"the file cannot be written: {error.strerror}") from None
    except reading.PositionGap as gap:
        raise CommandFailed(REFUSED, f"{gap}; run `caravel audit verify`") from None
    say(f"{wanted.out}: {count} events, positions {after + 1} to {upto}")


async def _record(here: Parts, wanted: Wanted, service: Service) -> None:
    """Whose events are taken, and whether they are opened: before the first is written."""
    streams = [stream async for stream in _streams(here, wanted)]
    visible = EVERYTHING if wanted.opened else NOTHING
    for first in range(0, len(streams), LOOKS):
        await looked(service, MACHINE, f"export, {wanted.format}", streams[first : first + LOOKS], visible)


def _resumed(wanted: Wanted) -> int:
    """The position the file has come to; a line that was cut short is taken away."""
    read = POSITION.get(wanted.format)
    if read is None or wanted.case:
        raise CommandFailed(
            REFUSED, "only cloudevents and fhir of everything can be gone on with; give --after instead"
        )
    if not wanted.out.exists():
        return 0
    with wanted.out.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL))
        whole, _, rest = file.read().rpartition(b"\n")
        file.truncate(size - len(rest))
    if not whole:
        if size > len(rest):
            raise CommandFailed(REFUSED, "the last line of the file is longer than any of ours")
        return 0
    try:
        return read(json.loads(whole.rpartition(b"\n")[2]))
    except (ValueError, KeyError, TypeError):
        raise CommandFailed(REFUSED, "the last line of the file is none of this export") from None


def _rows(here: Parts, wanted: Wanted, after: int, upto: int) -> AsyncIterator[Stored]:
    if wanted.case:
        return reading.one_case(here.ledger.pool, wanted.case, after, upto)
    return reading.everything(here.ledger.pool, after, upto)


async def _told(rows: AsyncIterator[Stored], upto: int) -> AsyncIterator[Stored]:
    """The same, with progress on stderr."""
    console, count = Console(stderr=True), 0
    async for row in rows:
        yield row
        count += 1
        if count % TOLD_EVERY == 0:
            console.print(f"  {count} events, position {row.position} of {upto}")


async def _cloudevents(here: Parts, wanted: Wanted, file: IO[str], after: int, upto: int) -> int:
    log, count = origin_of(here.settings.installation), 0
    async for row in _told(_rows(here, wanted, after, upto), upto):
        opened = await _opened(here, row) if wanted.opened else None
        file.write(_line(cloudevents.cloud_event(row, log, opened)) + "\n")
        count += 1
    return count


async def _opened(here: Parts, row: Stored) -> Mapping[str, Any]:
    (fact,) = await here.ledger.facts([row])
    data: Mapping[str, Any] = mask(fact.event, EVERYTHING, without=("type",))
    return data


async def _fhir(here: Parts, wanted: Wanted, file: IO[str], after: int, upto: int) -> int:
    """A Bundle of one case; of everything, one resource a line (FHIR bulk data), which can be gone on with."""
    log, count, between = origin_of(here.settings.installation), 0, ""
    if wanted.case:
        file.write('{"resourceType":"Bundle","type":"collection","entry":[')
    async for row in _told(_rows(here, wanted, after, upto), upto):
        made = fhir_audit.audit_event(row, log)
        if wanted.case:
            entry = {"fullUrl": f"urn:caravel:event:{row.stream}:{row.version}", "resource": made}
            file.write(f"{between}\n{_line(entry)}")
            between = ","
        else:
            file.write(_line(made) + "\n")
        count += 1
    if wanted.case:
        file.write("\n]}\n")
    return count


async def _xes(here: Parts, wanted: Wanted, file: IO[str], after: int, upto: int) -> int:
    """A trace a case; what is not a case is in no trace."""
    file.write(xes.header(origin_of(here.settings.installation)))
    count = 0
    async for stream in _streams(here, wanted):
        trace, opening = xes.CaseTrace(), xes.opening(stream)
        async for row in _told(reading.one_case(here.ledger.pool, stream, 0, upto), upto):
            written = trace.event(row)
            if row.position > after:
                file.write(opening + written)
                opening, count = "", count + 1
        if not opening:
            file.write(xes.CLOSING)
    file.write(xes.TAIL)
    return count


async def _streams(here: Parts, wanted: Wanted) -> AsyncIterator[str]:
    if wanted.case:
        yield wanted.case
        return
    async for stream in reading.cases(here.ledger.pool):
        yield stream


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


WRITERS = {"cloudevents": _cloudevents, "fhir": _fhir, "xes": _xes}
