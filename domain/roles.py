"""Who may do what with which case: one table, role by action → scope and purposes. Everything not in it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from domain.core.roles import Action, Role, Scope

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
        """The purpose, the role's first when none was stated."""
        return self.purpose or PURPOSES[self.role][0]


class Belongs(Protocol):
    """What scope asks of a case."""

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
    },
    Role.SUPERVISOR: {
        **EVERYBODY,
        **STAFF,
        **_row(Scope.ALL, A.SEE, A.SEE_PERSON, A.SEE_CLINICAL, A.OPEN, A.IMPORT, A.COORDINATE, A.SUPERVISE, A.SETTLE),
        **_row(Scope.ALL, A.ERASE, A.NOTE, A.TRANSLATE, A.ANSWER, A.KEEP_CATALOGUE, A.REGISTER_LOT, A.PROVE),
        **_row(Scope.ALL, A.BREAK_GLASS, A.REVIEW_ACCESS, A.SEE_LOOKS),
    },
    Role.REVIEWER: {**EVERYBODY, **STAFF, **_row(Scope.ALL, A.SEE, A.SEE_PERSON, A.SEE_CLINICAL, A.NOTE, A.REVIEW)},
    Role.TRANSLATOR: {**EVERYBODY, **STAFF, **_row(Scope.ALL, A.SEE, A.NOTE, A.TRANSLATE, A.BREAK_GLASS)},
    Role.QUALITY: {
        **EVERYBODY,
        **STAFF,
        **_row(
            Scope.ALL,
            A.SEE,
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
    """Whether this actor may do this, to this case; None = it concerns no case."""
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


REVIEWS = frozenset({"SetUrgency", "SignSummary", "RecordCriterion"})
NOTES = frozenset({"AddNote", "AttachDocument"})
SUPERVISES = frozenset({"MoveOn", "Redate", "ApplyPolicy", "VoidCase", "ReopenCase", "RetractDeath", "WaiveRecord"})
ENGINE_ONLY = frozenset(
    {
        "RecordOutcome",
        "RecordErasure",
        "ReportBounce",
        "HoldDose",
        "RefuseDose",
        "HoldUnit",
        "ExtendHold",
        "FreeUnit",
        "CommitUnit",
        "UseUnit",
    }
)
TOLD_BY_HOSPITALS = frozenset(
    {
        "AcknowledgeSubmission", "AskForMore", "AcceptPatient", "DeclinePatient", "GiveQuote",
        "HoldBed", "RefuseBed", "IssueLetter", "ConfirmTravel", "StopTravel", "AdmitPatient",
        "ConfirmScreening", "FailScreening", "SignGate", "RecordDepletion", "CompleteDepletion", "OmitDepletion",
        "StopDepletion", "AuthoriseInfusion", "CheckIdentity", "StartThaw", "DestroyUnit", "RecordInfusion",
        "PlanInfusions", "DischargePatient", "ReadmitPatient", "DecidePathway", "DeclareFitHome", "DecideRedosing",
        "GiveUpRedosing", "RecordTransplant", "DeclineTransplant",
    }
)  # fmt: skip
"""What only a hospital can say. Observations (toxicity, response, death …) may also reach a coordinator first."""

SPECIAL: Mapping[Action, frozenset[str]] = {
    A.NOTE: NOTES,
    A.REVIEW: REVIEWS,
    A.SUPERVISE: SUPERVISES,
    A.ENGINE: ENGINE_ONLY,
    A.ANSWER: TOLD_BY_HOSPITALS,
    A.OPEN: frozenset({"OpenCase"}),
    A.IMPORT: frozenset({"ImportFacts"}),
    A.TRANSLATE: frozenset({"DeliverTranslation", "CertifyTranslation"}),
    A.SETTLE: frozenset({"SettleEffect"}),
    A.ERASE: frozenset({"OrderErasure", "ConfirmErasure", "WithdrawErasure"}),
    A.BREAK_GLASS: frozenset({"BreakGlass"}),
    A.REVIEW_ACCESS: frozenset({"ReviewAccess"}),
    A.REGISTER_LOT: frozenset({"RegisterLot"}),
    A.STOP_LOT: frozenset({"QuarantineLot"}),
    A.RELEASE_LOT: frozenset({"ReleaseLot", "RecallLot", "SettleUnit"}),
    A.KEEP_CATALOGUE: frozenset(
        {
            "RegisterProtocol", "AmendProtocol", "ConfirmProtocolOpen", "CloseProtocol", "RegisterCentre",
            "PauseCentre", "ResumeCentre", "ChangeEndpoint", "RegisterPerson", "SetAbsence", "EndAbsence",
        }
    ),
}  # fmt: skip

_ACTIONS = {name: action for action, names in SPECIAL.items() for name in names}


def action_of(command: str) -> Action:
    """What sending a command of that type is. A case's command that is nowhere else is a coordinator's."""
    return _ACTIONS.get(command, A.COORDINATE)
