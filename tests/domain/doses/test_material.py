"""Materials: what each kind asks, what it may be made of, donors' consents and tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.doses.codes import check_character, donation
from domain.doses.kinds import KINDS, LOT, MATERIALS
from domain.doses.linking import LinkMaterial, MaterialLinked, MaterialUnlinked, UnlinkMaterial
from domain.doses.lot import LotRegistered
from domain.doses.material import (
    DonorConsented,
    DonorConsentWithdrawn,
    DonorScreened,
    Material,
    MaterialRegistered,
    RecordDonorConsent,
    RecordScreening,
    RegisterMaterial,
    WithdrawDonorConsent,
    read_model,
)
from domain.doses.stock import Lot
from tests.domain.catalogue.steps import AROUND, NOW, given, refused, when

STREAM = "material-1"
DIN = "A999925123456"
FIELDS: dict[str, Any] = {
    "source": "adult_donor",
    "what": "HEK293T",
    "platform": "suspension",
    "volume_l": 50.0,
    "titre": 2e8,
    "titre_unit": "TU/mL",
    "vector": "lentiviral",
    "integrating": True,
    "edits": ("TRAC", "B2M"),
    "yielded": 4e12,
}


def register(kind: Any, *parents: str) -> RegisterMaterial:
    told = {name: FIELDS[name] for name in (*KINDS[kind].asks, *KINDS[kind].may)}
    return RegisterMaterial(kind, f"{DIN}9" if kind == "donation" else f"{kind}-7", parents, **told)


def beside(**kinds: str) -> Any:
    known = {f"material-{name}": {"kind": kind, "consents": ["donation"]} for name, kind in kinds.items()}
    return replace(AROUND, beside=known)


def material(*events: Any) -> Material:
    state = given(STREAM, *events)
    assert isinstance(state, Material)
    return state


@pytest.mark.parametrize("kind", MATERIALS)
def test_each_kind_has_its_fields_and_no_other(kind: str) -> None:
    command = register(kind)
    [event] = when(STREAM, given(STREAM), command)
    assert isinstance(event, MaterialRegistered)
    state = material(event)
    assert (state.kind, dict(state.told)) == (kind, {n: FIELDS[n] for n in (*KINDS[kind].asks, *KINDS[kind].may)})
    for name in KINDS[kind].asks:
        empty: Any = type(FIELDS[name])() if isinstance(FIELDS[name], str) else None
        assert refused(STREAM, given(STREAM), replace(command, **{name: empty})) == (Reason.INVALID, name)
    for name in set(FIELDS) - {*KINDS[kind].asks, *KINDS[kind].may}:
        assert refused(STREAM, given(STREAM), replace(command, **{name: FIELDS[name]})) == (Reason.INVALID, name)
    assert refused(STREAM, state, command) == (Reason.ALREADY, "code")


@pytest.mark.parametrize("child", KINDS)
@pytest.mark.parametrize("parent", MATERIALS)
def test_each_kind_is_made_of_what_the_table_says(child: str, parent: str) -> None:
    around = beside(p=parent)
    allowed = parent in KINDS[child].made_of
    state: Any = Lot(1, "registered") if child == LOT else material(*when(STREAM, given(STREAM), register(child)))
    stream = "lot-1" if child == LOT else STREAM
    if allowed:
        assert when(stream, state, LinkMaterial("material-p"), around=around) == [MaterialLinked("material-p")]
    else:
        assert refused(stream, state, LinkMaterial("material-p"), around=around) == (Reason.INVALID, "parent")
    assert refused(stream, state, LinkMaterial("material-none"), around=around) == (Reason.NOT_FOUND, "parent")


def test_no_chain_of_kinds_comes_back_to_where_it_began() -> None:
    def above(kind: str) -> set[str]:
        return {kind for parent in KINDS[kind].made_of for kind in (parent, *above(parent))}

    assert all(kind not in above(kind) for kind in KINDS)
    assert above(LOT) == set(MATERIALS)


def test_what_it_is_made_of_may_be_told_when_it_is_registered() -> None:
    around = beside(run="vector_run", line="producer_line")
    first, *links = when(STREAM, given(STREAM), register("vector_lot", "material-run", "material-run"), around=around)
    assert (type(first), links) == (MaterialRegistered, [MaterialLinked("material-run")])
    assert material(first, *links).parents == ("material-run",)
    wrong = refused(STREAM, given(STREAM), register("vector_lot", "material-line"), around=around)
    assert wrong == (Reason.INVALID, "made_of")


def test_a_link_is_made_once_and_taken_back_with_a_reason() -> None:
    registered = LotRegistered("X-1", ("u1",), NOW, "", "", "person-1")
    linked, undone = MaterialLinked("material-v"), MaterialUnlinked("material-v", "wrong bag")
    state = given("lot-1", registered, linked)
    assert when("lot-1", state, LinkMaterial("material-v"), around=beside(v="vector_lot")) == []
    assert when("lot-1", state, UnlinkMaterial("material-v", "wrong bag")) == [undone]
    after: Any = given("lot-1", registered, linked, undone)
    assert after.parents == ()
    assert refused("lot-1", after, UnlinkMaterial("material-v", "again")) == (Reason.NOT_FOUND, "parent")


@pytest.mark.parametrize(
    ("code", "good"),
    [
        (f"{DIN}9", True),
        (f"={DIN}00", True),
        ("A9999 25 123456 9", True),
        (DIN, False),
        (f"{DIN}8", False),
        ("BAG-1", False),
    ],
)
def test_a_donation_has_its_number_with_its_check_character(code: str, good: bool) -> None:
    assert check_character(DIN) == "9"
    assert donation(code) == good
    command = replace(register("donation"), code=code)
    if good:
        assert when(STREAM, given(STREAM), command)
    else:
        assert refused(STREAM, given(STREAM), command) == (Reason.INVALID, "code")


@pytest.mark.parametrize("code", ["", " ", "\u200b", ERASED])
def test_a_material_has_a_code(code: Any) -> None:
    assert refused(STREAM, given(STREAM), replace(register("reagent"), code=code)) == (Reason.INVALID, "code")


@pytest.mark.parametrize("amount", [0.0, -1.0, float("inf"), float("nan")])
@pytest.mark.parametrize("name", ["volume_l", "titre", "yielded"])
def test_an_amount_is_above_nothing(name: str, amount: Any) -> None:
    command = replace(register("vector_run"), **{name: amount})
    assert refused(STREAM, given(STREAM), command) == (Reason.INVALID, name)


DONOR = MaterialRegistered("donor", "D-17")


def test_a_donation_is_linked_only_while_its_donor_consents() -> None:
    donor = material(DONOR)
    assert when(STREAM, donor, RecordDonorConsent("donation")) == [DonorConsented("donation")]
    consenting = material(DONOR, DonorConsented("donation"))
    assert when(STREAM, consenting, RecordDonorConsent("donation")) == []
    withdrawn = material(DONOR, DonorConsented("donation"), DonorConsentWithdrawn("donation"))
    assert refused(STREAM, withdrawn, WithdrawDonorConsent("donation")) == (Reason.NOT_NOW, "use")
    for state, stands in ((donor, False), (consenting, True), (withdrawn, False)):
        around = replace(AROUND, beside={"material-d": read_model(state)})
        command = register("donation", "material-d")
        if stands:
            assert when("material-2", given("material-2"), command, around=around)[1:] == [MaterialLinked("material-d")]
        else:
            assert refused("material-2", given("material-2"), command, around=around) == (Reason.MISSING, "made_of")


def test_a_donor_is_tested_and_nobody_else() -> None:
    test = RecordScreening("HBsAg", "reactive", date(2026, 3, 1))
    assert when(STREAM, material(DONOR), test) == [DonorScreened("HBsAg", "reactive", date(2026, 3, 1))]
    wrong: dict[str, Any] = {"marker": "", "result": "positive", "sampled": date(2026, 3, 3)}
    for name, value in wrong.items():
        assert refused(STREAM, material(DONOR), replace(test, **{name: value})) == (Reason.INVALID, name)
    assert refused(STREAM, material(MaterialRegistered("reagent", "R-1")), test) == (Reason.INVALID, "type")
    assert refused(STREAM, given(STREAM), test) == (Reason.NOT_FOUND, None)


def test_an_erased_code_or_result_is_unknown() -> None:
    state = material(MaterialRegistered("donor", ERASED), DonorScreened("HIV", ERASED, date(2026, 1, 1)))
    assert (state.code, [one.result for one in state.screening]) == ("", [""])
