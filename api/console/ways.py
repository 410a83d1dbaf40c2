"""Shows ways of the catalogue on pages: rank, what is for and against, the form that proposes; and who waits there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from api.console.text.fact_text import FactWriter
from api.console.text.times import ViewerClock
from api.ports import Service
from domain.case.phases.submissions import RankedWay
from domain.case.state import Case
from domain.catalogue.protocol import Protocol
from domain.catalogue.waiting.waiting_list import Place
from domain.criteria.checks import MatchCheck
from domain.criteria.matching import Match
from domain.stages.eligibility.excluding import HARD
from domain.stages.eligibility.ranking import CATALOGUE
from domain.stages.travel.first_dose import FirstDose


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
    checks: Sequence[MatchCheck]
    first_dose: FirstDose


def way_of(m: Match, first_dose: FirstDose, speaker: FactWriter, may: Collection[str], of: int, *, left: bool) -> Way:
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
        first_dose,
    )


ORDER = ("no", "unknown", "yes", "no_matter")
"""What stands against it first, then what is open."""


@dataclass(frozen=True, slots=True)
class RankLine:
    """A way that stood or stands first; `turned` are its checks that turned, each with the texts that name it."""

    protocol: str
    centre: str
    turned: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RankChange:
    """Shows what stood first before and since the catalogue changed last: the key of each title with its ways."""

    at: str
    ranks: Sequence[tuple[str, Sequence[RankLine]]]


def rank_change(case: Case, speaker: FactWriter) -> RankChange | None:
    """Return what a change of the catalogue made of the first rank last; None = it did nothing to it."""
    known = case.first_rank
    if known is None:
        return None
    ranks = (("match.stood_first", known.before), ("match.stands_first", known.after))
    shown = [(title, [_rank_line(way, speaker) for way in ways]) for title, ways in ranks]
    return RankChange(speaker.clock.instant(known.at), shown)


def _rank_line(way: RankedWay, speaker: FactWriter) -> RankLine:
    turned = [("match_turned" if name == CATALOGUE else "match_check", name) for name in way.turned]
    return RankLine(speaker.label(way.protocol), speaker.label(way.centre), turned)


@dataclass(frozen=True, slots=True)
class WaitLine:
    """One waiting of a case: `ahead` of so many `of` that wait there, None = the list does not know of it now.

    `silent` is "unanswered" while an offer lapsed and the family has said nothing since, else empty.
    """

    id: str
    protocol: str
    stream: str
    centre: str
    state: str
    since: str
    until: str
    ahead: int | None
    of: int
    silent: str


async def waits_of(service: Service, case: Case, speaker: FactWriter) -> Sequence[WaitLine]:
    """Return how the case waits, each waiting with its place on the list as it is now."""
    lines = []
    for wait in case.waiting.values():
        if not wait.live:
            continue
        protocol: Protocol = (await service.commands.entry(wait.protocol)).state
        order = [entry.wait for entry in protocol.waiting.in_order()]
        at, stands = wait.centre, wait.state
        if stands in ("offered", "taken"):
            at = wait.at
        lines.append(
            WaitLine(
                wait.id,
                speaker.label(wait.protocol),
                wait.protocol,
                speaker.label(at) if at else "",
                stands,
                speaker.clock.instant(wait.since),
                speaker.clock.instant(wait.until) if wait.until and stands == "offered" else "",
                order.index(wait.id) if wait.id in order and stands == "waiting" else None,
                len(order),
                "unanswered" if wait.unanswered else "",
            )
        )
    return lines


@dataclass(frozen=True, slots=True)
class ListLine:
    """One case on the list of a protocol, or one place; `because` and `longer` say why it was offered to this case."""

    case: str
    centre: str
    urgent: bool
    since: str
    state: str = "waiting"
    until: str = ""
    because: str = ""
    waiting: int = 0
    longer: int = 0


def list_lines(
    protocol: Protocol, clock: ViewerClock, names: Mapping[str, str]
) -> tuple[Sequence[ListLine], Sequence[ListLine]]:
    """Return who waits, in the order in which places are offered, and the places there are."""
    entries = [
        ListLine(one.case, names.get(one.centre, one.centre), one.urgent, clock.instant(one.since))
        for one in protocol.waiting.in_order()
    ]
    return entries, [_place(place, clock, names) for place in protocol.waiting.places]


def _place(place: Place, clock: ViewerClock, names: Mapping[str, str]) -> ListLine:
    until = clock.instant(place.until) if place.until and place.state == "offered" else ""
    why = place.because if place.case else ""
    centre = names.get(place.centre, place.centre)
    return ListLine(place.case, centre, False, "", place.state, until, why, place.waiting, place.longer)
