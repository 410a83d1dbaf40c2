"""States what the labels of a lot say, and makes the label of one dose; every printing is told [doses.label].

A label holds what the standard asks for and no patient's name: whose a dose is, is settled later and may change.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from hashlib import sha256
from math import isfinite
from typing import Literal
from zoneinfo import ZoneInfo

from domain.core.codes import require_zone
from domain.core.errors import Reason, require
from domain.core.personal import Trace, TraceCode
from domain.doses import codes
from domain.doses.labelling import gs1, isbt128
from domain.doses.labelling.scan import printed

WIDEST = 18
"""Characters of a lot's number and of a unit's on a label of ISBT 128."""
LAST_YEAR = 2099
"""The standard writes the century as one digit, of which only that of this one is assigned."""
ROOM = 60
"""Characters of one line of a label in words."""


@dataclass(frozen=True, slots=True)
class StateLabel:
    """State what every label of the lot says; the whole of it each time.

    `number` is the lot's number as printed, `product_code` the eight characters of ISBT 128, `donation` the donation
    number with its check character or as it is scanned, `zone` where the end of use is local time. `cells` is the dose
    with its unit, as the maker writes it; `storage` says how it is kept.
    """

    number: str
    product_code: str
    donation: Trace
    zone: str
    gtin: str = ""
    name: str = ""
    cells: str = ""
    volume_ml: float | None = None
    storage: str = ""
    maker: str = ""
    type: Literal["StateLabel"] = "StateLabel"


@dataclass(frozen=True, slots=True)
class PrintLabel:
    """Print the label of one unit; printed again, the label says which copy it is."""

    unit: str
    by: str = ""
    type: Literal["PrintLabel"] = "PrintLabel"


Command = StateLabel | PrintLabel


@dataclass(frozen=True, slots=True)
class LabelStated:
    """What the labels of the lot say was stated."""

    number: str
    product_code: str
    donation: Trace
    zone: str
    gtin: str = ""
    name: str = ""
    cells: str = ""
    volume_ml: float | None = None
    storage: str = ""
    maker: str = ""
    type: Literal["LabelStated"] = "LabelStated"


@dataclass(frozen=True, slots=True)
class LabelPrinted:
    """The label of a unit was printed; `version` tells labels that say something else apart."""

    unit: str
    copy_number: int
    version: str
    by: str
    type: Literal["LabelPrinted"] = "LabelPrinted"


Event = LabelStated | LabelPrinted


@dataclass(frozen=True, slots=True)
class Printing:
    """One printing of a unit's label: the how-manieth of this unit, what it said, who printed it and when."""

    unit: str
    copy_number: int
    version: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Labelling:
    """Holds what the labels of a lot say, None = nobody stated it, and every printing, the newest last."""

    stated: LabelStated | None = None
    printings: tuple[Printing, ...] = ()


@dataclass(frozen=True, slots=True)
class DoseLabel:
    """Holds what the label of one dose says. `expires` is local in `zone`, `message` what its Data Matrix holds."""

    unit: str
    donation: TraceCode
    check: str
    product_code: str
    number: str
    expires: datetime
    zone: str
    gtin: str
    name: str
    cells: str
    volume_ml: float | None
    storage: str
    maker: str
    message: str

    @property
    def version(self) -> str:
        """Return what tells it from a label that says something else."""
        said = [f"{one.name}: {getattr(self, one.name)}" for one in fields(self)]
        return sha256("\n".join(said).encode()).hexdigest()[:12]


def decide(known: Labelling, c: Command, units: Collection[str], expires: datetime | None, at: str) -> Sequence[Event]:
    """Decide a command on the labels of a lot with these units; `at` is how the unit stands. Raises Refused."""
    if isinstance(c, StateLabel):
        return [_stated(c, units)]
    require(at not in ("used", "destroyed"), Reason.IRREVERSIBLE, f"the unit is {at}; it needs no label", "unit")
    label = label_of(known, c.unit, expires)
    copy = 1 + sum(one.unit == c.unit for one in known.printings)
    return [LabelPrinted(c.unit, copy, label.version, c.by)]


def _stated(c: StateLabel, units: Collection[str]) -> LabelStated:
    """Refuse what no label of the standard can hold, and two units that one could not tell apart."""
    _require_number(c.number, "number", "a lot's number")
    code = c.product_code.strip()
    told = "an ISBT 128 product code: five characters, the type of donation, and the division, as in S1234V00"
    require(isbt128.is_product_code(code), Reason.INVALID, told, "product_code")
    told = "a donation has its ISBT 128 number of 13 characters with its check character, or as it is scanned"
    require(codes.donation(str(c.donation)), Reason.INVALID, told, "donation")
    require_zone(c.zone)
    gtin = re.fullmatch("[0-9]{14}", c.gtin) is not None and gs1.check_digit(c.gtin[:-1]) == c.gtin[-1]
    require(
        not c.gtin or gtin, Reason.INVALID, "a trade item number has 14 digits, the last one its check digit", "gtin"
    )
    amount = c.volume_ml is None or (isfinite(c.volume_ml) and c.volume_ml > 0)
    require(amount, Reason.INVALID, "a volume is above 0 mL", "volume_ml")
    for name in ("name", "cells", "storage", "maker"):
        told = f"a label has room for {ROOM} characters of this"
        require(len(getattr(c, name)) <= ROOM, Reason.INVALID, told, name)
    alike: dict[str, str] = {}
    for unit in units:
        other = alike.setdefault(printed(unit), unit)
        require(other == unit, Reason.INVALID, f"units {other} and {unit} would have the same number on a label")
    values = {
        name: getattr(c, name) for name in LabelStated.__dataclass_fields__ if name not in ("type", "product_code")
    }
    return LabelStated(**values, product_code=code)


def _require_number(code: str, name: str, what: str) -> None:
    told = f"{what} on a label is 1 to {WIDEST} letters and digits, and not only zeroes"
    require(0 < len(printed(code)) <= WIDEST, Reason.INVALID, told, name)


def label_of(known: Labelling, unit: str, expires: datetime | None) -> DoseLabel:
    """Return the label of a unit of the lot. Raises Refused."""
    stated = known.stated
    told = "nobody stated what the labels of this lot say (StateLabel)"
    require(stated is not None and expires is not None, Reason.MISSING, told)
    assert stated is not None
    assert expires is not None
    own = codes.folded(unit) if codes.donation(unit) else ""
    donation = own or (codes.folded(stated.donation) if isinstance(stated.donation, str) else "")
    require(donation, Reason.MISSING, "nobody can read the donation number any more; no label is complete without it")
    if not own:
        _require_number(unit, "unit", "a unit's number")
    told = f"a label of ISBT 128 says no end of use after {LAST_YEAR}"
    require(expires.year <= LAST_YEAR, Reason.INVALID, told)
    local = expires.astimezone(ZoneInfo(stated.zone)).replace(second=0, microsecond=0)
    require(local.year <= LAST_YEAR, Reason.INVALID, told)
    lot, single = printed(stated.number), "" if own else printed(unit)
    values = {"donation": donation, "product_code": stated.product_code, "lot": lot, "supplemental": single}
    told_on_it = {
        n: getattr(stated, n) for n in ("product_code", "number", "zone", "gtin", "name", "cells", "volume_ml")
    }
    return DoseLabel(
        unit=unit,
        donation=donation,
        check=codes.check_character(donation),
        expires=local,
        storage=stated.storage,
        maker=stated.maker,
        message=isbt128.write(values, local),
        **told_on_it,
    )


def evolve(known: Labelling, event: Event, at: datetime) -> Labelling:
    """Fold one event about the labels of a lot, recorded at that instant."""
    if isinstance(event, LabelStated):
        return replace(known, stated=event)
    printing = Printing(event.unit, event.copy_number, event.version, event.by, at)
    return replace(known, printings=(*known.printings, printing))


def told_to_cases(known: Labelling) -> dict[str, str]:
    """Return what a scan at the bedside is compared with, as far as it was stated."""
    if known.stated is None:
        return {}
    told = {"lot_number": known.stated.number, "product_code": known.stated.product_code, "gtin": known.stated.gtin}
    return {name: value for name, value in told.items() if value}
