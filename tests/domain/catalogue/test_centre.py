"""Centres: registered with what they can do, paused and resumed, reached differently."""

import base64
import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.catalogue.centre import (
    CentrePaused,
    CentreRegistered,
    CentreResumed,
    ChangeEndpoint,
    EndpointChanged,
    PauseCentre,
    RegisterCentre,
    ResumeCentre,
)
from domain.catalogue.streams import read_model
from domain.core.errors import Reason
from infra.hospitals.callbacks import read_key
from tests.domain.catalogue.steps import given, refused, when

STREAM = "centre-renji"
RAW = bytes(range(32))
KEY = base64.b64encode(RAW).decode()
OTHER_KEY = base64.b64encode(RAW[::-1]).decode()
DER = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + RAW).decode()
PEM = f"-----BEGIN PUBLIC KEY-----\n{DER}\n-----END PUBLIC KEY-----\n"
JWK = {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(RAW).decode().rstrip("=")}
FIELDS: dict[str, Any] = {
    "name": "Renji Hospital",
    "city": "Shanghai",
    "country": "CN",
    "zone": "Asia/Shanghai",
    "languages": ("zh", "en"),
    "accepts_international": True,
    "capabilities": ("cell_therapy",),
    "source": "a published guide",
    "as_of": date(2026, 5, 15),
    "endpoint": "https://fhir.example/r4",
    "mail": "intl@example.org",
    "callback_key": KEY,
}
REGISTER = RegisterCentre(**FIELDS)
REGISTERED = CentreRegistered(**FIELDS)


def test_a_centre_is_registered_and_takes_patients() -> None:
    assert when(STREAM, given(STREAM), REGISTER) == [REGISTERED]
    noted = read_model(STREAM, given(STREAM, REGISTERED))
    assert noted == {
        "paused": False, "country": "CN", "zone": "Asia/Shanghai",
        "accepts_international": REGISTER.accepts_international, "capabilities": REGISTER.capabilities,
    }  # fmt: skip
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
        ("callback_key", "-----BEGIN PUBLIC KEY-----"),
        ("callback_key", PEM.replace("PUBLIC", "PRIVATE")),
        ("callback_key", PEM.replace("MCowBQYDK2Vw", "MCowBQYDK2Vu")),  # X25519, which signs nothing
        ("callback_key", json.dumps({**JWK, "crv": "X25519"})),
        ("callback_key", json.dumps({**JWK, "d": JWK["x"]})),
        ("callback_key", json.dumps({**JWK, "x": "AAAA"})),
        ("callback_key", "[1]"),
        ("callback_key", "{"),
        ("callback_key", base64.b64encode(RAW[:31]).decode()),
        ("callback_key", "not base64 at all"),
        ("country", "XX"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    assert refused(STREAM, given(STREAM), replace(REGISTER, **{field: value})) == (Reason.INVALID, field)


@pytest.mark.parametrize("given_as", [KEY, PEM, json.dumps(JWK), f"  {KEY}\n"], ids=["base64", "pem", "jwk", "spaces"])
def test_a_key_is_kept_as_the_reader_of_callbacks_takes_it(given_as: str) -> None:
    [registered] = when(STREAM, given(STREAM), replace(REGISTER, callback_key=given_as))
    assert registered == REGISTERED
    assert read_key(KEY) == RAW
    state = given(STREAM, REGISTERED)
    same = ChangeEndpoint(FIELDS["endpoint"], FIELDS["mail"], given_as)
    assert refused(STREAM, state, same) == (Reason.ALREADY, "endpoint")


@pytest.mark.parametrize(
    "mail", ["intl", "a@b@c", "Desk <intl@example.org>", "a@example.org, b@example.org", "a\nb@x", "\x1b[2J@x.org"]
)
def test_what_is_no_mail_address_is_refused_by_name(mail: str) -> None:
    assert refused(STREAM, given(STREAM), replace(REGISTER, mail=mail)) == (Reason.INVALID, "mail")


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
    new = ChangeEndpoint("https://new.example", "", OTHER_KEY)
    changed = EndpointChanged("https://new.example", "", OTHER_KEY)
    assert when(STREAM, state, new) == [changed]
    moved = given(STREAM, REGISTERED, changed)
    assert (moved.endpoint, moved.mail, moved.callback_key) == ("https://new.example", "", OTHER_KEY)  # type: ignore[union-attr]
    assert refused(STREAM, moved, new) == (Reason.ALREADY, "endpoint")
    assert refused(STREAM, state, replace(new, callback_key="")) == (Reason.INVALID, "callback_key")


@pytest.mark.parametrize("command", [PauseCentre("x"), ResumeCentre(), ChangeEndpoint("", "", "")])
def test_nothing_happens_to_a_centre_that_is_not_there(command: PauseCentre | ResumeCentre | ChangeEndpoint) -> None:
    assert refused(STREAM, given(STREAM), command) == (Reason.NOT_FOUND, None)
