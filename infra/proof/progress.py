"""How far a verification came, so that the next one can go on; bound to a checkpoint that must still stand outside."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from domain.merkle import Frontier


@dataclass(frozen=True, slots=True)
class Progress:
    """The first `chunks` held. `peaks` (hex) are their subtrees, `at` the clock of the last event.

    `size` and `root` (hex) name the largest checkpoint kept outside that was reached.
    """

    origin: str
    chunks: int
    peaks: tuple[str, ...]
    events: int
    at: int | None
    size: int
    root: str

    def frontier(self) -> Frontier:
        """The tree over whole chunks. Raises ValueError."""
        return Frontier(self.chunks, [bytes.fromhex(peak) for peak in self.peaks])


def kept(file: Path | None, origin: str) -> Progress | None:
    """What an earlier run left, if it is of this log and can be read."""
    if file is None or not file.exists():
        return None
    try:
        found = Progress(**json.loads(file.read_text()))
        found.frontier()
    except (ValueError, TypeError):
        return None
    return found if found.origin == origin else None


def keep(file: Path | None, progress: Progress) -> None:
    """Whole or not at all."""
    if file is not None:
        draft = file.with_name(f"{file.name}.new")
        draft.write_text(json.dumps(asdict(progress)))
        os.replace(draft, file)  # noqa: PTH105 - the same
