"""Says what is done at the bedside: weighed, authorised, scanned by two, thawed, given; the next unit days later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from domain.case.treatment import Treatment
from domain.core.fact import Command
from domain.core.when import When
from domain.stages.records.observing import RecordObservation
from domain.stages.treatment import dose, infusion
from domain.stages.treatment.bedside import authorising, scanning
from domain.stages.treatment.bedside.dosing import cell_range
from rehearsal.cohort.situation import CLINICIAN, Situation
from rehearsal.world.lots import scanned

BETWEEN = timedelta(days=6.5)
"""Between the planned infusions of one treatment: once a week, as the protocols of the catalogue that name it write."""
OTHER, MORE = 0.02, 0.05
"""How often the second of two scans another label, and how often a physician gives more than the protocol writes."""


def bedside(s: Situation) -> Command | None:
    """Say the next thing at the bedside; what only the hospital tells is told when somebody calls."""
    t = s.case.treatment
    if t is None or _too_soon(s, t):
        return None
    if t.thawed:
        return infusion.RecordInfusion(t.unit, _ordered(t)) if s.chased else None
    if not s.case.dose.good_at(s.now):
        return dose.AskDoseAgain() if s.case.dose.state != "asked" else None
    return _before_thaw(s, t)


def _before_thaw(s: Situation, t: Treatment) -> Command | None:
    if not t.authorised:
        return _authorised(s)
    if not t.identity_checked:
        return _scanned(s)
    return infusion.StartThaw(t.unit) if s.chased else None


def _too_soon(s: Situation, t: Treatment) -> bool:
    last = t.infusions[-1].occurred.latest if t.infusions else None
    return last is not None and s.now < last + BETWEEN


def _ordered(t: Treatment) -> str:
    return f"{t.order.cells} cells" if t.order else ""


def _authorised(s: Situation) -> Command:
    """Weighed first where the protocol writes a dose for the weight; then in the middle of what it writes."""
    written = cell_range(s.case, s.now)
    if written.unknown == "weight" or written.too_old:
        kg = s.chance.uniform(18, 40) if s.family.minor else s.chance.uniform(48, 92)
        return RecordObservation(analyte="weight", value=f"{kg:.1f}", unit="kg", occurred=When.at(s.now))
    if written.unknown:
        return authorising.AuthoriseInfusion(CLINICIAN)
    if s.often(MORE):
        return authorising.AuthoriseInfusion(CLINICIAN, str(_rounded(written.most * 11, 10)), "as the sponsor agreed")
    return authorising.AuthoriseInfusion(CLINICIAN, str(_rounded(written.least + written.most, 2)))


def _rounded(cells: int, parts: int) -> int:
    """A part of so many cells, with three figures."""
    return int(Decimal(f"{Decimal(cells) / parts:.2e}"))


def _scanned(s: Situation) -> Command:
    """Each of two scans wristband and label."""
    known = s.case.wristband
    if known is None:
        return scanning.RegisterWristband(f"H-{s.case.number or s.case.id[-8:]}")
    first, second = _labels(s)
    return scanning.ScanIdentity("nurse-1", known.code, first, "nurse-2", known.code, second)


def _labels(s: Situation) -> Sequence[str]:
    unit, noted = s.case.dose.ref, s.case.noted(s.case.lot)
    right = scanned(s.case.lot, unit, noted)
    return right, scanned(s.case.lot, f"{unit}9", noted) if s.often(OTHER) else right
