"""Names the vector lot behind a product made in the body, so that its recall finds the patient [doses.vector-given].

There is no lot of cells then, and nothing else leads from the patient to what was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Rule, Takes, Wants
from domain.case.treatment import Infusion, Treatment
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Trace, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.doses import codes
from domain.stages.governing import by_class
from domain.stages.treatment.safety import RecallReached

KIND = "trace_vector_lot"


@dataclass(frozen=True, slots=True)
class NameVectorLot:
    """Say which vector lot was given, as its label calls it. `infusion` counts them, 0 = the newest without one."""

    vector_lot: Trace
    infusion: int = 0
    type: Literal["NameVectorLot"] = "NameVectorLot"


@dataclass(frozen=True, slots=True)
class ConfirmVectorLot:
    """The vector lot knows now that it was given to this patient; only the engine says this. `named` is the fact."""

    named: str
    material: Trace
    type: Literal["ConfirmVectorLot"] = "ConfirmVectorLot"


Command = NameVectorLot | ConfirmVectorLot


@dataclass(frozen=True, slots=True)
class VectorLotNamed:
    """What was given in the body came from this vector lot, as its label calls it."""

    infusion: str
    vector_lot: Trace
    type: Literal["VectorLotNamed"] = "VectorLotNamed"


@dataclass(frozen=True, slots=True)
class VectorLotConfirmed:
    """The vector lot was found and knows the patient: its recall reaches the case from now on."""

    infusion: str
    material: Trace
    type: Literal["VectorLotConfirmed"] = "VectorLotConfirmed"


Event = VectorLotNamed | VectorLotConfirmed

TAKES = (
    Takes(NameVectorLot, (VectorLotNamed,), at=stages(Stage.INFUSION), by=Action.ANSWER, answers=("vector_lot",)),
    Takes(ConfirmVectorLot, (VectorLotConfirmed,), at=stages(Stage.INFUSION), by=Action.ENGINE),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide what is said of a vector lot: return the events it brings about. Raises Refused."""
    match command:
        case NameVectorLot():
            return [_named(case, command)]
        case ConfirmVectorLot():
            infusion = next((i for i in case.infusions if i.vector_named == command.named), None)
            if infusion is None:
                raise Refused(Reason.NOT_NOW, "another vector lot was named meanwhile", "named")
            return [] if infusion.vector else [VectorLotConfirmed(infusion.fact, command.material)]
        case _:
            assert_never(command)


def _named(case: Case, c: NameVectorLot) -> VectorLotNamed:
    require(
        readable(c.vector_lot) and codes.folded(str(c.vector_lot)),
        Reason.INVALID,
        "name the vector lot, as its label says",
        "vector_lot",
    )
    given = [i for i in case.infusions if not i.lot]
    require(given, Reason.NOT_NOW, "nothing was given in the body; cells are traced by their lot and unit")
    wanted = [i for i in given if i.number == c.infusion] if c.infusion else [i for i in given if not i.vector][-1:]
    require(wanted or c.infusion, Reason.ALREADY, "the vector lot of each infusion is known; say which one", "infusion")
    require(wanted, Reason.NOT_FOUND, "no such infusion was given in the body", "infusion")
    known = wanted[0].vector
    require(not known, Reason.IRREVERSIBLE, "that vector lot knows the patient already; write a note of it", "infusion")
    return VectorLotNamed(wanted[0].fact, c.vector_lot)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event of a vector lot."""
    event = fact.event
    match event:
        case VectorLotNamed():
            code = event.vector_lot if isinstance(event.vector_lot, str) else ""
            return _with(case, event.infusion, lambda i: replace(i, vector_code=code, vector_named=fact.id))
        case VectorLotConfirmed():
            material = event.material if isinstance(event.material, str) else ""
            return _with(case, event.infusion, lambda i: replace(i, vector=material))
        case _:
            assert_never(event)


def _with(case: Case, infusion: str, change: Callable[[Infusion], Infusion]) -> Case:
    def after(t: Treatment) -> Treatment:
        return replace(t, infusions=tuple(change(i) if i.fact == infusion else i for i in t.infusions))

    return replace(case, treatments=tuple(map(after, case.treatments)))


def _untraced(case: Case) -> Iterable[Infusion]:
    """What was given in the body and nobody can follow; what was told before days were planned after it was not asked.

    Where a person's keys are gone, nobody can say any more what was given.
    """
    if by_class.class_of(case).units or (case.erasure and case.erasure.going):
        return []
    return [i for i in case.infusions if i.monitored and i.lot == "" and not i.vector]


def _to_trace(case: Case) -> Iterable[str]:
    return [i.vector_named for i in case.infusions if i.vector_code and not i.vector]


def _traced(case: Case, named: str) -> bool:
    return not any(i.vector_named == named and not i.vector for i in case.infusions)


def recalled(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[RecallReached]:
    """A recall of a vector lot reaches everybody it was given to, once, whatever became of the case."""
    known = {a.about for a in case.alerts.values() if a.kind == "recall"}
    given = dict.fromkeys(i.vector for i in case.infusions if i.vector)
    return [RecallReached(one) for one in given if case.noted(one).get("state") == "recalled" and one not in known]


RULES = (
    Rule("vector_recall_reaches_the_patient", 1, recalled, ("MaterialStateNoted", "VectorLotConfirmed"),
         (RecallReached,)),
)  # fmt: skip

OWES = (
    Owes(
        "vector_lot",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: [i.fact for i in _untraced(c)],
        lambda c, about: about not in [i.fact for i in _untraced(c)],
    ),
)

WANTS = (Wants(KIND, Party.SUPERVISOR, _to_trace, _traced),)
