"""Commands at the bedside for random histories: what matches, another patient or unit, a torn code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.stages.treatment.bedside.scanning import RegisterWristband, ScanIdentity
from tests.domain.journey import Journey
from tests.domain.stages.any_names import pick


def _scan(j: Journey, n: int) -> ScanIdentity:
    unit = j.case.dose.ref or (j.case.treatment.unit if j.case.treatment else "") or "unit-9"
    patient = pick(("MRN-0042", "&/CHA999926000042", "MRN-0043"), n // 2, "")
    scanned = pick((unit, f"(21){unit}", "unit-9", "=<torn"), n, unit)
    return ScanIdentity("nurse-1", "MRN-0042", unit, f"nurse-{2 - n % 11 // 10}", patient, scanned)


MAKE: Mapping[type[Any], Callable[[Journey, int], Any]] = {
    RegisterWristband: lambda _, n: RegisterWristband(f"MRN-004{2 + n % 9 // 8}", "CHA999926000042"),
    ScanIdentity: _scan,
}
"""Command → how one is made."""
