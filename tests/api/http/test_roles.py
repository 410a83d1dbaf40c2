"""One test per cell: role by action, on a case of their own, of their team, of nobody, of another team, of a centre."""

from __future__ import annotations

from typing import get_args

import pytest

from api.http.access import Belonging
from domain.catalogue.staff import Role as StaffRole
from domain.catalogue.streams import COMMANDS as CATALOGUE
from domain.core.roles import Action, Role, Scope
from domain.journey import COMMANDS
from domain.roles import PURPOSES, Actor, _within, action_of, allow
from infra.hospitals.codes import SAYS

CASES = {
    "own": Belonging("person-me", "", frozenset()),
    "team": Belonging("person-other", "asia", frozenset()),
    "untaken": Belonging("", "", frozenset()),
    "centre": Belonging("person-other", "europe", frozenset({"centre-mine"})),
    "foreign": Belonging("person-other", "europe", frozenset({"centre-other"})),
}
# all = every case, team = own, team's and untaken ones, centre = those put before it, - = none
TABLE = """
                coordinator supervisor reviewer translator quality hospital auditor operator machine
see             team        all        all      all        all     centre   all     all      all
see_person      team        all        all      -          -       centre   -       -        all
see_clinical    team        all        all      -          -       centre   -       -        all
open            all         all        -        -          -       -        -       -        all
coordinate      team        all        -        -          -       -        -       -        all
note            team        all        all      all        -       -        -       -        all
translate       team        all        -        all        -       -        -       -        all
review          -           -          all      -          -       -        -       -        all
correct_cause   team        all        -        -          all     -        -       -        all
supervise       -           all        -        -          -       -        -       -        all
answer          -           all        -        -          -       centre   -       -        all
erase           -           all        -        -          all     -        -       -        all
settle          team        all        -        -          -       -        -       all      all
import          all         all        -        -          -       -        -       -        all
break_glass     all         all        -        all        all     -        all     all      all
review_access   -           all        -        -          all     -        -       -        all
see_looks       -           all        -        -          all     -        all     -        all
engine          -           -          -        -          -       -        -       -        -
see_staff       all         all        all      all        all     -        all     all      all
prove           -           all        -        -          all     -        all     all      all
see_catalogue   all         all        all      all        all     all      all     all      all
keep_catalogue  -           all        -        -          -       -        -       all      all
govern          -           all        -        -          all     -        -       -        all
register_lot    -           all        -        -          all     -        -       -        all
stop_lot        all         all        all      all        all     all      -       all      all
release_lot     -           -          -        -          all     -        -       -        all
"""
REACH = {"all": set(CASES), "team": {"own", "team", "untaken"}, "centre": {"centre"}, "-": set()}


def cells() -> list[tuple[str, str, str]]:
    head, *rows = (line.split() for line in TABLE.strip().splitlines())  # the head has no first column
    return [(role, row[0], cell) for row in rows for role, cell in zip(head, row[1:], strict=True)]


@pytest.mark.parametrize(("role", "action", "reach"), cells())
def test_cell(role: str, action: str, reach: str) -> None:
    actor = Actor("person-me", Role(role), "asia", "centre-mine")
    assert {name for name, case in CASES.items() if allow(actor, Action(action), case)} == REACH[reach]
    assert allow(actor, Action(action)) == (reach != "-")


def test_the_table_is_whole() -> None:
    assert {(role, action) for role, action, _ in cells()} == {(r.value, a.value) for r in Role for a in Action}
    assert set(get_args(StaffRole)) <= {role.value for role in Role}


@pytest.mark.parametrize("role", Role)
def test_a_purpose_of_others_allows_nothing(role: Role) -> None:
    foreign = next(p for theirs in PURPOSES.values() for p in theirs if p not in PURPOSES[role])
    actor = Actor("person-me", role, "asia", "centre-mine", foreign)
    assert not any(allow(actor, action, case) for action in Action for case in CASES.values())


def test_own_is_own() -> None:
    actor = Actor("person-me", Role.COORDINATOR, "asia")
    assert {name for name, case in CASES.items() if _within(actor, Scope.OWN, case)} == {"own"}


def test_a_team_without_a_name_is_no_team() -> None:
    actor = Actor("person-me", Role.COORDINATOR, "")
    assert not allow(actor, Action.SEE, Belonging("person-other", "", frozenset()))


def test_every_command_is_something_that_a_role_may_or_may_not() -> None:
    assert {action_of(c.__name__) for c in (*COMMANDS, *CATALOGUE)} <= set(Action)
    assert all(action_of(c.__name__) is not Action.COORDINATE for c in CATALOGUE)
    with pytest.raises(KeyError):
        action_of("NoSuchCommand")


def test_what_only_hospitals_say_they_can_say() -> None:
    assert set(SAYS) >= {c.__name__ for c in COMMANDS if action_of(c.__name__) is Action.ANSWER}


def test_nobody_speaks_for_the_engine() -> None:
    assert action_of("RecordOutcome") is Action.ENGINE
