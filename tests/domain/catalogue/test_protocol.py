"""Protocols: registered, amended, open on a lease, closed."""

from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.catalogue.product import Depletion
from domain.catalogue.protocol import (
    AmendProtocol,
    CloseProtocol,
    ConfirmProtocolOpen,
    ProtocolAmended,
    ProtocolClosed,
    ProtocolOpenConfirmed,
    ProtocolRegistered,
    RegisterProtocol,
)
from domain.catalogue.streams import read_model
from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.criteria.criterion import Comparison, Criterion
from tests.domain.catalogue.steps import NOW, given, refused, when

STREAM = "protocol-nct00000001"
FIELDS: dict[str, Any] = {
    "registry": "NCT00000001",
    "title": "A trial",
    "product": "X-1",
    "product_class": "allogeneic",
    "targets": ("CD19",),
    "diseases": ("B-ALL",),
    "phase": "1",
    "centre": "centre-renji",
    "planned_infusions": 3,
    "lymphodepletion_planned": True,
    "source": "registry page",
    "as_of": date(2026, 3, 1),
}
REGISTER = RegisterProtocol(**FIELDS)
REGISTERED = ProtocolRegistered(**FIELDS)
LEASE = NOW + timedelta(days=28)
CONFIRMED = ProtocolOpenConfirmed(LEASE, "Dr Li")
FOR_WHOM = {"centre": "centre-renji", "diseases": ("B-ALL",), "product_class": "allogeneic", "product": "X-1"}
"""What a choice is held against, beside how it stands."""


def test_a_protocol_is_registered_and_not_open_by_that() -> None:
    assert when(STREAM, given(STREAM), REGISTER) == [REGISTERED]
    assert read_model(STREAM, given(STREAM, REGISTERED)) == {
        "open": False,
        "open_until": None,
        "planned_infusions": 3,
        "number": 1,
        **FOR_WHOM,
    }


@pytest.mark.parametrize("name", ["registry", "title", "product", "targets", "diseases", "source"])
def test_what_names_a_protocol_is_never_empty(name: str) -> None:
    empty: Any = () if isinstance(FIELDS[name], tuple) else ""
    assert refused(STREAM, given(STREAM), replace(REGISTER, **{name: empty})) == (Reason.INVALID, name)


def test_no_infusion_planned_is_no_protocol_and_a_centre_is_a_stream() -> None:
    assert refused(STREAM, given(STREAM), replace(REGISTER, planned_infusions=0)) == (
        Reason.INVALID,
        "planned_infusions",
    )
    assert refused(STREAM, given(STREAM), replace(REGISTER, planned_infusions=10**12))[1] == "planned_infusions"
    far = (Depletion(drug="fludarabine", days=(-5, -99_999)),)
    assert refused(STREAM, given(STREAM), replace(REGISTER, lymphodepletion=far))[1] == "lymphodepletion"
    assert refused(STREAM, given(STREAM), replace(REGISTER, centre="Renji")) == (Reason.INVALID, "centre")


def test_criteria_that_cannot_be_read_are_refused_and_others_are_kept_and_amended() -> None:
    unsound = Criterion(id="a", kind="inclusion", words="w", ways=((Comparison(analyte="sodium", op=">", value="1"),),))
    assert refused(STREAM, given(STREAM), replace(REGISTER, criteria=(unsound,))) == (Reason.INVALID, "criteria")
    organs = Criterion(id="organs", kind="inclusion", words="adequate")
    [event] = when(STREAM, given(STREAM), replace(REGISTER, criteria=(organs,)))
    state = given(STREAM, event)
    assert read_model(STREAM, state)["criteria"] == (organs,)
    amended = AmendProtocol(**FIELDS, criteria=(replace(organs, words="adequate, see 5.2"),), label="v2", change="5.2")
    assert read_model(STREAM, given(STREAM, event, *when(STREAM, state, amended)))["criteria"] == amended.criteria
    assert "criteria" not in read_model(STREAM, given(STREAM, REGISTERED)), "as rows of before there were any"


def test_registering_twice_is_refused() -> None:
    assert refused(STREAM, given(STREAM, REGISTERED), REGISTER) == (Reason.ALREADY, None)


def test_open_is_a_lease_confirmed_by_somebody_named() -> None:
    state = given(STREAM, REGISTERED)
    assert when(STREAM, state, ConfirmProtocolOpen(LEASE, "Dr Li")) == [CONFIRMED]
    assert read_model(STREAM, given(STREAM, REGISTERED, CONFIRMED)) == {
        "open": True,
        "open_until": LEASE,
        "planned_infusions": 3,
        "number": 1,
        **FOR_WHOM,
    }
    assert refused(STREAM, state, ConfirmProtocolOpen(NOW, "Dr Li")) == (Reason.INVALID, "until")
    assert refused(STREAM, state, ConfirmProtocolOpen(LEASE, "")) == (Reason.INVALID, "by")
    assert refused(STREAM, state, ConfirmProtocolOpen(LEASE, ERASED)) == (Reason.INVALID, "by")


def test_a_closed_protocol_is_not_open_until_confirmed_again() -> None:
    opened = given(STREAM, REGISTERED, CONFIRMED)
    closed = ProtocolClosed("on_hold", "by the authority")
    assert when(STREAM, opened, CloseProtocol("on_hold", "by the authority")) == [closed]
    shut = given(STREAM, REGISTERED, CONFIRMED, closed)
    assert read_model(STREAM, shut) == {
        "open": False, "open_until": None, "planned_infusions": 3, "number": 1, **FOR_WHOM, "shut": True,
    }  # fmt: skip
    assert refused(STREAM, shut, CloseProtocol("completed")) == (Reason.ALREADY, None)
    assert when(STREAM, shut, ConfirmProtocolOpen(LEASE, "Dr Li")) == [CONFIRMED]


def test_an_amendment_is_the_next_version_of_the_same_protocol() -> None:
    amend = AmendProtocol(**{**FIELDS, "planned_infusions": 1}, label="v4.0", change="one infusion only")
    amended = ProtocolAmended(**{**FIELDS, "planned_infusions": 1}, number=2, label="v4.0", change="one infusion only")
    assert when(STREAM, given(STREAM, REGISTERED), amend) == [amended]
    state = given(STREAM, REGISTERED, CONFIRMED, amended)
    assert read_model(STREAM, state) == {
        "open": True,
        "open_until": LEASE,
        "planned_infusions": 1,
        "number": 2,
        **FOR_WHOM,
    }
    [third] = when(STREAM, state, replace(amend, label="v5.0"))
    assert asdict(third) == asdict(replace(amended, number=3, label="v5.0"))
    assert refused(STREAM, state, replace(amend, registry="NCT2")) == (Reason.INVALID, "registry")
    assert refused(STREAM, state, replace(amend, change="")) == (Reason.INVALID, "change")


@pytest.mark.parametrize(
    "command",
    [ConfirmProtocolOpen(LEASE, "Dr Li"), CloseProtocol("other"), AmendProtocol(**FIELDS, label="v2", change="x")],
)
def test_nothing_happens_to_a_protocol_that_is_not_there(
    command: ConfirmProtocolOpen | CloseProtocol | AmendProtocol,
) -> None:
    assert refused(STREAM, given(STREAM), command) == (Reason.NOT_FOUND, None)
