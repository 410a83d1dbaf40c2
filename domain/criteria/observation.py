"""One observation as it counts: its value in the canonical unit beside what was written, checked before it is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from domain.core.errors import Reason, Refused, require
from domain.core.personal import Clinical, readable
from domain.core.when import When
from domain.criteria.analytes import ANALYTES, DERIVED, Analyte

MOST_DIGITS, FURTHEST = 21, 15
"""Digits that a number may have, as programs write them out [criteria.digits]; powers of ten its first is from one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Holds what was measured or stated, when the sample was taken, and how.

    `low` and `high` are the value in the canonical unit; they differ where it is known as a range only, as an age of
    which only the year of birth is known. `limit` is the upper limit of normal in the same unit, None = not told.
    """

    id: str
    analyte: str
    low: Decimal | None = None
    high: Decimal | None = None
    limit: Decimal | None = None
    code: str = ""
    target: str = ""
    method: str = ""
    taken: When
    supported: bool = False

    @property
    def day(self) -> date | None:
        """Return the day of the sample in UTC, None = not known."""
        return self.taken.day


def number(text: str) -> Decimal | None:
    """Return the number a text says, with a point or without; None = it says none, or one that nothing amounts to."""
    try:
        said = Decimal(text.strip())
    except InvalidOperation:
        return None
    likely = said.is_finite() and len(said.as_tuple().digits) <= MOST_DIGITS and abs(said.adjusted()) <= FURTHEST
    return said if likely else None


def analyte(code: str, field: str = "analyte") -> Analyte:
    """Return the row of an analyte. Raises Refused where there is none."""
    known = ANALYTES.get(code)
    if known is None:
        raise Refused(Reason.INVALID, f"nothing of that name is observed; known are {', '.join(ANALYTES)}", field)
    return known


def canonical(code: str, text: str, unit: str, field: str = "value", unit_field: str = "unit") -> Decimal:
    """Return a value in the canonical unit, converted exactly. Raises Refused for no number and for a strange unit."""
    row, said = analyte(code), number(text)
    if said is None:
        raise Refused(
            Reason.INVALID, f"must be a number of at most {MOST_DIGITS} digits, with a point for decimals", field
        )
    factor = row.factor(unit)
    if factor is None:
        raise Refused(Reason.INVALID, f"{code} is given in {' or '.join(row.units)}", unit_field)
    return said * factor


def converted(code: str, text: object, unit: str) -> Decimal | None:
    """Return a value that was kept, in the canonical unit; None where it cannot be read as one any more."""
    row, said = ANALYTES.get(code), number(text) if isinstance(text, str) else None
    factor = row.factor(unit) if row else None
    return said * factor if said is not None and factor is not None else None


def require_plausible(code: str, value: Decimal) -> None:
    """Refuse what no patient has, and a fraction where a percentage is meant."""
    row = ANALYTES[code]
    require(not (row.whole and 0 < value < 1), Reason.INVALID, "is a percentage: write 55, not 0.55", "value")
    likely = row.low <= value <= row.high
    words = f"is not plausible: {code} lies between {row.low} and {row.high} {row.unit}; look at value and unit again"
    require(likely, Reason.INVALID, words, "value")
    whole = row.step is None or value % row.step == 0
    require(whole, Reason.INVALID, f"goes in steps of {row.step}", "value")


def require_observable(code: str) -> None:
    """Refuse what is worked out from something else."""
    analyte(code)
    way = "the birth date: describe the patient" if code == "age" else "the therapies: record each"
    require(code not in DERIVED, Reason.INVALID, f"is reckoned from {way}", "analyte")


def aged(born: str, at: datetime) -> Observation | None:
    """Return the age at an instant by a birth date, or by a year, which leaves two ages; None = not known."""
    earliest, latest = birth_days(born)
    if earliest is None or latest is None or earliest > at.date():
        return None
    low, high = (_months(day, at.date()) for day in (latest, earliest))
    return Observation(id="birth", analyte="age", low=low, high=high, taken=When.at(at))


def birth_days(born: str) -> tuple[date | None, date | None]:
    """Return the first and the last day on which somebody may have been born who gives a day, or a year; else None."""
    try:
        if len(born) == len("2001"):
            return date(int(born), 1, 1), date(int(born), 12, 31)
        return date.fromisoformat(born), date.fromisoformat(born)
    except ValueError:
        return None, None


def require_born(birth: Clinical, now: datetime) -> None:
    """Refuse what is no day and no year in which somebody living may have been born; empty and erased are unknown."""
    earliest, _ = birth_days(str(birth)) if readable(birth) else (now.date(), None)
    written = not readable(birth) or BORN.fullmatch(str(birth)) is not None
    born = written and earliest is not None and date(EARLIEST, 1, 1) <= earliest <= now.date()
    require(born, Reason.INVALID, "write 1960-12-01, or 1960", "birth")


EARLIEST = 1900
BORN = re.compile(r"[0-9]{4}(-[0-9]{2}-[0-9]{2})?")


def _months(born: date, on: date) -> Decimal:
    """Whole months of life; none before birth."""
    return Decimal(max((on.year - born.year) * 12 + on.month - born.month - (on.day < born.day), 0))
