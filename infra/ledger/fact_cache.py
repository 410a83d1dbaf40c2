"""Facts of streams that were loaded before: history does not change, so only what is new has to be read and opened."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from activities.ports import Keyring
from domain.core.fact import Fact

FACTS = 50_000  # over all streams


@dataclass(frozen=True, slots=True)
class CachedFacts:
    """A stream up to a version. `hash` of its last event stands for all before it; `keys` opened it, None = no need."""

    facts: Sequence[Fact[Any]] = ()
    hash: bytes | None = None
    keys: Keyring | None = field(default=None, repr=False)

    def still(self, found: bytes | None, keys: Keyring | None) -> bool:
        """Return whether the database holds the same (a restored one may not) and no key is gone or new."""
        return not self.facts or (found == self.hash and self.keys in (None, keys))


NOT_CACHED = CachedFacts()


class FactCache:
    """The streams used last, at most FACTS facts of them."""

    def __init__(self, most: int = FACTS) -> None:
        self._most = most
        self._known: OrderedDict[str, CachedFacts] = OrderedDict()
        self._facts = 0

    def of(self, stream: str) -> CachedFacts:
        """Return what is known of a stream."""
        known = self._known.get(stream)
        if known is None:
            return NOT_CACHED
        self._known.move_to_end(stream)
        return known

    def keep(self, stream: str, known: CachedFacts) -> None:
        """Remember the stream as it is now."""
        self.forget(stream)
        self._known[stream] = known
        self._facts += len(known.facts)
        while self._facts > self._most:
            self.forget(next(iter(self._known)))

    def forget(self, stream: str) -> None:
        """Let go of what was decoded, opened names included."""
        if known := self._known.pop(stream, None):
            self._facts -= len(known.facts)
