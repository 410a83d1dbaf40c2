"""Says who may do what with which case: role by action → scope and purposes. Everything not in it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from domain.catalogue.streams import CATALOGUE
from domain.core.roles import Action, Role, Scope
from domain.journey import TAKES
from domain.recalls.recall import BY as RECALL

CARE = "care_coordination"
PURPOSES: Mapping[Role, tuple[str, ...]] = {
    Role.COORDINATOR: (CARE,),
    Role.SUPERVISOR: (CARE, "quality_assurance"),
    Role.REVIEWER: ("medical_review", CARE),
    Role.TRANSLATOR: ("translation",),
    Role.QUALITY: ("quality_assurance",),
    Role.HOSPITAL: ("treatment",),
    Role.AUDITOR: ("audit",),
    Role.OPERATOR: ("operation",),
    Role.MACHINE: ("operation", CARE),
}
"""What each role may say it looks or acts for; the first is taken when nothing is said."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks. `id` is opaque: a person's or a centre's stream."""

    id: str
    role: Role
    team: str = ""
    centre: str = ""
    purpose: str = ""

    @property
    def stated(self) -> str:
        """Return the purpose, the role's first when none was stated."""
        return self.purpose or PURPOSES[self.role][0]


def of_staff(person: str, role: str, team: str) -> Actor:
    """Return the actor that somebody registered is; the team of a hospital's clerk is the centre they speak for."""
    clerk = role == Role.HOSPITAL.value
    return Actor(person, Role(role), "" if clerk else team, team if clerk else "")


class Belongs(Protocol):
    """Answers what scope asks of a case."""

    @property
    def owner(self) -> str: ...
    @property
    def team(self) -> str: ...
    @property
    def centres(self) -> frozenset[str]: ...
    @property
    def broken(self) -> frozenset[str]: ...


def _row(scope: Scope, *actions: Action) -> dict[Action, Scope]:
    return dict.fromkeys(actions, scope)


A = Action
EVERYBODY = _row(Scope.ALL, A.SEE_CATALOGUE, A.STOP_LOT)
STAFF = _row(Scope.ALL, A.SEE_STAFF)
ALLOWED: Mapping[Role, Mapping[Action, Scope]] = {
    Role.COORDINATOR: {
        **EVERYBODY,
        **STAFF,
        **_row(Scope.ALL, A.OPEN, A.IMPORT, A.BREAK_GLASS),
        **_row(Scope.TEAM, A.SEE, A.SEE_PERSON, A.SEE_CLINICAL, A.COORDINATE, A.NOTE, A.TRANSLATE, A.SETTLE),
        **_row(Scope.TEAM, A.CORRECT_CAUSE),
    },
    Role.SUPERVISOR: {
        **EVERYBODY,
        **STAFF,
        **_row(Scope.ALL, A.SEE, A.SEE_PERSON, A.SEE_CLINICAL, A.OPEN, A.IMPORT, A.COORDINATE, A.SUPERVISE, A.SETTLE),
        **_row(Scope.ALL, A.ERASE, A.NOTE, A.TRANSLATE, A.ANSWER, A.KEEP_CATALOGUE, A.GOVERN, A.REGISTER_LOT, A.PROVE),
        **_row(Scope.ALL, A.BREAK_GLASS, A.REVIEW_ACCESS, A.SEE_LOOKS, A.CORRECT_CAUSE),
    },
    Role.REVIEWER: {**EVERYBODY, **STAFF, **_row(Scope.ALL, A.SEE, A.SEE_PERSON, A.SEE_CLINICAL, A.NOTE, A.REVIEW)},
    Role.TRANSLATOR: {**EVERYBODY, **STAFF, **_row(Scope.ALL, A.SEE, A.NOTE, A.TRANSLATE, A.BREAK_GLASS)},
    Role.QUALITY: {
        **EVERYBODY,
        **STAFF,
        **_row(
            Scope.ALL,
            A.SEE,
            A.CORRECT_CAUSE,
            A.GOVERN,
            A.REGISTER_LOT,
            A.RELEASE_LOT,
            A.ERASE,
            A.BREAK_GLASS,
            A.REVIEW_ACCESS,
            A.SEE_LOOKS,
            A.PROVE,
        ),
    },
    Role.HOSPITAL: {**EVERYBODY, **_row(Scope.CENTRE, A.SEE, A.SEE_PERSON, A.SEE_CLINICAL, A.ANSWER)},
    Role.AUDITOR: {**STAFF, **_row(Scope.ALL, A.SEE_CATALOGUE, A.SEE, A.SEE_LOOKS, A.BREAK_GLASS, A.PROVE)},
    Role.OPERATOR: {**EVERYBODY, **STAFF, **_row(Scope.ALL, A.SEE, A.SETTLE, A.KEEP_CATALOGUE, A.BREAK_GLASS, A.PROVE)},
    Role.MACHINE: _row(Scope.ALL, *(a for a in A if a is not A.ENGINE)),
}
"""Role → action → of which cases. A supervisor may enter what a hospital said by telephone, recorded as theirs.

Whoever holds database and keys can do everything; the table says so."""


def allow(actor: Actor, action: Action, case: Belongs | None = None) -> bool:
    """Return whether this actor may do this, to this case; None = it concerns no case."""
    if action in GLASS and case is not None and actor.id in case.broken:
        return actor.stated in PURPOSES[actor.role]
    scope = ALLOWED[actor.role].get(action)
    if scope is None or actor.stated not in PURPOSES[actor.role]:
        return False
    return case is None or _within(actor, scope, case)


GLASS = frozenset({Action.SEE, Action.SEE_PERSON, Action.SEE_CLINICAL})
"""What breaking the glass opens: reading, never acting."""


def _within(actor: Actor, scope: Scope, case: Belongs) -> bool:
    match scope:
        case Scope.ALL:
            return True
        case Scope.OWN:
            return case.owner == actor.id
        case Scope.TEAM:
            untaken = not (case.owner or case.team)
            return untaken or case.owner == actor.id or (bool(actor.team) and case.team == actor.team)
        case Scope.CENTRE:
            return bool(actor.centre) and actor.centre in case.centres


_ACTIONS: Mapping[str, Action] = {
    **{command.__name__: row.by for command, row in TAKES.items()},
    **{command.__name__: by for kind in CATALOGUE.values() for command, by in kind.by.items()},
    **{command.__name__: by for command, by in RECALL.items()},
}


def action_of(command: str) -> Action:
    """Say what sending a command of that type is, by the row of the command. Raises KeyError for no command."""
    return _ACTIONS[command]
