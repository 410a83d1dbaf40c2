"""Says what one scan holds, whichever standard it is written by, and whether it names a certain unit or patient.

A scanner types what it reads like a keyboard does. What cannot be read is told with its place, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from domain.doses import codes

Symbology = Literal["isbt_128", "gs1", "plain"]
LOCAL = timedelta(hours=26)
"""The farthest two clocks of the world are apart: what a label says of the time is local, and does not say where."""


@dataclass(frozen=True, slots=True)
class Scan:
    """Holds what was read. `values` are the fields by name, `expires` the end of use; None = not on the label.

    A label's time is local, and stands here as if it were UTC. Fields: donation, product_code, lot, supplemental,
    division, chain, patient of ISBT 128; gtin, lot, serial of GS1; a plain code is both `serial` and `patient`, for
    nothing on it says which of them it is.
    """

    symbology: Symbology
    values: dict[str, str] = field(default_factory=dict)
    expires: datetime | None = None

    def get(self, name: str) -> str:
        """Return a field, empty where the label has none."""
        return self.values.get(name, "")


class ScanUnreadable(Exception):
    """A scan could not be read: `position` counts its characters from 1, `why` says what stands there instead."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(f"character {position}: {why}")
        self.position = position
        self.why = why


def printed(code: str) -> str:
    """Return a code as it stands on a label: capital letters and digits, without zeroes before it [doses.isbt-128]."""
    return re.sub(r"[^A-Z0-9]", "", codes.folded(code)).lstrip("0")


def same_number(read: str, known: str) -> bool:
    """Return whether a number of ISBT 128 that is filled up with zeroes is the one that is known."""
    return codes.same(read, known) or (bool(printed(read)) and printed(read) == printed(known))


def names_unit(scan: Scan, unit: str) -> bool:
    """Return whether a scan names that unit: every number of a single dose on it is that unit's own.

    A donation number names a unit only where the unit is called by it, alone or with its division.
    """
    told = [codes.same(scan.get("serial"), unit)] if scan.get("serial") else []
    if scan.get("supplemental"):
        told.append(same_number(scan.get("supplemental"), unit))
    if told:
        return all(told)
    return bool(scan.get("donation")) and codes.same(_donated(scan), unit)


def unit_on(scan: Scan) -> str:
    """Return the number of a single dose that a scan names, as it stands there; empty where it names none."""
    return scan.get("serial") or scan.get("supplemental") or _donated(scan)


def _donated(scan: Scan) -> str:
    donation, division = scan.get("donation"), scan.get("division")
    return f"{donation}{division}" if division.strip("0") else donation


def names_patient(scan: Scan, code: str, chain: str) -> bool:
    """Return whether a scan names the patient: by the hospital's number, by the chain of identity, or by both."""
    told = [
        codes.same(scan.get(name), known)
        for name, known in (("patient", code), ("chain", chain))
        if scan.get(name) and known
    ]
    return any(told) and (scan.symbology == "plain" or all(told))


def lasts(scan: Scan, now: datetime) -> bool:
    """Return whether its end of use may still lie ahead of an instant; one that says none lasts."""
    return scan.expires is None or scan.expires + LOCAL / 2 > now


def same_end(scan: Scan, expires: datetime | None) -> bool:
    """Return whether its end of use is the one that is known, whatever zone the label is written in."""
    if scan.expires is None or expires is None:
        return True
    return abs(scan.expires - expires) <= LOCAL
