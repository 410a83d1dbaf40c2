"""Shows a way of the catalogue on a page: its rank, what is for and against it, and the form that proposes it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from api.console.text.fact_text import Speaker
from domain.criteria.matching import Check, Match
from domain.stages.eligibility.excluding import HARD


@dataclass(frozen=True, slots=True)
class Way:
    """One protocol at one centre as the page shows it; `choose` fills the form of the `command` that proposes it."""

    rank: int
    protocol: str
    centre: str
    standing: str
    next: bool
    command: str
    choose: str
    checks: Sequence[Check]


def way_of(m: Match, speaker: Speaker, may: Collection[str], of: int, *, left: bool) -> Way:
    """Return one way as a page shows it, ranked among so many; `may`: the commands that whoever looks may give."""
    offer = m.offer
    hard = any(one.name in HARD for one in m.of("no"))
    command = "ChooseExcludedCentre" if hard else "" if m.standing == "excluded" else "ChooseCentre"
    chosen = urlencode({"centre": offer.centre, "protocol": offer.protocol, "rank": m.rank, "ranked": of})
    return Way(
        m.rank,
        speaker.label(offer.protocol),
        speaker.label(offer.centre),
        m.standing,
        left,
        command if command in may else "",
        chosen,
        sorted((c for c in m.checks if c.result != "no_matter"), key=lambda c: ORDER.index(c.result)),
    )


ORDER = ("no", "unknown", "yes", "no_matter")
"""What stands against it first, then what is open."""
