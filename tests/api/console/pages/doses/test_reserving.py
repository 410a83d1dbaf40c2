"""A unit is reserved over the real ledger: the soonest that fits, with why each other was passed over."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from activities.command_handler import CommandRequest
from activities.doses.genealogy import Genealogy
from activities.effect_handlers.doses import StockedLots
from activities.effect_handlers.reserving import Reserving
from activities.ports import Meta
from api.run.http_app import turns
from api.run.wiring import Parts
from domain.case.effect import Effect
from domain.catalogue.centre import RegisterCentre
from domain.catalogue.protocol import AmendProtocol
from domain.core.policy import Party
from domain.core.when import When
from domain.criteria.redosing import RedosingCriteria
from domain.doses.allocation import PassedOver
from domain.doses.codes import check_character
from domain.doses.lot import RegisterLot, ReleaseLot
from domain.stages.eligibility.eligibility import AcceptPatient
from domain.stages.eligibility.quote import AcceptQuote, GiveQuote
from domain.stages.records.observing import RecordObservation
from domain.stages.treatment.dose import HoldDose
from infra.ids import fresh_stream
from infra.reads.genealogy import GenealogyQueries
from tests.agreed import agreed
from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.doses.test_genealogy import material, told
from tests.api.submitted import Submitted, submitted

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


async def priced(here: Parts, product: str, *, antibodies: bool = True) -> Submitted:
    """A case that needs a dose; where asked, its protocol asks for antibodies against the donor, and there are some."""
    mark = uuid.uuid4().hex[:8]
    centre = RegisterCentre(
        f"Hospital {mark}", "Beijing", "CN", "Asia/Shanghai", ("zh",), True, ("cell_therapy",), "itself",
        NOW.date(), "", "q@hospital.example", "",
    )  # fmt: skip
    await agreed(here.commands, f"centre-{mark}", centre)
    case = await submitted(here, f"centre-{mark}")
    state = await case.tell(AcceptPatient(case.submission, "Dr Li", NOW + 90 * DAY))
    protocol = AmendProtocol(
        registry="NCT2", title="Trial", product=product, product_class="allogeneic", targets=("CD19",),
        diseases=("B-ALL",), centre=case.centre, source="test", as_of=date(2026, 1, 2), label="2", change="antibodies",
        redosing=RedosingCriteria(antibodies_days=90) if antibodies else None,
    )  # fmt: skip
    await here.commands.record(CommandRequest(state.protocol, Meta("test", "operation"), protocol))
    await case.tell(GiveQuote(case.submission, "USD", NOW + 60 * DAY, 70_000))
    await case.tell(AcceptQuote(case.patient))
    found = RecordObservation(
        analyte="hla_antibodies", value="positive", target="HLA-A*02:01", occurred=When.at(NOW)
    )  # fmt: skip
    await case.tell(found)
    return case


async def lot(here: Parts, product: str, days: int, *units: str, released: bool = True) -> str:
    name = fresh_stream("lot")
    asked: Sequence[Any] = [RegisterLot(product, units, NOW + days * DAY, by="person-p"), ReleaseLot("person-q")]
    for command in asked if released else asked[:1]:
        await here.commands.record(CommandRequest(name, Meta("person-q"), command))
    return name


async def of_donor(quality: Person, batch: str, alleles: list[str]) -> None:
    """A lot's cells are of a donor with these alleles."""
    donor = await material(quality, "donor", f"D-{uuid.uuid4().hex}")
    await told(quality, donor, "RecordDonorConsent", use="donation")
    number = f"A9999{uuid.uuid4().int % 10**8:08d}"
    bag = await material(quality, "donation", number + check_character(number), donor)
    await told(quality, donor, "RecordDonorTyping", alleles=alleles, source="report 7")
    cells = await material(quality, "starting_material", f"S-{uuid.uuid4().hex}", bag, source="adult_donor")
    await told(quality, batch, "LinkMaterial", parent=cells)


async def test_the_soonest_unit_that_fits_is_held_and_each_other_has_its_reason(
    here: Parts, people: Mapping[str, Person], mei: Browser
) -> None:
    product = f"CAR-{uuid.uuid4().hex[:8]}"
    case = await priced(here, product)
    soon, against, untyped = [await lot(here, product, days, "a", "b") for days in (16, 30, 40)]
    closed = await lot(here, product, 45, "a", released=False)
    good, later = await lot(here, product, 60, "g"), await lot(here, product, 80, "l")
    quality = people["quality"]
    await of_donor(quality, against, ["A*02:01", "B*07:02"])
    for batch in (good, later):
        await of_donor(quality, batch, ["A*03:01"])
    owner = people["supervisor"]
    before = (await owner.get(f"/cases/{case.id}/dose")).json()
    assert (before["state"], before["held"], before["antibodies"]) == ("none", None, ["A*02:01"])
    assert {(one["lot"], one["because"]) for one in before["units"]} == {
        (soon, "expires_too_soon"), (against, "donor_antibodies"), (untyped, "donor_not_typed"),
        (closed, "lot_not_released"), (good, None), (later, None),
    }  # fmt: skip
    genealogy = Genealogy(here.ledger, GenealogyQueries(here.ledger.pool, here.keys))
    lots = StockedLots(here.ledger, here.commands, here.ledger.lots_of)
    asked = Effect(f"e-{uuid.uuid4().hex}", "reserve_dose", f"{case.centre}/1", Party.HOSPITAL, NOW)
    answer = (
        await Reserving(lots, here.commands.policy, genealogy.donors, turns(here).of_case).deliver(
            await case.state(), asked, NOW, repeat=0
        )
    ).answer
    assert isinstance(answer, HoldDose)
    assert (answer.lot, answer.unit) == (good, "g")
    assert answer.passed == (
        PassedOver(soon, "expires_too_soon", 2), PassedOver(against, "donor_antibodies", 2),
        PassedOver(untyped, "donor_not_typed", 2), PassedOver(closed, "lot_not_released", 1),
        PassedOver(later, "expires_later", 1),
    )  # fmt: skip
    await case.tell(answer, "engine")
    shown = (await owner.get(f"/cases/{case.id}/dose")).json()
    assert (shown["state"], shown["held"]) == ("held", {"lot": good, "unit": "g"})
    assert [one["because"] for one in shown["passed_over"]] == [one.because for one in answer.passed]
    page = (await mei.get(f"/console/cases/{case.id}")).text
    for words in ("Units passed over: 8", "the patient has antibodies against the donor", "lot expires too soon"):
        assert words in page
    hidden = (await people["auditor"].get(f"/cases/{case.id}/dose")).json()
    assert hidden["masked"], "an auditor sees that a dose is held, not which"
    assert (hidden["passed_over"], hidden["held"]) == ([], None)


async def test_a_donor_is_typed_by_alleles_or_it_is_said_how_they_are_written(people: Mapping[str, Person]) -> None:
    donor = await material(people["quality"], "donor", f"D-{uuid.uuid4().hex}")
    wrong = {"type": "RecordDonorTyping", "alleles": ["A2"], "source": "report 7"}
    refused = await people["quality"].post(f"/materials/{donor}/commands", wrong)
    assert refused.status_code == 422
    assert "such as A*02:01" in refused.text
