"""Staff: registered, away with cover, back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.catalogue.staff import (
    AbsenceEnded,
    AbsenceSet,
    ChangeRole,
    EndAbsence,
    PersonRegistered,
    RegisterPerson,
    SetAbsence,
    Staff,
)
from domain.catalogue.streams import read_model
from domain.core.errors import Reason
from domain.core.personal import ERASED
from tests.domain.catalogue.steps import NOW, given, refused, when

STREAM = "person-1"
REGISTER = RegisterPerson("coordinator", "asia", "Meera", "meera@example.org", "Asia/Kolkata", "en")
REGISTERED = PersonRegistered("coordinator", "asia", "Meera", "meera@example.org", "Asia/Kolkata", "en")
MONDAY, FRIDAY = NOW + timedelta(days=7), NOW + timedelta(days=11)
AWAY = AbsenceSet(MONDAY, FRIDAY, "person-2")


def test_somebody_joins_once() -> None:
    assert when(STREAM, given(STREAM), REGISTER) == [REGISTERED]
    assert read_model(STREAM, given(STREAM, REGISTERED)) == {"absent_from": None, "absent_until": None, "cover": ""}
    assert refused(STREAM, given(STREAM, REGISTERED), REGISTER) == (Reason.ALREADY, None)


WRONG = [
    ("name", ""),
    ("name", ERASED),
    ("team", ""),
    ("zone", "Mars/Olympus"),
    ("mail", "m@x.org\nBcc: e@evil.example"),
]


CLERK = replace(REGISTER, role="hospital", team="centre-1")


def test_a_clerk_belongs_to_a_centre_and_nobody_else_does() -> None:
    told = when(STREAM, given(STREAM), CLERK)
    assert told == [replace(REGISTERED, role="hospital", team="centre-1")]
    for wrong in (replace(CLERK, team="asia"), replace(CLERK, team=""), replace(REGISTER, team="centre-1")):
        assert refused(STREAM, given(STREAM), wrong) == (Reason.INVALID, "team")
    state = given(STREAM, *told)
    assert refused(STREAM, state, ChangeRole("coordinator", "centre-1")) == (Reason.INVALID, "team")
    assert [e.type for e in when(STREAM, state, ChangeRole("hospital", "centre-2"))] == ["RoleChanged"]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    assert refused(STREAM, given(STREAM), replace(REGISTER, **{field: value})) == (Reason.INVALID, field)


def test_away_with_cover_from_then_until_then() -> None:
    assert when(STREAM, given(STREAM, REGISTERED), SetAbsence(MONDAY, FRIDAY, "person-2")) == [AWAY]
    state = given(STREAM, REGISTERED, AWAY)
    assert isinstance(state, Staff)
    assert read_model(STREAM, state) == {"absent_from": MONDAY, "absent_until": FRIDAY, "cover": "person-2"}
    later = replace(AWAY, until=FRIDAY + timedelta(days=3))
    assert when(STREAM, state, SetAbsence(MONDAY, later.until, "person-2")) == [later]


@pytest.mark.parametrize(
    ("absence", "field"),
    [
        (SetAbsence(FRIDAY, MONDAY, "person-2"), "until"),
        (SetAbsence(NOW - timedelta(days=2), NOW, "person-2"), "until"),
        (SetAbsence(MONDAY, FRIDAY, ""), "cover"),
        (SetAbsence(MONDAY, FRIDAY, "Ravi"), "cover"),
    ],
)
def test_an_absence_lies_ahead_and_names_who_covers(absence: SetAbsence, field: str) -> None:
    assert refused(STREAM, given(STREAM, REGISTERED), absence) == (Reason.INVALID, field)


def test_back_early() -> None:
    state = given(STREAM, REGISTERED, AWAY)
    assert when(STREAM, state, EndAbsence()) == [AbsenceEnded()]
    assert refused(STREAM, state, EndAbsence(), FRIDAY) == (Reason.NOT_NOW, None)
    assert refused(STREAM, given(STREAM, REGISTERED, AWAY, AbsenceEnded()), EndAbsence()) == (Reason.NOT_NOW, None)


@pytest.mark.parametrize("command", [SetAbsence(MONDAY, FRIDAY, "person-2"), EndAbsence()])
def test_nothing_happens_to_somebody_who_is_not_there(command: SetAbsence | EndAbsence) -> None:
    assert refused(STREAM, given(STREAM), command) == (Reason.NOT_FOUND, None)
