"""Read model rows of a case: a pure function of its state, without any clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.ports import Views
from domain.case.effect import Effect
from domain.case.obligation import Obligation, overdue_since
from domain.case.state import Case
from domain.core.personal import Identity
from domain.stages.anytime.watching import watched


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """Holds what the worklist shows beside its columns."""

    patient: Identity
    tracks: Mapping[str, str]


UNCHANGED = ""
"""A detail that stands in the table as it should."""
SINCE = ("opened_at", "stage_since", "requested_at")
"""Columns with the instant at which a fact was recorded."""


def case_views(case: Case, before: Case | None = None, now: datetime | None = None) -> Views:
    """Return the rows of one case; what did not change since `before` is left out.

    `now` is the instant of the turn that is about to be recorded: what is of this very turn is left empty, for the
    ledger to fill in the instant it recorded at.
    """
    open_obligations = sorted((o for o in case.obligations.values() if o.state == "open"), key=lambda o: o.due)
    pending = [e for e in case.effects.values() if e.state in ("requested", "unknown") or _refused(e)]
    watching = watched(case)
    row = _recorded(_case_row(case, open_obligations), now)
    if before and _detail(before) == row["detail"]:
        row["detail"] = UNCHANGED
    return Views(
        row,
        None
        if before and before.obligations is case.obligations
        else [obligation_row(o, case.obligations.values()) for o in open_obligations],
        None if before and before.effects is case.effects else [_recorded(effect_row(e), now) for e in pending],
        None if before and watched(before) == watching else sorted(watching),
    )


def _refused(effect: Effect) -> bool:
    return (effect.state == "refused" or effect.bounced) and not effect.settled


def _recorded(row: dict[str, Any], now: datetime | None) -> dict[str, Any]:
    """Empty where the turn's own instant stands: the same object, since an equal one may be of an earlier turn."""
    return {name: None if name in SINCE and value is now else value for name, value in row.items()}


def _next(case: Case, owed: list[Obligation]) -> tuple[datetime | None, str | None, str | None]:
    """What presses most: when, what, and whose it is. What was missed presses since it was due, whoever chases it."""
    every = case.obligations.values()
    pressing = [(since, o) for o in owed if (since := overdue_since(o, every))]
    if pressing:
        due, o = min(pressing, key=lambda pair: pair[0])
        return due, f"chase:{o.about.partition(':')[0]}", o.debtor.value
    return (owed[0].due, owed[0].kind, owed[0].debtor.value) if owed else (None, None, None)


def _case_row(case: Case, owed: list[Obligation]) -> dict[str, Any]:
    due, kind, debtor = _next(case, owed)
    return {
        "number": case.number,
        "stage": case.stage.value,
        "exit": case.exit.value if case.exit else None,
        "owner": case.owner,
        "team": case.team,
        "centre": case.centre,
        "protocol": case.protocol,
        "country": case.country,
        "urgent": case.urgent,
        "on_hold": case.on_hold is not None,
        "open": case.open,
        "opened_at": case.opened_at,
        "stage_since": case.stage_since,
        "next_due": due,
        "next_kind": kind,
        "next_debtor": debtor,
        "facts_version": case.people_version,
        "detail": _detail(case),
    }


def _detail(case: Case) -> CaseDetail:
    tracks = {
        "dose": case.dose.state,
        "bed": case.bed.state,
        "letter": case.letter.state,
        "travel": case.travel.state,
        "transplant": case.transplant,
        "follow_up": case.follow_up,
    }
    return CaseDetail(case.patient.name if case.patient else "", tracks)


def obligation_row(o: Obligation, among: Iterable[Obligation]) -> dict[str, Any]:
    """Return the row of what is owed, among all that was."""
    return {
        "id": o.id,
        "kind": o.kind,
        "about": o.about,
        "debtor": o.debtor.value,
        "creditor": o.creditor.value,
        "state": o.state,
        "due": o.due,
        "next_step_at": o.next_at,
        "opened_at": o.opened_at,
        "late_since": overdue_since(o, among),
        "holder": o.holder or None,
        "offered": o.offered or None,
    }


def effect_row(e: Effect) -> dict[str, Any]:
    """Return the row of what is asked of the world."""
    return {
        "id": e.id,
        "kind": e.kind,
        "about": e.about,
        "state": "bounced" if e.bounced else e.state,
        "tries": e.tries,
        "not_before": e.not_before,
        "requested_at": e.requested_at,
    }
