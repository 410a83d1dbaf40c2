"""Prints labels and fetches reports as files: `caravel lot label`, `caravel lot custody`, `caravel recall report`."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from api.cli.options import As, Key
from api.cli.outcome import say
from api.cli.way import Caravel, asking

To = Annotated[Path, Parameter(help="the file that is written")]
Language = Annotated[str, Parameter(help="en, zh or ar; empty = English")]


def label(lot: str, unit: str, *, to: To, language: Language = "en", as_: As = "", key: Key = "") -> None:
    """Print the label of a unit: records who printed which version, and writes the PDF."""
    told = {"type": "PrintLabel", "unit": unit}

    async def printed(c: Caravel) -> bytes:
        await c.post(f"/lots/{lot}/commands", told, key or None)
        known = (await c.get(f"/lots/{lot}"))["lot"]["labels"]["printings"]
        return await c.file(f"/lots/{lot}/labels/{len(known)}", language=language)

    _written(to, asking(printed, person=as_))


def custody(lot: str, unit: str, *, to: To, language: Language = "en") -> None:
    """Write the custody report of a unit: genealogy, stores, excursions, labels, checks, infusion."""
    _written(to, asking(lambda c: c.file(f"/lots/{lot}/custody", unit=unit, language=language)))


def report(recall: str, *, to: To, language: Language = "en") -> None:
    """Write the report of a recall: lots, hospitals and what each answered, units and their patients."""
    _written(to, asking(lambda c: c.file(f"/recalls/{recall}/report", language=language)))


def _written(to: Path, content: Any) -> None:  # noqa: ANN401 - what asking answers
    made = bytes(content)
    to.write_bytes(made)
    say(f"{to}: {len(made)} bytes, SHA-256 {sha256(made).hexdigest()}")
