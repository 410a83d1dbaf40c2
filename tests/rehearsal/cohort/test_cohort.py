"""Generated cohorts: whoever owes anything acts, nobody is left in a state that nobody can leave, a seed repeats."""

import random
import re
import unicodedata
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from domain.journey import OWES
from domain.stages.records.documents import DocumentStored
from domain.stages.treatment.bedside.scanning import IdentityScanned
from domain.stages.treatment.dose import DoseHeld
from domain.stages.treatment.infusion import InfusionCompleted
from infra.keys import FolderKeys
from rehearsal.cohort.cohort_run import Cohort, rehearse_cohort
from rehearsal.cohort.families import HOMES, families
from rehearsal.cohort.market import Market
from rehearsal.cohort.named import NAMES, made_up
from rehearsal.cohort.reactions import REACTIONS
from rehearsal.command import INVALID, rehearse
from rehearsal.courses.known import catalogued
from rehearsal.world.memory import Remembering
from rehearsal.world.papers import papers_in
from tests.conftest import fresh

BEGINS = datetime(2019, 1, 7, tzinfo=UTC)
BY_NOBODY = {
    "vector_lot",  # no product of the cohort is made in the body
    "study_filing", "amended_protocol", "access_review", "owner", "infusion_date", "erasure_confirmation",
    "key_destruction",
}  # fmt: skip
"""In a cohort nobody breaks a glass or is forgotten, a case has an owner, and its infusions are told on the day; no
protocol of it is amended, and no source says under which law one runs."""


def test_whatever_can_be_owed_somebody_reacts_to() -> None:
    assert {row.kind for row in OWES} - set(REACTIONS) == BY_NOBODY
    assert set(REACTIONS) <= {row.kind for row in OWES}


def test_families_are_the_same_for_the_same_seed_and_of_every_sort() -> None:
    trials = Market.__new__(Market)
    trials._known = catalogued()
    trials._chance = random.Random("market/1")
    found = trials._trials()
    one, again, other = (families(200, seed, found, timedelta(days=900)) for seed in (1, 1, 2))
    assert one == again != other
    for trait in ("silent", "declines", "lost", "minor", "urgent"):
        assert 0 < sum(getattr(f, trait) for f in one) < 80, trait
    assert {t.protocol for f in one for t in f.trials} == {t.protocol for t in found}
    assert max(f.asks_after for f in one) <= timedelta(days=900)


def test_families_are_called_as_people_are_at_home_and_nobody_is() -> None:
    assert set(NAMES) == {country for country, _, _ in HOMES}
    for country, (pattern, given) in NAMES.items():
        assert len(set(given)) == len(given) > 5
        names = {made_up(country, f"1/{n}") for n in range(200)}
        assert names == {pattern.format(one) for one in given}, "each of them comes up"
        assert all(len(name) <= 20 and not re.search(r"\d", name) for name in names)
    assert made_up("CN", "1/7") == made_up("CN", "1/7")
    assert {unicodedata.bidirectional(NAMES[country][1][0][0]) for country in ("PK", "CN")} == {"AL", "L"}


def test_protocols_that_are_over_take_nobody() -> None:
    market = Market.__new__(Market)
    market._known = catalogued()
    market._chance = random.Random("market/1")
    streams = {t.protocol for t in market._trials()}
    assert "protocol-nct06308978" in streams  # recruiting
    assert not streams & {"protocol-nct04030195", "protocol-nct02746952", "protocol-nct03056339"}  # completed


def test_the_command_line_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"courses": {"patient": "P-1"}}')
    assert rehearse() == INVALID
    assert rehearse(courses=bad, cohort=3) == INVALID
    assert rehearse(courses=bad) == INVALID
    assert rehearse(courses=tmp_path / "none.json") == INVALID
    said = "".join(capsys.readouterr().err.split())  # wherever a narrow terminal breaks the lines
    assert "either--coursesFILEor--cohortN" in said
    assert "courses:notalistwithatleastonecourse" in said
    assert "none.json" in said


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_cohort_ends_where_somebody_can_go_on(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instants: list[datetime] = []
    infused: dict[tuple[object, object], str] = {}
    given_at, seen = defaultdict[str, list[datetime]](list), Counter[type]()
    append = Remembering.append

    async def watched(self: Remembering, given: object) -> object:
        facts = await append(self, given)  # type: ignore[arg-type]
        instants.extend(f.at for f in facts)
        for event in (f.event for f in facts):
            seen[type(event)] += 1
            if isinstance(event, InfusionCompleted):
                infused[event.lot, event.unit] = given.stream  # type: ignore[attr-defined]
                given_at[given.stream].append(facts[0].at)  # type: ignore[attr-defined]
            assert not (isinstance(event, DoseHeld) and (event.lot, event.unit) in infused), "held again"
        return facts

    monkeypatch.setattr(Remembering, "append", watched)
    dsn = await fresh(postgres, f"cohort_{tmp_path.name.replace('-', '_')}")
    told = await rehearse_cohort(6, 8, timedelta(days=500), database=dsn, folder=tmp_path, start=BEGINS)
    assert told["stuck"] == []
    assert told["cases"] == 6
    assert len(infused) > len(set(infused.values())), "control: somebody had two"
    assert all(later - one > timedelta(days=6) for days in given_at.values() for one, later in pairwise(days))
    assert seen[IdentityScanned] >= seen[InfusionCompleted], "two people scan before every infusion"
    assert told["events"] == len(instants) > 1000
    assert instants == sorted(instants)
    assert instants[0] >= BEGINS and instants[-1] == BEGINS + timedelta(days=500)  # noqa: PT018


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_the_same_seed_gives_the_same_cohort(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[object]] = []
    ends = Cohort.ends

    def kept(self: Cohort) -> object:
        scene = self._scene
        ran.append([(f.id, f.at, f.event) for case in self._families for f in scene.ledger.facts(case)])
        return ends(self)

    monkeypatch.setattr(Cohort, "ends", kept)
    for n in range(2):
        dsn = await fresh(postgres, f"seed_{n}_{tmp_path.name.replace('-', '_')}")
        await rehearse_cohort(2, 11, timedelta(days=150), database=dsn, folder=tmp_path / str(n), start=BEGINS)
    assert len(ran[0]) > 100
    assert ran[0] == ran[1]


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_the_documents_of_a_living_rehearsal_can_be_opened(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: dict[tuple[str, str], str] = {}
    ends = Cohort.ends

    def kept(self: Cohort) -> object:
        facts = [(case, f.event) for case in self._families for f in self._scene.ledger.facts(case)]
        stored.update({(case, e.document): e.media_type for case, e in facts if isinstance(e, DocumentStored)})
        return ends(self)

    monkeypatch.setattr(Cohort, "ends", kept)
    dsn = await fresh(postgres, f"files_{tmp_path.name.replace('-', '_')}")
    await rehearse_cohort(3, 11, timedelta(days=150), database=dsn, folder=tmp_path, start=BEGINS, alive=True)
    keys = FolderKeys(tmp_path / "keys", kek=tmp_path / "kek", destroyed=tmp_path / "destroyed")
    documents = papers_in(tmp_path, keys).documents
    assert stored
    for (case, name), media in stored.items():
        opened = await documents.open(case, name)
        content = b"".join([part async for part in opened.content])
        assert (opened.media_type, content[:5], content.endswith(b"%%EOF\n")) == (media, b"%PDF-", True)
