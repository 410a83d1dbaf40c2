"""What the report of a recall says: its lots, its hospitals and what each answered, its units and their patients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.papers.sheet import PaperWriter
from domain.recalls.recall import Recall


def report(w: PaperWriter, recall: Recall, found: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the report of a recall; `found` is what it reaches, as it is answered over HTTP."""
    t = w.t
    what = t("paper.drill" if recall.drill else "paper.recall")
    state = t("paper.ended" if found["state"] == "ended" else "paper.open")
    lines = [
        f"{found['id']}: {state}",
        f"{t('paper.of')}: {found['scope']}",
        f"{t('paper.reason')}: {found['reason'] or t('paper.erased')}",
        f"{t('paper.opened')}: {w.say(recall.opened_at)}, {names.get(recall.opened_by, recall.opened_by)}",
    ]
    lots = [
        (stream, t("paper.stopped" if at else "paper.not_stopped")) for stream, at in sorted(found["stopped"].items())
    ]
    fates = {(one["lot"], one["unit"]): one["fate"] for of in found["hospitals"] for one in of["units"]}
    units = [
        (one["lot"], one["unit"], t.named("dose_state", one["state"]), one["number"] or "", _fate(w, fates, one))
        for one in found["units"]
    ]
    hospitals = [
        (names.get(one["centre"], one["centre"]), one["cases"], t("form.yes" if one["acknowledged"] else "form.no"),
         one["by"], one["note"])
        for one in found["hospitals"]
    ]  # fmt: skip
    sections = [
        w.section("lots", ("lot", "state"), lots),
        w.section("hospitals", ("hospital", "cases", "acknowledged", "by", "told"), hospitals),
        w.section("units", ("lot", "unit", "state", "case", "fate"), units, t("paper.units_as_of_opening")),
    ]
    return w.paper(
        what, [w.say(one) for one in lines], sections, t("paper.footer", versions=f"{found['id']} {recall.version}")
    )


def _fate(w: PaperWriter, fates: Mapping[tuple[str, str], str], unit: Mapping[str, Any]) -> str:
    fate = fates.get((unit["lot"], unit["unit"]), "")
    return w.t.named("unit_fate", fate) if fate else ""
