"""Says what changed in a case between two moments: fields, what is owed and until when, and the facts in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from domain.case.obligation import Obligation
from domain.case.state import Case

APART = frozenset({"id", "version", "people_version", "seen", "correctable", "corrected", "decisions", "obligations"})
"""What changes with every fact, or is told by itself."""


@dataclass(frozen=True, slots=True)
class ChangedField:
    """A field that differs; `keys` are the entries of it that do, None = the whole value."""

    name: str
    keys: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Moved:
    """An obligation that is not as it was. `before` None = opened in between."""

    before: Obligation | None
    after: Obligation

    @property
    def due(self) -> tuple[datetime | None, datetime]:
        """Until when it was owed, and is."""
        return self.before.due if self.before else None, self.after.due


def changes(before: Case, after: Case) -> Sequence[ChangedField]:
    """Return every field that differs, in the order the case has them."""
    pairs = ((f.name, getattr(before, f.name), getattr(after, f.name)) for f in fields(Case) if f.name not in APART)
    return [ChangedField(name, _keys(was, now)) for name, was, now in pairs if was != now]


def _keys(was: object, now: object) -> tuple[str, ...] | None:
    if not (isinstance(was, Mapping) and isinstance(now, Mapping)):
        return None
    return tuple(key for key in dict.fromkeys([*was, *now]) if was.get(key) != now.get(key))


def moves(before: Case, after: Case) -> Sequence[Moved]:
    """Return every obligation that was opened, moved, or ended in between."""
    was = before.obligations
    return [Moved(was.get(o.id), o) for o in after.obligations.values() if was.get(o.id) != o]
