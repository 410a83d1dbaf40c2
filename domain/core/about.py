"""Names what an obligation or an effect is about, as one value; it is stored as text, `id/round`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class About:
    """Names a thing by its id, and which round of asking is meant: a number, or the fact that the round began with.

    `round` is empty where a thing is asked about only once.
    """

    id: str
    round: str = ""

    @classmethod
    def of(cls, text: str) -> About:
        """Read what is stored."""
        name, _, asked = text.partition("/")
        return cls(name, asked)

    @property
    def number(self) -> int:
        """The round as a number. Raises ValueError where it is none."""
        return int(self.round)

    def __str__(self) -> str:
        """The text that is stored."""
        return f"{self.id}/{self.round}" if self.round else self.id


def chased(about: str) -> tuple[str, str]:
    """Tell the kind and the about of what is chased: the obligation that was missed, written `kind:about`."""
    kind, _, missed = about.partition(":")
    return kind, missed
