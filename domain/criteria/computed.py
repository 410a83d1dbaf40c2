"""Kidney values that follow from creatinine: each with its formula and what it rests on [criteria.computed]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.criteria.observation import Observation

ADULT = Decimal(18 * 12)
"""Months of life from which the formulas are meant."""
YEAR = Decimal(12)
UMOL_PER_MG = Decimal("88.4")
STEP = Decimal("0.1")
SEXES = ("female", "male")
COCKCROFT_GAULT, CKD_EPI = "cockcroft_gault", "ckd_epi_2021"


@dataclass(frozen=True, slots=True)
class Computed:
    """A value that was reckoned: its formula stands as method, `inputs` are the observations it rests on."""

    observation: Observation
    inputs: tuple[str, ...]


def computed(known: Sequence[Observation], sex: str, now: datetime) -> Sequence[Computed]:
    """Return clearance and filtration by the newest creatinine of an adult; nothing where an input is missing.

    Where the age or an input is known as a range, so is the value.
    """
    age, creatinine, weight = (_newest(known, what) for what in ("age", "creatinine", "weight"))
    if sex not in SEXES or not age or not creatinine or creatinine.taken.earliest is None:
        return []
    if age.low is None or age.low < ADULT or creatinine.taken.earliest > now:
        return []
    female = sex == "female"
    found = [_made("egfr", CKD_EPI, creatinine, (age,), lambda a, c, _: ckd_epi(a, c, female=female))]
    if weight:
        found.append(
            _made(
                "creatinine_clearance",
                COCKCROFT_GAULT,
                creatinine,
                (age, weight),
                lambda a, c, kg: cockcroft_gault(a, c, kg, female=female),
            )
        )
    return found


def cockcroft_gault(age: Decimal, creatinine: Decimal, weight: Decimal, *, female: bool) -> Decimal:
    """Return the clearance in mL/min; age in years, creatinine in mg/dL, weight in kg, the one that was recorded."""
    return (140 - age) * weight * (Decimal("0.85") if female else 1) / (72 * creatinine)


def ckd_epi(age: Decimal, creatinine: Decimal, *, female: bool) -> Decimal:
    """Return the filtration in mL/min/1.73 m2; age in years, creatinine in mg/dL."""
    kappa, alpha = (Decimal("0.7"), Decimal("-0.241")) if female else (Decimal("0.9"), Decimal("-0.302"))
    ratio = creatinine / kappa
    value = 142 * min(ratio, Decimal(1)) ** alpha * max(ratio, Decimal(1)) ** Decimal("-1.2")
    return value * Decimal("0.9938") ** age * (Decimal("1.012") if female else 1)


Formula = Callable[[Decimal, Decimal, Decimal], Decimal]


def _made(
    analyte: str, formula: str, creatinine: Observation, others: Sequence[Observation], reckon: Formula
) -> Computed:
    """The value at both ends of what is known; it is as old as the creatinine."""
    age, weight = others[0], others[-1]
    ends = [
        reckon(a // YEAR, c / UMOL_PER_MG, kg).quantize(STEP)
        for a in _ends(age) for c in _ends(creatinine) for kg in _ends(weight)
    ]  # fmt: skip
    made = Observation(
        id=f"computed:{analyte}",
        analyte=analyte,
        low=min(ends),
        high=max(ends),
        method=formula,
        taken=creatinine.taken,
    )
    return Computed(made, (creatinine.id, *(one.id for one in others)))


def _ends(one: Observation) -> Iterable[Decimal]:
    return {value for value in (one.low, one.high) if value is not None}


def _newest(known: Iterable[Observation], analyte: str) -> Observation | None:
    """The newest dated one; None where there is none, or where several of its day differ: nothing is chosen."""
    dated = [one for one in known if one.analyte == analyte and one.day and one.low]
    if not dated:
        return None
    newest = max(one.day for one in dated if one.day)
    same = [one for one in dated if one.day == newest]
    return same[0] if len({(one.low, one.high) for one in same}) == 1 else None
