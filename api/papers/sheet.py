"""The parts of a report: sections of lines and tables, in one language, without any clock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.console.text.texts import FOREIGN, NATIVE, Texts
from api.console.text.times import ViewerClock
from domain.core.personal import Unread

MARKS = re.compile(f"[{FOREIGN}{NATIVE}]")
"""What a page reads as the bounds of English within another language."""


@dataclass(frozen=True, slots=True)
class PaperWriter:
    """Says values as they stand on paper: instants in UTC, which the footer says."""

    t: Texts

    def say(self, value: object) -> str:
        """Say one value; empty for none, and for what is erased that it is."""
        if isinstance(value, datetime):
            return f"{ViewerClock(value, UTC, self.t).instant(value)} UTC"
        if isinstance(value, Unread):
            return self.t("paper.erased")
        return "" if value is None else MARKS.sub("", str(value))

    def section(self, title: str, head: Sequence[str], rows: Sequence[Sequence[object]], *lines: str) -> dict[str, Any]:
        """Make a section; `title` and `head` are names of texts. One without rows says that there is nothing."""
        told = [*lines] if rows or lines else [self.t("paper.nothing")]
        words = [self.t(f"paper.{name}") for name in head]
        return {
            "title": self.t(f"paper.{title}"),
            "lines": told,
            "head": words,
            "rows": [[self.say(value) for value in row] for row in rows],
        }

    def paper(
        self, title: str, lines: Sequence[str], sections: Sequence[Mapping[str, Any]], footer: str
    ) -> dict[str, Any]:
        """Make the whole."""
        told = {"title": title, "lines": lines, "sections": sections, "footer": footer}
        return {**told, "language": self.t.language, "rtl": self.t.direction == "rtl"}
