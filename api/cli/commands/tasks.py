"""`caravel tasks`: everything that is owed, one line an obligation."""

from __future__ import annotations

from typing import Literal

from api.cli.options import Json
from api.cli.outcome import as_json, say, table
from api.cli.way import asking
from domain.core.policy import Party

HEAD = ("due", "owed", "by", "in hand", "case", "patient", "stage", "owner", "")


def tasks(
    *,
    whose: Literal["mine", "offered", "role", "others", "all"] = "mine",
    debtor: Party | None = None,
    kind: str | None = None,
    late: bool | None = None,
    urgent: bool | None = None,
    free: bool | None = None,
    limit: int = 50,
    json: Json = False,
) -> None:
    """List tasks: mine, offered to me, those of my role, what others owe in my cases, or all; urgent cases first."""
    given = {"whose": whose, "debtor": debtor and debtor.value, "kind": kind, "late": late, "urgent": urgent}
    given |= {"free": free}
    answer = asking(lambda c: c.get("/tasks", limit=limit, **given))
    if json:
        as_json(answer)
        return
    names = ("due", "kind", "debtor", "holder", "number", "patient", "stage", "owner")
    marks = ("late", "urgent", "on_hold")
    rows = [[*(one[name] for name in names), " ".join(m for m in marks if one[m])] for one in answer["tasks"]]
    table(HEAD, rows)
    if answer["next"]:
        say(f"there are more; --limit shows up to 500, and GET /tasks?after={answer['next']} goes on")
