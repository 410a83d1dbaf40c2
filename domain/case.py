"""The unions over all stages: every command, every event, one decide and one evolve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, assert_never, get_args

from domain import effects, obligations
from domain.errors import Reason, Refused, require
from domain.fact import Draft, Fact, Ids
from domain.journey import ACCEPTED, accepting_stages
from domain.policy import Policy
from domain.stages import (
    admission,
    anytime,
    bed,
    closing,
    correcting,
    dose,
    eligibility,
    follow_up,
    infusion,
    inquiry,
    lymphodepletion,
    moving,
    observations,
    records,
    redosing,
    sources,
    transplant,
    visa,
)
from domain.state import Case
from domain.when import When

Command = (
    inquiry.Command
    | records.Command
    | eligibility.Command
    | dose.Command
    | bed.Command
    | visa.Command
    | admission.Command
    | lymphodepletion.Command
    | infusion.Command
    | observations.Command
    | redosing.Command
    | transplant.Command
    | follow_up.Command
    | closing.Command
    | anytime.Command
    | moving.MoveOn
    | correcting.CorrectFact
    | effects.RecordOutcome
)

Event = (
    inquiry.Event
    | records.Event
    | eligibility.Event
    | dose.Event
    | bed.Event
    | visa.Event
    | admission.Event
    | lymphodepletion.Event
    | infusion.Event
    | observations.Event
    | redosing.Event
    | transplant.Event
    | follow_up.Event
    | closing.Event
    | anytime.Event
    | moving.StageEntered
    | correcting.FactCorrected
    | sources.Event
    | obligations.Event
    | effects.Event
)

COMMANDS: tuple[type[Any], ...] = get_args(Command)
EVENTS: tuple[type[Any], ...] = get_args(Event)

FUTURE = timedelta(minutes=5)
"""How far a reported instant may lie ahead of the ledger's clock before it is refused: clocks differ."""


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Draft[Event]]:
    """What a command brings about, or Refused with nothing recorded. The journey table is asked first."""
    _accepted_here(case, command)
    occurred: When | None = getattr(command, "occurred", None)
    if occurred is not None and occurred.earliest is not None:
        require(occurred.earliest <= now + FUTURE, Reason.INVALID, "a fact lies in the past", "occurred")
    if isinstance(command, correcting.CorrectFact):
        return _correct(case, command, now, ids, policy)
    return [Draft(event, ids(), occurred) for event in _events(case, command, now, ids, policy)]


def _accepted_here(case: Case, command: Command) -> None:
    opening = isinstance(command, inquiry.OpenCase)
    require(opening or case.version > 0, Reason.NOT_FOUND, "no such case")
    if opening or isinstance(command, ACCEPTED[case.stage]):
        return
    where = ", ".join(accepting_stages(type(command)))
    raise Refused(Reason.NOT_NOW, f"{command.type} is accepted in: {where}; the case stands at {case.stage}", "type")


def _events(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    if isinstance(command, inquiry.Command):
        return inquiry.decide(case, command, now, ids, policy)
    if isinstance(command, records.Command):
        return records.decide(case, command, now, ids, policy)
    if isinstance(command, eligibility.Command):
        return eligibility.decide(case, command, now, ids, policy)
    if isinstance(command, dose.Command):
        return dose.decide(case, command, now, ids, policy)
    if isinstance(command, bed.Command):
        return bed.decide(case, command, now, ids, policy)
    if isinstance(command, visa.Command):
        return visa.decide(case, command, now, ids, policy)
    if isinstance(command, admission.Command):
        return admission.decide(case, command, now, ids, policy)
    if isinstance(command, lymphodepletion.Command):
        return lymphodepletion.decide(case, command, now, ids, policy)
    if isinstance(command, infusion.Command):
        return infusion.decide(case, command, now, ids, policy)
    if isinstance(command, observations.Command):
        return observations.decide(case, command, now, ids, policy)
    if isinstance(command, redosing.Command):
        return redosing.decide(case, command, now, ids, policy)
    if isinstance(command, transplant.Command):
        return transplant.decide(case, command, now, ids, policy)
    if isinstance(command, follow_up.Command):
        return follow_up.decide(case, command, now, ids, policy)
    if isinstance(command, closing.Command):
        return closing.decide(case, command, now, ids, policy)
    if isinstance(command, anytime.Command):
        return anytime.decide(case, command, now, ids, policy)
    if isinstance(command, moving.MoveOn):
        return moving.decide(case, command, now, ids, policy)
    if isinstance(command, effects.RecordOutcome):
        return effects.decide(case, command, now, policy)
    if isinstance(command, correcting.CorrectFact):
        raise TypeError("a correction is not corrected again; correct the newest version of the fact")
    assert_never(command)


def _correct(case: Case, c: correcting.CorrectFact, now: datetime, ids: Ids, policy: Policy) -> Sequence[Draft[Event]]:
    wrong = case.correctable.get(c.fact)
    require(wrong, Reason.NOT_FOUND, "no such fact that can be corrected", "fact")
    before = replace(case, died="") if wrong == "DeathReported" else case
    right = _events(_unthawed(before, wrong), c.correction, now, ids, policy)
    kinds = {event.type for event in right}
    require(kinds == {wrong}, Reason.INVALID, f"a {wrong} is corrected by another {wrong}", "correction")
    occurred: When | None = getattr(c.correction, "occurred", None)
    explained: Draft[Event] = Draft(correcting.FactCorrected(c.fact, c.reason), ids())
    return [explained, *(Draft(event, ids(), occurred, corrects=c.fact) for event in right)]


def _unthawed(case: Case, wrong: str | None) -> Case:
    """A corrected infusion is decided as if its unit were still at the bedside."""
    if wrong != "InfusionCompleted" or case.treatment is None:
        return case
    open_again = replace(case.treatment, thawed="corrected", planned_infusions=len(case.treatment.infusions) + 1)
    return replace(case, treatments=(*case.treatments[:-1], open_again))


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one recorded event. Never fails on anything that was recorded."""
    folded = _fold(case, fact)
    people = folded.people_version if fact.why or fact.actor.startswith("engine") else folded.people_version + 1
    return replace(
        folded,
        version=fact.version,
        people_version=people,
        seen={**folded.seen, fact.event.type: fact.id},
        correctable={**folded.correctable, fact.id: fact.event.type}
        if fact.event.type in CORRECTABLE
        else folded.correctable,
    )


CORRECTABLE = frozenset(
    {e.__name__ for e in get_args(observations.Event)}
    | {"TransplantGiven", "InfusionCompleted", "DepletionGiven", "PassportRecorded", "VisaGranted"}
)


def _fold(case: Case, fact: Fact[Any]) -> Case:
    event: Event = fact.event
    if isinstance(event, obligations.Event):
        return replace(case, obligations=obligations.evolve(case.obligations, fact))
    if isinstance(event, effects.Event):
        return _effect(case, fact)
    if isinstance(event, sources.Event):
        return sources.evolve(case, fact)
    if isinstance(event, moving.StageEntered):
        return moving.evolve(case, fact)
    if isinstance(event, inquiry.Event):
        return inquiry.evolve(case, fact)
    if isinstance(event, records.Event):
        return records.evolve(case, fact)
    if isinstance(event, eligibility.Event):
        return eligibility.evolve(case, fact)
    if isinstance(event, dose.Event):
        return dose.evolve(case, fact)
    if isinstance(event, bed.Event):
        return bed.evolve(case, fact)
    if isinstance(event, visa.Event):
        return visa.evolve(case, fact)
    if isinstance(event, admission.Event):
        return admission.evolve(case, fact)
    if isinstance(event, lymphodepletion.Event):
        return lymphodepletion.evolve(case, fact)
    if isinstance(event, infusion.Event):
        return infusion.evolve(case, fact)
    if isinstance(event, observations.Event):
        return observations.evolve(case, fact)
    if isinstance(event, redosing.Event):
        return redosing.evolve(case, fact)
    if isinstance(event, transplant.Event):
        return transplant.evolve(case, fact)
    if isinstance(event, follow_up.Event):
        return follow_up.evolve(case, fact)
    if isinstance(event, closing.Event):
        return closing.evolve(case, fact)
    if isinstance(event, anytime.Event):
        return anytime.evolve(case, fact)
    if isinstance(event, correcting.FactCorrected):
        return case
    assert_never(event)


def _effect(case: Case, fact: Fact[effects.Event]) -> Case:
    """An effect's outcome; what a delivered release gave back is no longer held."""
    folded = replace(case, effects=effects.evolve(case.effects, fact))
    if not isinstance(fact.event, effects.EffectDelivered):
        return folded
    done = folded.effects.get(fact.event.effect)
    track = closing.RELEASED_BY.get(done.kind) if done else None
    match track:
        case "dose":
            return replace(folded, dose=folded.dose.ended("released", fact.id))
        case "bed":
            return replace(folded, bed=folded.bed.ended("released", fact.id))
        case "letter":
            return replace(folded, letter=folded.letter.ended("released", fact.id))
        case "travel":
            return replace(folded, travel=folded.travel.ended("released", fact.id))
        case _:
            return folded


def fold(facts: Iterable[Fact[Event]], start: Case | None = None) -> Case:
    """The case as of its facts; a superseded fact is left out and its correction takes its place."""
    ordered = list(facts)
    corrections: dict[str, Fact[Event]] = {f.corrects: f for f in ordered if f.corrects}
    case = start or Case()
    for fact in ordered:
        if fact.corrects:
            case = replace(case, version=fact.version, people_version=case.people_version + 1)
            continue
        case = evolve(case, _superseded(fact, corrections))
    return case


def _superseded(fact: Fact[Event], corrections: dict[str, Fact[Event]]) -> Fact[Event]:
    """The newest correction of a fact in that fact's own place, under its own id."""
    newest = fact
    while newest.id in corrections:
        newest = corrections[newest.id]
    if newest is fact:
        return fact
    return replace(fact, event=newest.event, occurred=newest.occurred)
