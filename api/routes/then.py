"""The worklist as it was shown at an instant: the same rows, computed from what was recorded up to then."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from activities.views import case_views
from api.http.problems import Problem
from api.ports import Cursor, Service
from domain.core.copying import replace
from domain.engine.evolve import fold
from domain.history.dated import known

FOLDED = 500
"""Cases folded for one request. What was folded is kept, so that asking again gets further."""
KEPT = 20_000
LAST = datetime.max.replace(tzinfo=UTC)
Row = Mapping[str, Any]


class Rows:
    """Rows of cases at earlier versions, nothing personal among them; history does not change, so they stay right."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._rows: OrderedDict[tuple[str, int], Row] = OrderedDict()

    def of(self, stream: str, version: int) -> Row | None:
        """Return the row, if it was computed before."""
        return self._rows.get((stream, version))

    def keep(self, row: Row) -> Row:
        """Remember a row; the oldest goes first."""
        self._rows[row["stream"], row["version"]] = row
        if len(self._rows) > self._most:
            self._rows.popitem(last=False)
        return row


async def worklist_then(
    service: Service,
    kept: Rows,
    known_at: datetime,
    scope: tuple[str, str, str],
    filters: Mapping[str, Any],
    after: Cursor | None,
    limit: int,
) -> Sequence[dict[str, Any]]:
    """Make a page of the cases somebody may see now, as their rows were then. Raises Problem(503) while it works."""
    rows = [row for row in await _all(service, kept, known_at, scope) if _passes(row, filters, known_at)]
    rows.sort(key=_place)
    start = (not after[2], after[0] or LAST, after[1]) if after else None
    page = [row for row in rows if start is None or _place(row) > start][:limit]
    return [{**row, "detail": await _detail(service, row, known_at)} for row in page]


def _place(row: Row) -> tuple[bool, datetime, str]:
    return not (row["urgent"] and row["open"]), row["next_due"] or LAST, row["stream"]


async def _all(service: Service, kept: Rows, known_at: datetime, scope: tuple[str, str, str]) -> Sequence[Row]:
    found, folded = [], 0
    for now, version in await service.worklist.then(scope, known_at):
        if version == now["version"]:
            found.append({**now, "now": now})
            continue
        row = kept.of(now["stream"], version)
        if row is None:
            folded += 1
            if folded > FOLDED:
                raise Problem(
                    503, "unavailable", "this moment is still being computed; ask again", headers={"Retry-After": "1"}
                )
            row = kept.keep(await _folded(service, now["stream"], known_at))
        found.append({**row, "now": now})
    return found


async def _folded(service: Service, stream: str, known_at: datetime) -> dict[str, Any]:
    _, facts, _ = await service.commands.case(stream)
    case = replace(fold(known(facts, known_at)), id=stream)
    columns = case_views(case).case or {}
    return {"stream": stream, "version": case.version, **columns, "detail": None}


async def _detail(service: Service, row: Row, known_at: datetime) -> Any:  # noqa: ANN401 - sealed text, or opened
    """What is personal is never kept: an erased name is erased in every moment."""
    if row["detail"] is not None:
        return row["detail"]
    _, facts, _ = await service.commands.case(row["stream"])
    views = case_views(fold(known(facts, known_at)))
    return asdict(views.case["detail"]) if views.case else {}


PASSES: Mapping[str, Callable[[Row, Any, datetime], bool]] = {
    "overdue": lambda row, value, at: (row["next_due"] is not None and row["next_due"] < at) == value,
    "unowned": lambda row, value, _: (not row["owner"]) == value,
    "debtor": lambda row, value, _: row["next_debtor"] == value,
    "hold": lambda row, value, _: row["on_hold"] == value,
}


def _passes(row: Row, filters: Mapping[str, Any], at: datetime) -> bool:
    """The same words as the worklist of now."""
    return all(
        PASSES[name](row, value, at) if name in PASSES else row[name] == value for name, value in filters.items()
    )
