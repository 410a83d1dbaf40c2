"""Keeps how far a verification came, so that the next goes on; bound to a checkpoint that still stands outside."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from domain.proof.merkle import Frontier


@dataclass(frozen=True, slots=True)
class Rules:
    """Tells how far automatic events were held against their rules, as positions.

    All up to `upto`; those of the histories up to the name `after` also up to `target`.
    """

    upto: int = 0
    target: int = 0
    after: str = ""

    def since(self, stream: str) -> int:
        """Return the position after which this history is to be checked."""
        return self.target if stream <= self.after else self.upto


NO_RULES = Rules()


@dataclass(frozen=True, slots=True)
class CheckpointsCompared:
    """All checkpoints up to `size` held. Digests: whose signatures counted, the ledger's own list, each place's."""

    size: int
    keys: str
    ours: str
    places: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Progress:
    """The first `chunks` held. `peaks` (hex) are their subtrees, `at` the clock of the last event.

    `size` and `root` (hex) name the largest checkpoint kept outside that was reached, 0 and empty = none. `head` events
    were there in all, of this root: whatever is cut off them later is missed, sealed or not.
    """

    origin: str
    chunks: int
    peaks: tuple[str, ...]
    events: int
    at: int | None
    size: int
    root: str
    rules: Rules = NO_RULES
    compared: CheckpointsCompared | None = None
    head: int = 0
    head_root: str = ""

    def frontier(self) -> Frontier:
        """Return the tree over whole chunks. Raises ValueError."""
        return Frontier(self.chunks, [bytes.fromhex(peak) for peak in self.peaks])


def kept(file: Path | None, origin: str) -> Progress | None:
    """Read what an earlier run left, if it is of this log and can be read."""
    if file is None or not file.exists():
        return None
    try:
        known = json.loads(file.read_text())
        rules, compared = Rules(**known.get("rules", {})), _compared(known.get("compared"))
        found = Progress(**{**known, "rules": rules, "compared": compared})
        found.frontier()
    except (ValueError, TypeError, AttributeError):
        return None
    return found if found.origin == origin else None


def _compared(known: Mapping[str, Any] | None) -> CheckpointsCompared | None:
    return CheckpointsCompared(**{**known, "places": dict(known["places"])}) if known else None


def keep(file: Path | None, progress: Progress) -> None:
    """Write how far a verification came, whole or not at all."""
    if file is not None:
        draft = file.with_name(f"{file.name}.new")
        draft.write_text(json.dumps(asdict(progress)))
        os.replace(draft, file)  # noqa: PTH105 - the same


def keep_rules(file: Path | None, origin: str, rules: Rules) -> None:
    """Write how far the rules are, where the rest is kept already."""
    if (known := kept(file, origin)) is not None:
        keep(file, replace(known, rules=rules))
