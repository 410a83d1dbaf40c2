"""Says what stands behind a translator's mailed link [records.translation-link]: one file, while the order stands."""

from __future__ import annotations

from dataclasses import dataclass

from domain.case.phases.records import RecordItem
from domain.case.stage import Stage, stages
from domain.case.state import Case

ORDER = "order_translation"
"""The effect that brings a translator the link."""
_AT = stages(Stage.INQUIRY, Stage.ADMISSION)


@dataclass(frozen=True, slots=True)
class Commission:
    """Holds one order of a translation that is still awaited: `document` is the file, from one language into another.

    `source` and `into` are BCP 47; `und` where nobody said.
    """

    item: RecordItem
    document: str
    source: str
    into: str


def commissioned(case: Case, item: str, order: int) -> Commission | None:
    """Return what that order asks for; None once a translation of it is in, or the order is over.

    It is over when the record was ordered anew or waived, the consent to translation does not stand, the case was left
    or goes beyond admission, or the person is being forgotten.
    """
    known = case.records.get(item)
    if known is None or known.state != "translating" or known.translations != order or known.translation:
        return None
    if case.exit or case.stage not in _AT or case.forgotten or not case.consented("translation"):
        return None
    return Commission(known, source_of(known), known.language or "und", known.into or "und")


def source_of(item: RecordItem) -> str:
    """Return the file a translation is made of: the original, also where another translation was certified before."""
    return item.original or item.document
