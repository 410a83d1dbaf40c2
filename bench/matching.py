"""Screening and matching on one core, against the same comparisons in a plain loop over tuples.

Protocols and cases are generated: as many criteria as the catalogue's own have in the middle, each of one comparison,
and all analytes known of every case, so that nothing is left out. The loop compares numbers that were converted
beforehand and says only met or not met; ours also ranks all, and names for the first fifty what speaks for
and against each and what is not known. Protocols are prepared once, as for the cases of a change.
"""

import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from operator import ge, le
from statistics import median
from typing import Literal

from bench.common import Asked, Row, short
from domain.core.when import When
from domain.criteria.analytes import ANALYTES
from domain.criteria.checks import MatchCheck, Offer, Patient
from domain.criteria.criterion import Comparison, Criterion
from domain.criteria.diseases import DISEASES, broader
from domain.criteria.matching import Match, Prepared, match
from domain.criteria.observation import Observation

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
PROTOCOLS, CASES, REMATCHED, CRITERIA, ROUNDS = 5_000, 10, 10_000, 8, 3
SHOWN = 50
MEASURED = [name for name, row in ANALYTES.items() if row.unit and not row.lapse and not row.targeted]
Op = Literal["<=", ">="]
Plain = tuple[str, tuple[tuple[str, Op, float], ...]]
"""A protocol as a plain program keeps it: its disease, and its thresholds in canonical units."""
OPS: dict[Op, Callable[[float, float], bool]] = {"<=": le, ">=": ge}


def protocols(many: int, chance: random.Random) -> tuple[list[Offer], list[Plain]]:
    """The same protocols for both."""
    offers, plain = list[Offer](), list[Plain]()
    for n in range(many):
        asked = [
            (name, chance.choice(("<=", ">=")), chance.randint(10, 90)) for name in chance.sample(MEASURED, CRITERIA)
        ]
        disease = chance.choice(list(DISEASES))
        tests = [Comparison(analyte=a, op=op, value=str(v), unit=ANALYTES[a].unit) for a, op, v in asked]  # type: ignore[arg-type] # of the two
        criteria = tuple(
            Criterion(id=f"c{k}", kind="inclusion", words="as written", ways=((test,),), within_days=90)
            for k, test in enumerate(tests)
        )
        named = (DISEASES[disease].names[0].upper(),)
        offers.append(
            Offer(
                protocol=f"protocol-{n}",
                centre="centre-1",
                product="allogeneic",
                targets=("CD19",),
                diseases=named,
                criteria=criteria,
                door="open",
            )
        )
        plain.append((disease, tuple((a, op, float(v)) for a, op, v in asked)))  # type: ignore[misc] # of the two
    return offers, plain


def cases(many: int, chance: random.Random) -> list[tuple[Patient, tuple[str, dict[str, float]]]]:
    """The same cases for both: every analyte measured yesterday."""
    found = []
    for n in range(many):
        disease = chance.choice(list(DISEASES))
        values = {name: float(chance.randint(5, 95)) for name in MEASURED}
        facts = tuple(
            Observation(id=f"{n}-{a}", analyte=a, low=Decimal(v), high=Decimal(v), taken=When.on(NOW.date()))
            for a, v in values.items()
        )
        found.append((Patient(country="IN", disease=disease, facts=facts), (disease, values)))
    return found


def compared(case: tuple[str, dict[str, float]], every: Sequence[Plain]) -> list[int]:
    """The plain loop: how many comparisons fail, for each protocol, the disease among them."""
    disease, values = case
    codes = broader(disease)
    return [
        sum(not OPS[op](values[name], threshold) for name, op, threshold in tests) + (asked not in codes)
        for asked, tests in every
    ]


def shown(found: Sequence[Match]) -> list[tuple[MatchCheck, ...]]:
    """The reasons of as many as an answer shows."""
    return [one.checks for one in found[:SHOWN]]


def seconds(work: Callable[[], object]) -> float:
    """How long it took, of this process."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def per_second(many: int, took: Sequence[float]) -> int:
    """In the middle of the rounds."""
    return round(many / median(took))


async def main(asked: Asked) -> AsyncIterator[Row]:
    """A row for one case against everything, and one for a changed protocol against every case."""
    chance = random.Random(7)
    offers, plain = protocols(asked.either(PROTOCOLS, 100), chance)
    some = cases(asked.either(CASES, 4), chance)
    prepared = Prepared(offers)
    ours, loop = list[float](), list[float]()
    for _ in range(asked.either(ROUNDS, 1)):
        ours.append(seconds(lambda: [shown(match(patient, prepared, NOW)) for patient, _ in some]))
        loop.append(seconds(lambda: [compared(values, plain) for _, values in some]))
    pairs = len(some) * len(offers)
    yield {
        "what": f"{len(some)} cases x {len(offers):,} protocols",
        "ours, pairs a second": per_second(pairs, ours),
        "loop, pairs a second": per_second(pairs, loop),
        "of the loop": short(median(a / b for a, b in zip(loop, ours, strict=True))),
        "seconds to prepare": short(seconds(lambda: Prepared(offers))),
    }
    every = cases(asked.either(REMATCHED, 200), chance)
    changed, same = Prepared(offers[:1]), plain[:1]
    again, plainly = (
        seconds(lambda: [shown(match(patient, changed, NOW)) for patient, _ in every]),
        seconds(lambda: [compared(values, same) for _, values in every]),
    )
    yield {
        "what": f"a changed protocol x {len(every):,} cases",
        "seconds": short(again),
        "ours, pairs a second": per_second(len(every), [again]),
        "loop, pairs a second": per_second(len(every), [plainly]),
        "of the loop": short(plainly / again),
    }
