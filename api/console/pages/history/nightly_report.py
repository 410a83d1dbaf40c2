"""Says what the chores of the night found last: whether all was well, what was not, and where to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.console.text.texts import Texts
from workflows.nightly import COMPARE_ENGINE, VERIFY_HISTORY

SHOWN = 5


@dataclass(frozen=True, slots=True)
class NightlyReport:
    """One chore: when it ended last, `state` fine, found or stale, what it says, the histories it names."""

    words: str
    at: datetime
    state: str
    says: str
    streams: Sequence[str]


def nightly_reports(t: Texts, found: Mapping[str, Mapping[str, Any]]) -> Sequence[NightlyReport]:
    """Describe the chores of the night from what is kept of each, by name."""
    return [_night(t, name, last) for name, last in found.items()]


def _night(t: Texts, name: str, last: Mapping[str, Any]) -> NightlyReport:
    state = "found" if not last["fine"] else "stale" if last["stale"] else "fine"
    told = {COMPARE_ENGINE: _compared, VERIFY_HISTORY: _verified}.get(name)
    says, streams = told(t, last["found"]) if told else ("", ())
    return NightlyReport(t.named("chore", name), datetime.fromisoformat(last["ended_at"]), state, says, streams)


def _compared(t: Texts, found: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    differing = [f"{t.named('drift', kind)}: {number}" for kind, number in found["drift"].items() if number]
    alike = t("night.alike", cases=found["cases"], loops=found["loops"])
    return "; ".join(differing) or alike, [case for _, case in found["first"][:SHOWN]]


def _verified(t: Texts, found: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    if broken := found["broken"]:
        where = t("night.place", position=broken["position"]) if broken["position"] else broken["says"]
        return f"{t.named('break', broken['kind'])}, {where}", [broken["stream"]] if broken["stream"] else []
    away = "; ".join(t("check.away", place=place) for place in found["away"])
    whole = t("check.holds_is", events=found["events"], checkpoints=found["checkpoints"])
    return f"{whole} {away}".strip(), []
