"""Whatever is recorded is read back the same, and what is personal never stands in the open."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.ports import DataKey
from domain.core.errors import Reason, Refused
from domain.core.personal import ERASED, KEY_CLASSES, NO_KEY, Identity, KeyClass, Unread
from domain.core.when import When
from infra.ledger.encoding.codec import Codec
from infra.ledger.encoding.errors import Tampered
from infra.ledger.encoding.sealing import SealedPlace, seal
from infra.ledger.encoding.stored import Stored
from tests.infra.ledger.cases import CANARY, EVENTS, Contact, Counted, Finding, PatientNamed, Told, Weighed

CODEC = Codec(EVENTS)
KEYS: dict[KeyClass, DataKey] = {name: DataKey(name, bytes([i] * 32)) for i, name in enumerate(KEY_CLASSES)}
words = st.text(st.characters(exclude_categories=["Cs"]))
personal = st.one_of(words, st.just(ERASED))
contacts = st.builds(Contact, words, personal, st.none() | personal)
patients = st.builds(
    PatientNamed,
    name=personal,
    contacts=st.lists(contacts, max_size=3).map(tuple),
    names=st.lists(personal, max_size=3).map(tuple),
    by_language=st.none() | st.dictionaries(words, personal, max_size=3),
    born=st.none() | st.dates() | st.just(ERASED),
    finding=st.none() | st.builds(Finding, words, st.floats(allow_nan=False, allow_infinity=False)) | st.just(ERASED),
    remark=st.none() | st.builds(Told, personal) | contacts,
    unit=st.none() | personal,
)
json_values = st.recursive(st.none() | st.booleans() | st.integers() | words, lambda inner: st.lists(inner, max_size=3))
counts = st.builds(
    Counted,
    number=st.integers(-(2**53), 2**53),
    at=st.datetimes(timezones=st.just(UTC)),
    day=st.none() | st.dates(),
    span=st.timedeltas(timedelta(days=-9999), timedelta(days=9999)),
    note=words,
    free=st.none() | st.dictionaries(words, json_values, max_size=3),
)


def kept(event: object, keys: dict[KeyClass, DataKey] = KEYS, codec: Codec = CODEC) -> Stored:
    encoded = codec.encode(event)
    sealed = seal(SealedPlace("case-1", "id-1"), encoded.secrets, keys)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    names = 1, "case-1", 1, "id-1", encoded.type, encoded.schema_version
    return Stored(*names, When.at(now), now, encoded.data, sealed, "{}", b"", b"")


@given(patients | counts)
def test_read_back_as_recorded(event: object) -> None:
    assert CODEC.decode(kept(event), KEYS) == event


readable_patients = st.builds(
    PatientNamed,
    words,
    st.lists(st.builds(Contact, words, words), max_size=2).map(tuple),
    st.lists(words, max_size=2).map(tuple),
    born=st.none() | st.dates(),
)


@pytest.mark.parametrize("why", [ERASED, NO_KEY])
@given(event=readable_patients)
def test_without_keys_no_personal_field_is_read_and_the_rest_remains(event: PatientNamed, why: Unread) -> None:
    found = CODEC.decode(kept(event), dict.fromkeys(KEY_CLASSES) if why is ERASED else {})
    assert found.name is why
    assert [(c.role, c.phone) for c in found.contacts] == [(c.role, why) for c in event.contacts]
    assert (found.born is None, found.finding is None) == (event.born is None, event.finding is None)
    assert found.names == (why,) * len(event.names)


@given(patients)
def test_what_was_erased_when_it_was_recorded_stays_so_where_no_key_is(event: PatientNamed) -> None:
    found = CODEC.decode(kept(replace(event, unit=ERASED)), {"identity": KEYS["identity"]})
    assert found.unit is ERASED


def test_nothing_personal_stands_in_the_open() -> None:
    contact = Contact("mother", CANARY, CANARY)
    row = kept(PatientNamed(CANARY, (contact,), (CANARY,), {"zh": CANARY}, remark=Told(CANARY), unit=CANARY))
    assert "Canary" not in row.data + row.sealed
    assert json.loads(row.data)["contacts"] == [
        {"city": {"$sealed": "identity"}, "phone": {"$sealed": "identity"}, "role": "mother"}
    ]


def test_one_destroyed_class_leaves_the_others() -> None:
    event = PatientNamed(CANARY, unit="LOT-7", remark=Told("fever"))
    found = CODEC.decode(kept(event), {"trace": KEYS["trace"], "identity": None})
    assert (found.name, found.unit, found.remark) == (ERASED, "LOT-7", Told(NO_KEY))


def test_what_has_no_key_when_it_is_recorded_is_not_kept() -> None:
    row = kept(PatientNamed(CANARY, unit="LOT-7"), {"trace": KEYS["trace"]})
    assert CODEC.decode(row, KEYS) == PatientNamed(ERASED, unit="LOT-7")


@pytest.mark.parametrize("place", [SealedPlace("case-2", "id-1"), SealedPlace("case-1", "id-2")])
def test_sealed_text_opens_nowhere_else(place: SealedPlace) -> None:
    row = kept(PatientNamed(CANARY))
    moved = Stored(
        1,
        place.stream,
        1,
        place.owner,
        row.type,
        1,
        row.occurred,
        row.recorded_at,
        row.data,
        row.sealed,
        "{}",
        b"",
        b"",
    )
    with pytest.raises(Tampered):
        CODEC.decode(moved, KEYS)


def test_under_another_key_nothing_is_taken_for_erased() -> None:
    newer: dict[KeyClass, DataKey] = {"identity": DataKey("newer", bytes(32))}
    assert CODEC.decode(kept(PatientNamed(CANARY)), newer).name is NO_KEY


def test_a_mark_in_an_open_field_is_refused() -> None:
    with pytest.raises(TypeError):
        CODEC.encode(Counted(free={"x": {"$sealed": "identity"}}))


@pytest.mark.parametrize("event", [Counted(note="\ud800"), Counted(free={"x": float("nan")}), PatientNamed("\ud800")])
def test_what_json_cannot_hold_is_refused_without_being_quoted(event: object) -> None:
    with pytest.raises((Refused, TypeError)) as refusal:
        CODEC.encode(event)
    assert "ud800" not in repr(refusal.value)
    assert refusal.value.__context__ is None


def test_wrong_types_are_refused_without_being_quoted() -> None:
    with pytest.raises(TypeError) as refusal:
        CODEC.encode(Counted(number=CANARY))  # type: ignore[arg-type]
    assert "Canary" not in repr(refusal.value)
    assert refusal.value.__context__ is None


def test_unknown_type_version_and_shape_are_newer_than_me() -> None:
    row = kept(Counted(1))
    for changed in ({"type": "Flown"}, {"schema_version": 2}, {"data": '{"number":"Canary"}'}):
        values = {name: getattr(row, name) for name in Stored.__slots__} | changed
        with pytest.raises(Refused) as refusal:
            CODEC.decode(Stored(**values), KEYS)
        assert refusal.value.reason == Reason.NEWER_THAN_ME
        assert "Canary" not in str(refusal.value)


@dataclass(frozen=True, slots=True)
class OldWeighed:
    """First shape of Weighed."""

    grams: float
    of: Identity = ""
    type: Literal["Weighed"] = "Weighed"


def test_upcasters_lift_old_shapes_with_what_was_sealed() -> None:
    def lift(data: dict[str, Any]) -> dict[str, Any]:
        return {"kilograms": data["grams"] / 1000, "of": data["of"]}

    row = kept(OldWeighed(2500.0, CANARY), codec=Codec([OldWeighed]))
    assert Codec(EVENTS, {("Weighed", 1): lift}).decode(row, KEYS) == Weighed(2.5, CANARY)
    with pytest.raises(Refused):
        CODEC.decode(row, KEYS)


def test_two_classes_of_one_name_are_refused() -> None:
    with pytest.raises(TypeError):
        Codec([OldWeighed, Weighed])


@dataclass(frozen=True, slots=True)
class Lossy:
    """A field that JSON turns into something else."""

    value: str | date
    type: Literal["Lossy"] = "Lossy"
    note: ClassVar[str] = ""


def test_what_would_be_read_back_differently_is_not_recorded() -> None:
    with pytest.raises(TypeError):
        Codec([Lossy]).encode(Lossy(date(2026, 1, 1)))
