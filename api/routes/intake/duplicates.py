"""Search before create: a new case asks first where one of the same person is probably there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.http.access import belonging_of
from api.http.masking import sees
from api.http.problems import Fault, Problem
from api.name_index import PersonIndex
from api.ports import Service
from api.routes.looks import looked_over
from domain.core.personal import readable
from domain.roles import Actor
from domain.stages.intake.duplicates import Ground, described
from domain.stages.intake.inquiry import OpenCase

MOST = 10


async def require_nobody_like(service: Service, index: PersonIndex, who: Actor, command: OpenCase) -> None:
    """Raise Problem(409) that lists probable duplicates, unless the command says why it is opened all the same.

    A case this actor may not see is counted with what speaks for it and nothing else.
    """
    if readable(command.despite_duplicates):
        return
    asked = described(command.patient_name, command.birth, command.patient_mail, command.patient_phone)
    found = await index.same_person(service, asked)
    if not found:
        return
    rows = await service.worklist.rows(list(found))
    lines = sorted((_line(who, row, found[row["stream"]]) for row in rows), key=lambda one: "masked" in one)
    await looked_over(service, who, [row for row in rows if _seen(who, row)])
    named = [f"{one.get('number', 'a case you may not see')} ({', '.join(one['grounds'])})" for one in lines[:MOST]]
    said = "; ".join(named)
    detail = f"probably the same person: {said}. Go on there, or say in despite_duplicates why this is another case"
    raise Problem(
        409, "probable_duplicates", detail, [Fault(detail, "#/despite_duplicates")], more={"cases": lines[:MOST]}
    )


def _seen(who: Actor, row: Mapping[str, Any]) -> bool:
    return "identity" in sees(who, belonging_of(row))


def _line(who: Actor, row: Mapping[str, Any], why: Sequence[Ground]) -> dict[str, Any]:
    if not _seen(who, row):
        return {"masked": "identity", "grounds": list(why)}
    return {
        "case": row["stream"],
        "number": row["number"],
        "stage": row["stage"],
        "open": row["open"],
        "grounds": list(why),
    }
