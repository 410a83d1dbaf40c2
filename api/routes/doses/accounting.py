"""Reads a hospital's answer to a recall: exactly its units and patients, and what it says was done with each unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, get_args

from activities.ports import Meta
from api.http.problems import Fault, invalid
from api.ports import Service
from api.routes.doses.recalls import COMMANDS
from domain.core.errors import Reason, require
from domain.core.personal import readable
from domain.doses.genealogy import patients_of, units_of
from domain.recalls.recall import Fate, Recall

FATES: tuple[Fate, ...] = get_args(Fate)


@dataclass(frozen=True, slots=True)
class Concerned:
    """One unit a hospital is asked about, with the number of its patient's case. `name` is its field in the form."""

    name: str
    lot: str
    unit: str
    state: str
    number: str
    fate: str


@dataclass(frozen=True, slots=True)
class Question:
    """Holds what a hospital is asked: the numbers of its cases, its units, and a digest of both: `shown`."""

    numbers: Sequence[str]
    units: Sequence[Concerned]
    shown: str


async def question(service: Service, recall: Recall, centre: str, now: datetime, looker: Meta) -> Question:
    """Return what the recall asks that hospital as things stand; the look at its cases is recorded."""
    own = recall.hospitals[centre]
    trace = await service.genealogy.trace([recall.scope])
    found = [(case, one) for case, of in patients_of(units_of(trace, now)).items() if case in own.cases for one in of]
    cases = sorted(own.cases)
    numbers = {row["stream"]: row["number"] for row in await service.worklist.rows(cases)}
    if cases:
        await service.looks.record(looker, "genealogy", cases, ())
    units = [
        Concerned(f"fate-{n}", one.lot, one.unit, one.state, numbers.get(case, ""),
                  own.fates.get((one.lot, one.unit), "infused" if one.state == "used" else ""))
        for n, (case, one) in enumerate(sorted(found, key=lambda pair: (pair[1].lot, pair[1].unit)))
    ]  # fmt: skip
    told = "\n".join([*cases, *(f"{one.lot}/{one.unit}" for one in units)])
    known = sorted(numbers[case] for case in cases if case in numbers)
    return Question(known, units, sha256(told.encode()).hexdigest()[:16])


def answer(asked: Question, centre: str, said_by: str, given: Mapping[str, str]) -> Any:  # noqa: ANN401 - a command
    """Return the command a form says. Raises Problem where a unit is left out, Refused where the page is stale."""
    seen = given.get("shown") == asked.shown
    require(seen, Reason.STALE, "another patient or unit was found since this page was read; look at the page again")
    require(readable(said_by), Reason.INVALID, "say who at the hospital acknowledged", "said_by")
    silent = [one.name for one in asked.units if given.get(one.name) not in FATES]
    if silent:
        raise invalid("say of each unit what was done with it", *(Fault("choose one", f"#/{name}") for name in silent))
    units = [{"lot": one.lot, "unit": one.unit, "fate": given[one.name]} for one in asked.units]
    told = {"type": "AcknowledgeRecall", "centre": centre, "said_by": said_by, "note": given.get("note", "")}
    return COMMANDS.parse({**told, "units": units}, centre, only=("AcknowledgeRecall",))
