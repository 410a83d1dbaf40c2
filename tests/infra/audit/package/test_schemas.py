"""Schemas say what stands in the ledger: every stored sample fits, and what does not belong there does not."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from infra.audit.package.redaction import telling
from infra.audit.package.schemas import schemas, stored_shape
from infra.ledger.encoding.sealing import MARK
from tests.infra.ledger.encoding.sampling import EVENTS, kept_samples, name_of


@pytest.mark.parametrize("event", EVENTS, ids=lambda one: str(one.__name__))
def test_the_stored_sample_fits_its_schema(event: Any) -> None:
    kept = kept_samples()[name_of(event)]
    shape = stored_shape(event)
    shape.model_validate_json(kept["data"])
    with pytest.raises(ValidationError):
        shape.model_validate_json(json.dumps({**json.loads(kept["data"]), "more": 1}))


def test_schemas_are_json_and_name_what_is_not_known() -> None:
    found = schemas(EVENTS, [("PersonAdded", 1), ("Never", 3)])
    assert found["Never-3"] is None
    assert MARK in json.dumps(found["PersonAdded-1"])


def test_a_sealed_value_in_the_clear_does_not_fit() -> None:
    event = next(one for one in EVENTS if one.__name__ == "PersonAdded")
    data = json.loads(kept_samples()[name_of(event)]["data"])
    with pytest.raises(ValidationError):
        stored_shape(event).model_validate_json(json.dumps({**data, "name": "somebody"}))


def test_whatever_is_sealed_or_could_tell_who_it_is_is_telling() -> None:
    kept = kept_samples()
    assert all(telling(one["data"]) for one in kept.values() if MARK in one["data"])
    assert telling(kept["CaseOpened-1"]["data"])
    assert not telling(kept["ObligationMet-1"]["data"])
    assert not telling(kept["ObligationWithdrawn-1"]["data"])
