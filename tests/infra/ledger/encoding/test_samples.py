"""Every event ever released is still read: a stored sample of each, and no shape changes behind its version's back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import pytest

from domain.core.errors import Reason, Refused
from domain.core.personal import Clinical, Identity
from infra.ledger.encoding.codec import Codec
from infra.ledger.encoding.sealing import unseal
from infra.ledger.encoding.upcasting import UPCASTERS, Upcaster
from tests.infra.ledger.encoding.sampling import EVENTS, KEYS, PLACE, kept_samples, name_of, sample, stored

KEPT = kept_samples()
NOW = {name_of(event): event for event in EVENTS}
CODEC = Codec(EVENTS)


def same_shape(event: type[Any], kept: Mapping[str, Any], upcasters: Mapping[tuple[str, int], Upcaster]) -> bool:
    """Whether this program reads the sample and would write the very same: every field, name, type and key class."""
    row = stored(kept)
    codec = Codec([event], upcasters)
    try:
        encoded = codec.encode(codec.decode(row, KEYS))
    except (Refused, TypeError):
        return False
    opened = unseal(PLACE, row.sealed, KEYS) if row.sealed != "{}" else {}
    return (encoded.data, encoded.secrets) == (kept["data"], opened)


@pytest.mark.parametrize("name", KEPT)
def test_every_sample_is_still_read(name: str) -> None:
    kept = KEPT[name]
    event = CODEC.decode(stored(kept), KEYS)
    assert event.type == kept["type"]
    assert name == f"{kept['type']}-{kept['schema_version']}"


@pytest.mark.parametrize("name", NOW)
def test_every_present_shape_has_a_sample_and_is_as_it_was_stored(name: str) -> None:
    """Red? A new event: `python -m tests.infra.ledger.encoding.sampling`.

    A changed one: a higher schema_version and an upcaster too.
    """
    assert name in KEPT, "no stored sample"
    assert same_shape(NOW[name], KEPT[name], UPCASTERS), "the shape changed and its schema_version did not"


def test_every_older_version_has_its_sample_and_its_upcaster() -> None:
    for event in EVENTS:
        for version in range(1, getattr(event, "schema_version", 1)):
            assert (event.__name__, version) in UPCASTERS
            assert f"{event.__name__}-{version}" in KEPT
    assert {kept["type"] for kept in KEPT.values()} == {event.__name__ for event in EVENTS}


@dataclass(frozen=True, slots=True)
class Seen:
    """The first shape."""

    name: Identity
    grade: int
    type: Literal["Seen"] = "Seen"


@dataclass(frozen=True, slots=True)
class More:
    """A field more, which an old row would not miss."""

    name: Identity
    grade: int
    by: str = ""
    type: Literal["Seen"] = "Seen"


@dataclass(frozen=True, slots=True)
class Less:
    """A field less."""

    name: Identity
    type: Literal["Seen"] = "Seen"


@dataclass(frozen=True, slots=True)
class Other:
    """Another type of the same field."""

    name: Identity
    grade: str
    type: Literal["Seen"] = "Seen"


@dataclass(frozen=True, slots=True)
class Moved:
    """Another key class: what is sealed with another key."""

    name: Clinical
    grade: int
    type: Literal["Seen"] = "Seen"


@dataclass(frozen=True, slots=True)
class Open:
    """No key class: a name that would stand in the open from now on."""

    name: str
    grade: int
    type: Literal["Seen"] = "Seen"


def test_the_check_sees_every_kind_of_change() -> None:
    """Controls: what a reviewer may overlook is not the same shape."""
    kept = sample(Seen)
    assert same_shape(Seen, kept, {})
    for changed in (More, Less, Other, Moved, Open):
        assert not same_shape(changed, kept, {}), changed.__doc__


@dataclass(frozen=True, slots=True)
class Third:
    """Two versions on: the name of the field, then its unit."""

    name: Identity
    per_mille: int
    type: Literal["Seen"] = "Seen"
    schema_version: ClassVar[int] = 3


LIFT: Mapping[tuple[str, int], Upcaster] = {
    ("Seen", 1): lambda old: {"name": old["name"], "percent": old["grade"]},
    ("Seen", 2): lambda old: {"name": old["name"], "per_mille": old["percent"] * 10},
}


def test_an_old_row_is_lifted_step_by_step_and_its_bytes_stay() -> None:
    row = stored(sample(Seen))
    before = replace(row)
    assert Codec([Third], LIFT).decode(row, KEYS) == Third("text", 30)
    assert row == before
    for missing in LIFT:
        with pytest.raises(Refused) as no:
            Codec([Third], {k: v for k, v in LIFT.items() if k != missing}).decode(row, KEYS)
        assert no.value.reason is Reason.NEWER_THAN_ME


def test_a_newer_row_is_refused_by_an_older_program() -> None:
    newer = {**sample(Seen), "schema_version": 2}
    with pytest.raises(Refused) as no:
        Codec([Seen]).decode(stored(newer), KEYS)
    assert no.value.reason is Reason.NEWER_THAN_ME


def test_an_erased_field_of_an_old_row_is_lifted_erased() -> None:
    found = Codec([Third], LIFT).decode(stored(sample(Seen)), {"identity": None})
    assert found.name.value == "erased"
    assert found.per_mille == 30


def test_samples_hold_nothing_of_anybody() -> None:
    for kept in KEPT.values():
        assert set(kept) == {"type", "schema_version", "data", "sealed"}
        assert json.loads(kept["data"]) is not None
