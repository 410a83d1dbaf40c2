"""Centres: registered with what they can do, paused and resumed, reached differently."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.catalogue import read_model
from domain.centre import (
    CentrePaused,
    CentreRegistered,
    CentreResumed,
    ChangeEndpoint,
    EndpointChanged,
    PauseCentre,
    RegisterCentre,
    ResumeCentre,
)
from domain.errors import Reason
from tests.domain.catalogue_steps import given, refused, when

STREAM = "centre-renji"
FIELDS: dict[str, Any] = {
    "name": "Renji Hospital",
    "city": "Shanghai",
    "country": "CN",
    "zone": "Asia/Shanghai",
    "languages": ("zh", "en"),
    "accepts_international": True,
    "capabilities": ("cell_therapy",),
    "source": "seed A88",
    "as_of": date(2026, 5, 15),
    "endpoint": "https://fhir.example/r4",
    "mail": "intl@example.org",
    "callback_key": "-----BEGIN PUBLIC KEY-----",
}
REGISTER = RegisterCentre(**FIELDS)
REGISTERED = CentreRegistered(**FIELDS)


def test_a_centre_is_registered_and_takes_patients() -> None:
    assert when(STREAM, given(STREAM), REGISTER) == [REGISTERED]
    noted = read_model(STREAM, given(STREAM, REGISTERED))
    assert noted == {"paused": False, "country": "CN", "zone": "Asia/Shanghai"}
    assert refused(STREAM, given(STREAM, REGISTERED), REGISTER) == (Reason.ALREADY, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("city", ""),
        ("languages", ()),
        ("source", ""),
        ("country", "China"),
        ("country", "cn"),
        ("zone", "Asia/Atlantis"),
        ("zone", "../../etc"),
        ("capabilities", ("transplant",)),
        ("endpoint", "ftp://fhir.example"),
        ("callback_key", ""),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    assert refused(STREAM, given(STREAM), replace(REGISTER, **{field: value})) == (Reason.INVALID, field)


def test_a_centre_without_an_interface_is_reached_by_mail_and_needs_no_key() -> None:
    by_mail = replace(REGISTER, endpoint="", callback_key="")
    assert when(STREAM, given(STREAM), by_mail) == [replace(REGISTERED, endpoint="", callback_key="")]


def test_paused_and_resumed() -> None:
    state = given(STREAM, REGISTERED)
    assert when(STREAM, state, PauseCentre("no beds")) == [CentrePaused("no beds")]
    assert refused(STREAM, state, PauseCentre("")) == (Reason.INVALID, "reason")
    assert refused(STREAM, state, ResumeCentre()) == (Reason.ALREADY, None)
    paused = given(STREAM, REGISTERED, CentrePaused("no beds"))
    assert read_model(STREAM, paused)["paused"] is True
    assert refused(STREAM, paused, PauseCentre("again")) == (Reason.ALREADY, None)
    assert when(STREAM, paused, ResumeCentre()) == [CentreResumed()]
    assert read_model(STREAM, given(STREAM, REGISTERED, CentrePaused("no beds"), CentreResumed()))["paused"] is False


def test_a_new_endpoint_replaces_address_mail_and_key() -> None:
    state = given(STREAM, REGISTERED)
    new = ChangeEndpoint("https://new.example", "", "key 2")
    changed = EndpointChanged("https://new.example", "", "key 2")
    assert when(STREAM, state, new) == [changed]
    moved = given(STREAM, REGISTERED, changed)
    assert (moved.endpoint, moved.mail, moved.callback_key) == ("https://new.example", "", "key 2")  # type: ignore[union-attr]
    assert refused(STREAM, moved, new) == (Reason.ALREADY, "endpoint")
    assert refused(STREAM, state, replace(new, callback_key="")) == (Reason.INVALID, "callback_key")


@pytest.mark.parametrize("command", [PauseCentre("x"), ResumeCentre(), ChangeEndpoint("", "", "")])
def test_nothing_happens_to_a_centre_that_is_not_there(command: PauseCentre | ResumeCentre | ChangeEndpoint) -> None:
    assert refused(STREAM, given(STREAM), command) == (Reason.NOT_FOUND, None)
