"""Sets papers with typst: no network, no fonts of the machine, no clock; the same input is the same bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import typst
from ppf.datamatrix import DataMatrix

TEMPLATES = Path(__file__).parent / "templates"
FONTS = ("noto_cjk_sans_otc", "fontpkg_noto_sans_arabic")
"""The packages that bring Latin with Chinese, and Arabic."""


@cache
def _fonts() -> typst.Fonts:
    """Find the fonts once; the packages are looked for and not imported, since all they have is files."""
    found = [find_spec(name) for name in FONTS]
    folders = [Path(one.origin).parent for one in found if one is not None and one.origin]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


class Typesetter:
    """Sets labels and reports in a thread, so that the process answers others meanwhile."""

    async def label(self, label: Mapping[str, Any], message: str) -> bytes:
        """Set a label with the Data Matrix of a message."""
        matrix = DataMatrix(message, codecs=["ascii"]).matrix
        return await asyncio.to_thread(_set, "label", {**label, "matrix": matrix})

    async def report(self, report: Mapping[str, Any]) -> bytes:
        """Set a report of titles, lines and tables."""
        return await asyncio.to_thread(_set, "report", report)


def _set(template: Literal["label", "report"], paper: Mapping[str, Any]) -> bytes:
    """What goes in travels as JSON, never as source: no text of anybody's is read as a command of the template."""
    source = (TEMPLATES / f"{template}.typ").read_bytes()
    compiler = typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True, root=TEMPLATES)
    asked = {"paper": json.dumps(paper, ensure_ascii=False)}
    made = compiler.compile(source, format="pdf", sys_inputs=asked, timestamp=0)
    assert isinstance(made, bytes)
    return made
