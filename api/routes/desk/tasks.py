"""Tasks: every open obligation of the cases somebody may see, by who owes it, each with its case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.http.access import belonging_of
from api.http.auth import Parts, Who
from api.http.masking import sees, shown
from api.http.paging import limited, linked, place_of, read_place
from api.ports import Service
from api.routes.looks import looked_over
from api.routes.reads import private, scope_of
from domain.core.about import chased
from domain.core.policy import Party
from domain.roles import Actor

router = APIRouter(tags=["cases"])
Whose = Literal["mine", "offered", "role", "others", "all"]


@router.get("/tasks")
async def tasks(
    request: Request,
    service: Parts,
    who: Who,
    whose: Whose = "mine",
    debtor: Party | None = None,
    kind: str | None = None,
    late: bool | None = None,
    urgent: bool | None = None,
    free: bool | None = None,
    after: str | None = None,
    limit: int = 50,
) -> JSONResponse:
    """Return what is owed: `mine` in hand or in my cases and those I cover, `offered` to me, my `role`'s, or `all`.

    `others`: what others owe or have in hand in my cases; `free`: nobody has it in hand. Those of urgent cases come
    first, late ones before others. `kind` is found where it is being chased, too.
    """
    given = {"debtor": debtor and debtor.value, "kind": kind, "late": late, "urgent": urgent, "free": free}
    filters = {name: value for name, value in given.items() if value is not None}
    limit = limited(limit)
    rows = await service.tasks.tasks(scope_of(who), reader(who), whose, filters, read_place(after), limit + 1)
    found = [await _task(service, who, row) for row in rows[:limit]]
    await looked_over(service, who, rows[:limit])
    more = place_of(rows[limit - 1]) if len(rows) > limit else None
    return JSONResponse({"tasks": found, "next": more}, headers={**private(), **linked(request, more)})


def reader(who: Actor) -> tuple[str, str]:
    """Say who reads tasks, and as whom they owe: the words of roles and of debtors are the same."""
    return who.id, who.role.value


def owed(row: Mapping[str, Any]) -> tuple[str, bool]:
    """Name what a task is about, and whether it is chased: what was missed is owed still, by whoever chases it."""
    chasing = str(row["task_kind"]).startswith("chase")
    return (chased(row["task_about"])[0] if chasing else str(row["task_kind"])), chasing


def due(row: Mapping[str, Any]) -> datetime:
    """Return when it was to be done: of what is chased, when that was due."""
    instant: datetime = row["task_late_since"] or row["task_due"]
    return instant


async def patient_of(service: Service, who: Actor, row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return the patient's name as this reader may see it."""
    visible = sees(who, belonging_of(row))
    detail = row["detail"]
    opened = await service.worklist.detail(row["stream"], detail) if isinstance(detail, str) else detail
    return shown(opened["patient"], "identity", visible)


async def _task(service: Service, who: Actor, row: Mapping[str, Any]) -> dict[str, Any]:
    kind, chasing = owed(row)
    since = row["task_late_since"]
    return {
        "id": row["task"],
        "kind": kind,
        "chased": chasing,
        "debtor": row["task_debtor"],
        "creditor": row["task_creditor"],
        "due": due(row).isoformat(),
        "late": since is not None,
        "opened_at": row["task_opened_at"].isoformat(),
        "holder": row["task_holder"],
        "offered": row["task_offered"],
        "case": row["stream"],
        "patient": await patient_of(service, who, row),
        **{name: row[name] for name in ("number", "stage", "owner", "team", "urgent", "on_hold")},
    }
