"""Families of a cohort: who they are, what they hope for, and how they tend to answer; all out of a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.stages.intake.inquiry import OpenCase, Triage
from rehearsal.cohort.named import made_up

HOMES = (
    ("IN", "Asia/Kolkata", "en"),
    ("BD", "Asia/Dhaka", "bn"),
    ("PK", "Asia/Karachi", "ur"),
    ("VN", "Asia/Ho_Chi_Minh", "vi"),
    ("ID", "Asia/Jakarta", "id"),
    ("GB", "Europe/London", "en"),
    ("DE", "Europe/Berlin", "de"),
    ("US", "America/New_York", "en"),
    ("CN", "Asia/Shanghai", "zh"),
)
TRIAGES: tuple[Triage, ...] = ("autologous_not_feasible", "manufacture_failed", "not_fast_enough", "other")
SILENT, DECLINES, LOST, URGENT, MINOR = 0.06, 0.05, 0.06, 0.15, 0.12


@dataclass(frozen=True, slots=True)
class Trial:
    """A protocol at a centre where it is carried out."""

    centre: str
    protocol: str
    product: str
    diseases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """`asks_after`: from the start of the cohort to the inquiry. `pace` stretches every answer of theirs."""

    number: int
    name: str
    country: str
    zone: str
    language: str
    disease: str
    triage: Triage
    minor: bool
    urgent: bool
    asks_after: timedelta
    pace: float
    silent: bool
    declines: bool
    lost: bool
    trials: tuple[Trial, ...]

    def question(self) -> OpenCase:
        """Write the family's inquiry."""
        return OpenCase(
            self.country,
            self.language,
            self.zone,
            self.name,
            patient_mail=f"family-{self.number}@example.org",
            diagnosis=self.disease,
            triage=self.triage,
            urgent=self.urgent,
            minor=self.minor,
            owner="person-coordinator",
            team="rehearsal",
        )


def families(number: int, seed: int, trials: Sequence[Trial], within: timedelta, bend: float = 1.0) -> Sequence[Family]:
    """Make so many families; the last one asks `within` that time. `bend` below 1: more of them ask late."""
    chance = random.Random(f"families/{seed}")  # noqa: S311 - a rehearsal repeats itself, nothing is secret
    return [_family(n, seed, chance, trials, within * (n / number) ** bend) for n in range(1, number + 1)]


def _family(n: int, seed: int, chance: random.Random, trials: Sequence[Trial], by: timedelta) -> Family:
    country, zone, language = chance.choice(HOMES)
    first = chance.choice(trials)
    disease = chance.choice(first.diseases)
    others = [t for t in trials if disease in t.diseases and t is not first]
    chance.shuffle(others)
    return Family(
        n,
        made_up(country, f"{seed}/{n}"),
        country,
        zone,
        language,
        disease,
        chance.choice(TRIAGES),
        chance.random() < MINOR,
        chance.random() < URGENT,
        by * chance.uniform(0.9, 1.0),
        chance.choice((0.5, 1.0, 1.0, 1.5, 3.0)),
        chance.random() < SILENT,
        chance.random() < DECLINES,
        chance.random() < LOST,
        (first, *others[:2]),
    )
