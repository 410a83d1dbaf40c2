"""The custody report holds every hand a unit went through and all that was scanned for it, and no patient's name."""

from typing import Any

import pytest

from api.console.text.texts import Texts
from api.papers import custody
from api.papers.sheet import PaperWriter
from domain.core.fact import Fact
from domain.core.when import When
from domain.doses import lot
from domain.doses.genealogy import Trace
from domain.doses.lot import LotRegistered
from domain.doses.unit import UnitHeld
from domain.stages.treatment.bedside.scanning import RegisterWristband, ScanIdentity
from domain.stages.treatment.infusion import RecordInfusion, StartThaw
from tests.domain.course import LOT, UNIT, start
from tests.domain.journey import Journey
from tests.domain.stages.supply.sent import pick_up, plan, receive


def course() -> Journey:
    """A dose that was sent, handed over twice, scanned once for another patient and once rightly, and infused."""
    j = receive(pick_up(plan(start("authorised"))))
    j.tell(RegisterWristband("MRN-0042")).tell(ScanIdentity("n-1", "MRN-0043", UNIT, "n-2", "MRN-0042", UNIT))
    return j


def made(j: Journey, language: str) -> dict[str, Any]:
    told = (LotRegistered("P", (UNIT, "unit-2"), j.now, "", "", "lab"), UnitHeld(UNIT, "case-1", "e", j.now))
    facts: list[Fact[Any]] = [Fact(one, f"f{n}", n, j.now, When.at(j.now), "lab") for n, one in enumerate(told, 1)]
    known = lot.initial
    for fact in facts:
        known = lot.evolve(known, fact)
    nothing = Trace([LOT], frozenset(), frozenset(), {}, {}, [])
    return custody.report(
        PaperWriter(Texts(language)),
        custody.Custody(
            LOT, known, facts, known.units[UNIT], nothing, {}, {}, "4821-7730-5", j.case, j.facts, {"lab": "Cell lab"}
        ),
    )


@pytest.mark.parametrize("language", ["en", "zh", "ar"])
def test_every_hand_and_every_scan_stands_in_the_report(language: str) -> None:
    j = course()
    report = made(j, language)
    sections = {one["title"]: one["rows"] for one in report["sections"]}
    t = Texts(language)
    handed = sections[t("paper.handovers")]
    own = [h for one in j.case.shipments.values() for h in one.handovers]
    assert len(handed) == len(own) == 2
    bedside = sections[t("paper.bedside")]
    assert [row[0] for row in bedside] == [t.named("event", n) for n in ("IdentityScanned", "IdentityMismatched")]
    assert bedside[0][2:] == ["n-1, n-2", t.named("mismatches", "first_patient")]
    assert "Asha" not in str(report)
    assert "MRN" not in str(report)


def test_what_follows_the_check_stands_behind_it() -> None:
    j = start("authorised").tell(RegisterWristband("MRN-0042"))
    j.tell(ScanIdentity("n-1", "MRN-0042", UNIT, "n-2", "MRN-0042", UNIT)).tell(StartThaw(UNIT))
    j.tell(RecordInfusion(UNIT, "1e8", When.at(j.now)))
    [bedside] = [one["rows"] for one in made(j, "en")["sections"] if one["title"] == "At the bedside"]
    words = [row[0] for row in bedside]
    assert words == [Texts("en").named("event", n) for n in
                     ("IdentityScanned", "IdentityChecked", "ThawStarted", "InfusionCompleted")]  # fmt: skip
    assert bedside[-1][3] == "1e8"
    assert made(j, "en") == made(j, "en")
