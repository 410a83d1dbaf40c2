"""Ranks protocols at centres for one patient: what speaks for each, against it, and what nobody knows. No answer.

Three values as in screening: what is not known is neither for nor against [criteria.matching]. A hospital's name and
the names of streams are no factor: what is alike in all that counts has the same rank.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Literal, get_args

from domain.criteria.checks import ASKED, CHECKS, PREFERRED, RESTS_ON, MatchCheck, Name, Offer, Patient, Result
from domain.criteria.screening import OPEN, Questions, by_what
from domain.criteria.screening import Result as Stands

Standing = Literal["nothing_against", "open", "excluded"]


class Match:
    """One offer with its rank (from 1; the same for what is alike); what its criteria rest on is read when asked."""

    __slots__ = ("_asked", "_case", "_others", "offer", "rank", "standing")

    def __init__(
        self,
        offer: Offer,
        rank: int,
        standing: Standing,
        others: tuple[MatchCheck, ...],
        asked: _Asked,
        case: _Screened,
    ) -> None:
        self.offer = offer
        self.rank = rank
        self.standing = standing
        self._others = others
        self._asked = asked
        self._case = case

    @property
    def checks(self) -> tuple[MatchCheck, ...]:
        """Return each check it rests on, the criteria last."""
        return (*self._others, self._case.criteria(self._asked))

    def of(self, *results: Result) -> Sequence[MatchCheck]:
        """Return the checks that stand so."""
        return [one for one in self.checks if one.result in results]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Holds the criteria of one protocol: each name with the place of its result."""

    protocol: str
    named: tuple[tuple[str, int], ...]
    places: frozenset[int]


class Prepared:
    """Holds offers worked out for many cases: in order of name, with each different question and each group of alikes.

    `groups` has one offer of each group that is alike in all that the checks but the criteria rest on.
    """

    __slots__ = ("asked", "groups", "offers", "questions", "rows")

    def __init__(self, offers: Iterable[Offer]) -> None:
        self.offers = tuple(sorted(offers, key=attrgetter("protocol", "centre")))
        self.questions = Questions()
        groups: dict[object, int] = {}
        asked: dict[str, int] = {}
        self.groups = list[Offer]()
        self.asked = list[_Asked]()
        self.rows = list[tuple[Offer, int, int]]()
        for offer in self.offers:
            if (group := groups.setdefault(ASKED(offer), len(groups))) == len(self.groups):
                self.groups.append(offer)
            if (number := asked.setdefault(offer.protocol, len(asked))) == len(self.asked):
                self.asked.append(self._ask(offer))
            self.rows.append((offer, group, number))

    def _ask(self, offer: Offer) -> _Asked:
        named = tuple((one.id, self.questions.place(one)) for one in offer.criteria)
        return _Asked(offer.protocol, named, frozenset(place for _, place in named))


Key = tuple[int, int, int, int]


def match(patient: Patient, offers: Iterable[Offer] | Prepared, now: datetime) -> Sequence[Match]:
    """Return every offer ranked, the one with least against it first. Offers that are alike share a rank.

    Where many cases are matched, the offers are `Prepared` once.
    """
    every = offers if isinstance(offers, Prepared) else Prepared(offers)
    case = _Screened(patient, every.questions.results(by_what(patient.facts, now)))
    stands = case.stand(every.asked)
    known: dict[tuple[Name, object], _Weighed] = {}
    shared = [_together(_checked(patient, one, known)) for one in every.groups]
    keys = [{one: _key(a + (one == "no"), o + (one == "unknown"), w) for one in STOOD} for _, a, o, w in shared]
    found: dict[Key, list[tuple[Offer, int, int]]] = {}
    for row in every.rows:
        found.setdefault(keys[row[1]][stands[row[2]]], []).append(row)
    return [
        Match(offer, rank, STANDINGS[key[0]], shared[group][0], every.asked[asked], case)
        for rank, key in enumerate(sorted(found), 1)
        for offer, group, asked in found[key]
    ]


STOOD: Sequence[Result] = ("yes", "no", "unknown")
"""How the criteria of a protocol stand together."""


@dataclass(frozen=True, slots=True)
class _Screened:
    """Holds a patient with the result of every question."""

    patient: Patient
    results: Sequence[Stands]

    def criteria(self, asked: _Asked) -> MatchCheck:
        """How the criteria stand together; what a person read of one counts before what was computed."""
        read = self.patient.read.get(asked.protocol, {})
        stands: Sequence[tuple[str, str]] = [(name, read.get(name, self.results[place])) for name, place in asked.named]
        if against := [name for name, result in stands if result == "not_met"]:
            return MatchCheck("criteria", "no", tuple(against))
        open_ = tuple([name for name, result in stands if result in UNREAD])
        if open_ or not stands:
            return MatchCheck("criteria", "unknown", open_)
        return MatchCheck("criteria", "yes")

    def stand(self, every: Iterable[_Asked]) -> Sequence[Result]:
        """Return the result of each as `criteria` says it, without the names."""
        against = {place for place, result in enumerate(self.results) if result == "not_met"}
        open_ = {place for place, result in enumerate(self.results) if result in UNREAD}

        def together(asked: _Asked) -> Result:
            if asked.protocol in self.patient.read:
                return self.criteria(asked).result
            if not against.isdisjoint(asked.places):
                return "no"
            return "yes" if asked.named and open_.isdisjoint(asked.places) else "unknown"

        return [together(asked) for asked in every]


UNREAD = frozenset({*OPEN, "needs_review"})
"""How a criterion stands while it is open."""


_Weighed = tuple[MatchCheck, int, int, int]
"""A check, whether it stands against, whether it is open, and how little of what is preferred it is."""


STANDINGS: Sequence[Standing] = get_args(Standing)


def _weighed(check: MatchCheck) -> _Weighed:
    if check.name in PREFERRED:
        return check, 0, 0, {"no": 2, "unknown": 1}.get(check.result, 0)
    return check, check.result == "no", check.result == "unknown", 0


def _checked(patient: Patient, offer: Offer, known: dict[tuple[Name, object], _Weighed]) -> Iterator[_Weighed]:
    """Each check but the criteria, worked out once for each value of the offer it rests on."""
    for name, rests_on in RESTS_ON.items():
        key = name, rests_on(offer)
        if key not in known:
            known[key] = _weighed(MatchCheck(name, *CHECKS[name](patient, offer)))
        yield known[key]


def _together(weighed: Iterable[_Weighed]) -> tuple[tuple[MatchCheck, ...], int, int, int]:
    checks, against, open_, wanting = zip(*weighed, strict=True)
    return checks, sum(against), sum(open_), sum(wanting)


def _key(against: int, open_: int, wanting: int) -> Key:
    """Less is better: what stands against it, then what is open, then what is preferred and is not so."""
    return (2 if against else 1 if open_ else 0), against, open_, wanting


def next_ways(found: Sequence[Match], without: Collection[tuple[str, str]], many: int = 2) -> Sequence[Match]:
    """Return the next ways in order of rank that nothing excludes, leaving out those that were tried.

    By default two [eligibility.next-ways].
    """
    left = [m for m in found if (m.offer.protocol, m.offer.centre) not in without and m.standing != "excluded"]
    return left[:many]
