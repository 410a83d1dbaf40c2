"""The catalogue's table: one kind per prefix, words of its own, read models that come back as they went."""

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.catalogue import centre, protocol, site, staff
from domain.catalogue.product import Depletion
from domain.catalogue.protocols import cohorts
from domain.catalogue.protocols.escalation import DoseLevel, Escalation
from domain.catalogue.streams import CATALOGUE, COMMANDS, EVENTS, aggregate, fold, parse_source_state, read_model
from domain.core.errors import Reason, Refused
from domain.core.planned_check import PlannedCheck
from domain.criteria.criterion import Comparison, Criterion
from domain.criteria.dosing import CellDose
from domain.criteria.redosing import RedosingCriteria, ToxicityLimit
from domain.doses import lot, material, product, storage
from domain.doses.custody import giving
from domain.doses.unit import UnitHeld
from domain.engine.evolve import EVENTS as CASE_EVENTS
from domain.journey import COMMANDS as CASE_COMMANDS
from domain.law import clinical_holds, study
from domain.stages.anytime import watching
from infra.ledger.encoding.codec import Codec, stored_type
from infra.ledger.encoding.rows import source_text
from tests.domain.catalogue.steps import NOW, fact, given, refused

LATER = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
CRITERIA = (
    Criterion(
        id="liver",
        kind="inclusion",
        words="bilirubin <= 2 x ULN, Gilbert exempt",
        ways=((Comparison(analyte="bilirubin", op="<=", value="2", unit="{ULN}"),),),
        only_if=(Comparison(analyte="disease_group", op="in", codes=("all", "nhl")),),
        within_days=28,
    ),
    Criterion(id="organs", kind="inclusion", words="adequate, values not in source"),
)
FILLED: dict[str, tuple[Any, ...]] = {
    "protocol-x": (
        protocol.ProtocolRegistered(
            registry="x", title="t", product="p", product_class="car_nk", targets=("CD19",), diseases=("SLE",),
            source="s", as_of=date(2026, 1, 1), criteria=CRITERIA, route="cn_order_818", research_items=("monitoring",),
            concerns_offspring=True, access="hospital_programme", lymphodepletion_planned=False,
            vector_integrates=False, follow_up_years=5, visit_days=(28, 90),
            redosing=RedosingCriteria(
                interval_days=28, toxicity=(ToxicityLimit(kind="crs", highest=2),), responses=("PR", "SD")
            ),
            escalation=Escalation(levels=(DoseLevel(name="1", cohort=3),), between_days=14),
            doses=(CellDose(least=2_000_000, most=2_000_000, per_kg=True, cap=200_000_000),),
            monitoring=(PlannedCheck(what="blood_count", days=(7, 14), window=1),),
            lymphodepletion=(Depletion(drug="fludarabine", dose="30", days=(-5, -4)), Depletion(drug="etoposide")),
        ),
        protocol.ProtocolOpenConfirmed(LATER, "Dr Li"),
        cohorts.CohortOpened(1, "1", 3, "r", "s", date(2026, 1, 1)),
        cohorts.SubjectAsked("case-9"),
        cohorts.SubjectEnrolled("case-9", 1),
        study.StudyReviewPassed(1, date(2026, 1, 5), "minutes"),
        clinical_holds.ClinicalHoldPlaced(1, "sponsor", "S", "r", date(2026, 1, 1), ("c",)),
        study.StudyFiled(1, "F-1", date(2026, 1, 9), "trial office"),
        site.SiteConfirmed("centre-x", "open", date(2026, 2, 1), LATER, "Dr Li"),
    ),
    "centre-x": (
        centre.CentreRegistered(
            "n", "c", "CN", "Asia/Shanghai", ("zh",), True, ("cell_therapy",), "s", date(2026, 1, 1), "", "", "",
            "class_iii_a",
        ),
    ),
    "lot-x": (
        lot.LotRegistered("p", ("u1", "u2"), LATER, "DIN-1", "LV-1", "person-1"),
        lot.LotReleased("person-2"),
        UnitHeld("u1", "case-1", "effect-1", LATER),
        storage.UnitPlaced("u2", "store-x", "A1", NOW),
        storage.UnitStopped("u2", "store-x", "warm"),
    ),
    "product-x": (
        product.ProductRegistered("p", ""),
        clinical_holds.ClinicalHoldPlaced(1, "sponsor", "S", "r", date(2026, 1, 1), ("c",)),
        clinical_holds.HoldConditionFulfilled(1, 1, "e", date(2026, 1, 2)),
    ),
    "material-x": (
        material.MaterialRegistered("vector_lot", "LV-1", vector="lentiviral", integrating=True),
        giving.VectorGiven("case-1", "f-1", "vial 3"),
        giving.VectorRecalled("defect"),
    ),
    "person-x": (
        staff.PersonRegistered("quality", "asia", "n", "m", "UTC", "en"),
        staff.AbsenceSet(NOW, LATER, "person-2"),
    ),
}  # fmt: skip


IF_ANY = {
    "criteria", "sites", "centre", "diseases", "shut", "route", "research_items", "reviewed", "filing",
    "hospital_class", "concerns_offspring", "places", "lymphodepletion",
    "vector_integrates", "follow_up_years", "visit_days", "access", "stopped", "monitoring", "redosing",
    "lot_number", "product_code", "gtin",
    "product_class", "depletion_planned", "product", "holds", "doses", "escalates", "seats",
}  # fmt: skip
"""What a read model holds only where there is any."""


def noted_fields(prefix: str) -> set[str]:
    return {f.name for f in fields(watching.KINDS[prefix])} - {"stream", "source_version", "type"}


def test_the_table_has_every_source_a_case_notes_and_no_other() -> None:
    assert set(CATALOGUE) - {"desk", "store"} == set(watching.KINDS)
    assert [a.prefix for a in CATALOGUE.values()] == list(CATALOGUE)


@pytest.mark.parametrize(
    ("stream", "event", "wakes"),
    [
        ("centre-x", centre.CentrePaused("full"), True),
        ("centre-x", centre.EndpointChanged("https://x", "m", "k"), False),
        ("lot-x", lot.LotQuarantined("q"), True),
        ("lot-x", UnitHeld("u2", "case-2", "effect-2", LATER), False),
        ("protocol-x", protocol.ProtocolClosed("on_hold", "s"), True),
        ("protocol-x", site.SiteConfirmed("centre-x", "full", date(2026, 2, 1), LATER, "Dr Li"), True),
        ("protocol-x", site.InvestigatorNamed("centre-x", "Dr Wu", "wu@x.example", 3), False),
        ("person-x", staff.AbsenceEnded(), True),
        ("product-x", clinical_holds.ClinicalHoldLifted(1, "sponsor", date(2026, 1, 3), "s"), True),
        ("product-x", product.SpecificationStated((), "s"), False),
        ("material-x", giving.VectorGiven("case-2", "f-2", ""), False),
    ],
)
def test_only_what_cases_note_of_it_wakes_them(stream: str, event: Any, wakes: bool) -> None:
    before = given(stream, *FILLED[stream])
    after = aggregate(stream).evolve(before, fact(event, before.version + 1))
    assert watching.differs(stream, read_model(stream, before), read_model(stream, after)) == wakes


def test_commands_and_events_are_those_of_the_four_modules_and_of_nobody_else() -> None:
    assert {c for a in CATALOGUE.values() for c in a.commands} == set(COMMANDS)
    assert {e for a in CATALOGUE.values() for e in a.events} == set(EVENTS)
    words = [*COMMANDS, *EVENTS, *CASE_COMMANDS, *CASE_EVENTS]
    names = [word.__name__ for word in words]
    assert sorted({n for n in names if names.count(n) > 1}) == []
    assert [stored_type(word) for word in words] == names


@pytest.mark.parametrize("stream", FILLED)
@pytest.mark.parametrize("facts", [0, 1, 9])
def test_a_read_model_holds_what_a_case_notes_and_survives_json(stream: str, facts: int) -> None:
    known = read_model(stream, given(stream, *FILLED[stream][:facts]))
    stored = source_text(known)
    assert parse_source_state(stream, stored) == known
    assert parse_source_state(stream, json.loads(stored)) == known
    wanted = noted_fields(aggregate(stream).prefix) - ((IF_ANY | {"state"}) - set(known))
    assert wanted <= set(known)
    event = watching.noted(stream, 3, known)
    assert {name: getattr(event, name) for name in wanted} == {name: known[name] for name in wanted}


def test_read_models_hold_exactly_what_is_noted_and_the_named_extras() -> None:
    extras = {
        "lot": {"product", "free_units", "held_until"},
        "person": {"absent_from"},
        "desk": {"mails"},
        "material": {"kind", "consents"},  # and that it is recalled, where it is
        "product": {"code", "name", "tests", "source"},
        "store": {"kind", "name", "where", "read_until", "excursions"},
    }
    for prefix, kind in CATALOGUE.items():
        noted = noted_fields(prefix) if prefix in watching.KINDS and prefix != "material" else set()
        assert set(kind.read_model(kind.initial)) == (noted - IF_ANY) | extras.get(prefix, set())


def test_every_event_is_recorded_and_read_back_as_it_was() -> None:
    codec = Codec(EVENTS)
    for stream, events in FILLED.items():
        for event in events:
            assert codec.encode(event).type == event.type, stream


def test_what_describes_a_person_is_sealed() -> None:
    codec = Codec(EVENTS)
    encoded = [codec.encode(event) for events in FILLED.values() for event in events]
    text = " ".join(one.data for one in encoded)
    assert not [word for word in ("Dr Li", "DIN-1", "LV-1", "case-1") if word in text]
    assert {cls for one in encoded for cls in one.secrets} == {"identity", "trace"}


@pytest.mark.parametrize("stream", ["case-1", "donor-1", "lot", "lot-", "", "installation"])
def test_a_stream_of_another_kind_is_not_found(stream: str) -> None:
    with pytest.raises(Refused) as caught:
        aggregate(stream)
    assert caught.value.reason is Reason.NOT_FOUND


def test_a_command_for_another_kind_of_stream_is_refused() -> None:
    assert refused("lot-x", given("lot-x", *FILLED["lot-x"]), centre.PauseCentre("full")) == (Reason.INVALID, "type")


@pytest.mark.parametrize("stream", FILLED)
def test_folding_counts_versions(stream: str) -> None:
    numbered: Callable[..., Any] = fold
    facts = [fact(event, version) for version, event in enumerate(FILLED[stream], 1)]
    assert numbered(stream, facts).version == len(facts)
