"""The unions over all stages: every command, every event, one decide and one evolve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never, get_args

from domain.case import effect as effects
from domain.case import obligation as obligations
from domain.case.state import Case
from domain.case.track import given_back, perhaps_acquired
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Draft, Fact, Ids
from domain.core.policy import Policy
from domain.core.when import When
from domain.journey import ACCEPTED, accepting_stages
from domain.stages.anytime import access, correcting, erasing, holding, moving, notes, reconsidering, watching
from domain.stages.eligibility import eligibility, quote, submissions
from domain.stages.follow_up import acquired, closing, follow_up
from domain.stages.intake import importing, inquiry, people
from domain.stages.records import dossier, records
from domain.stages.travel import letter, travel, visa
from domain.stages.treatment import (
    admission,
    bed,
    dose,
    infusion,
    lymphodepletion,
    observations,
    recovery,
    redosing,
    safety,
    transplant,
)

Command = (
    inquiry.Command
    | people.Command
    | records.Command
    | dossier.Command
    | submissions.Command
    | eligibility.Command
    | quote.Command
    | dose.Command
    | bed.Command
    | acquired.Command
    | letter.Command
    | visa.Command
    | travel.Command
    | admission.Command
    | lymphodepletion.Command
    | infusion.Command
    | recovery.Command
    | observations.Command
    | safety.Command
    | redosing.Command
    | transplant.Command
    | follow_up.Command
    | closing.Command
    | holding.Command
    | notes.Command
    | erasing.Command
    | access.Command
    | importing.ImportFacts
    | moving.MoveOn
    | correcting.CorrectFact
    | reconsidering.Command
    | effects.Command
)

Event = (
    inquiry.Event
    | people.Event
    | records.Event
    | dossier.Event
    | submissions.Event
    | eligibility.Event
    | quote.Event
    | dose.Event
    | bed.Event
    | acquired.Event
    | letter.Event
    | visa.Event
    | travel.Event
    | admission.Event
    | lymphodepletion.Event
    | infusion.Event
    | recovery.Event
    | observations.Event
    | safety.Event
    | redosing.Event
    | transplant.Event
    | follow_up.Event
    | closing.Event
    | holding.Event
    | notes.Event
    | erasing.Event
    | access.Event
    | importing.FactsImported
    | moving.StageEntered
    | correcting.FactCorrected
    | reconsidering.Event
    | watching.Event
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
    erasing.takes(case, command)
    occurred = _occurred(command, now)
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


def _occurred(command: object, now: datetime) -> When | None:
    occurred: When | None = getattr(command, "occurred", None)
    past = occurred is None or occurred.earliest is None or occurred.earliest <= now + FUTURE
    require(past, Reason.INVALID, "a fact lies in the past", "occurred")
    return occurred


def _events(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    if isinstance(command, inquiry.Command):
        return inquiry.decide(case, command, now, ids, policy)
    if isinstance(command, people.Command):
        return people.decide(case, command, now, ids, policy)
    if isinstance(command, records.Command):
        return records.decide(case, command, now, ids, policy)
    if isinstance(command, dossier.Command):
        return dossier.decide(case, command, now, ids, policy)
    if isinstance(command, submissions.Command):
        return submissions.decide(case, command, now, ids, policy)
    if isinstance(command, eligibility.Command):
        return eligibility.decide(case, command, now, ids, policy)
    if isinstance(command, quote.Command):
        return quote.decide(case, command, now, ids, policy)
    if isinstance(command, dose.Command):
        return dose.decide(case, command, now, ids, policy)
    if isinstance(command, bed.Command):
        return bed.decide(case, command, now, ids, policy)
    if isinstance(command, acquired.Command):
        return acquired.decide(case, command, now, ids, policy)
    if isinstance(command, letter.Command):
        return letter.decide(case, command, now, ids, policy)
    if isinstance(command, visa.Command):
        return visa.decide(case, command, now, ids, policy)
    if isinstance(command, travel.Command):
        return travel.decide(case, command, now, ids, policy)
    if isinstance(command, admission.Command):
        return admission.decide(case, command, now, ids, policy)
    if isinstance(command, lymphodepletion.Command):
        return lymphodepletion.decide(case, command, now, ids, policy)
    if isinstance(command, infusion.Command):
        return infusion.decide(case, command, now, ids, policy)
    if isinstance(command, recovery.Command):
        return recovery.decide(case, command, now, ids, policy)
    if isinstance(command, observations.Command):
        return observations.decide(case, command, now, ids, policy)
    if isinstance(command, safety.Command):
        return safety.decide(case, command, now, ids, policy)
    if isinstance(command, redosing.Command):
        return redosing.decide(case, command, now, ids, policy)
    if isinstance(command, transplant.Command):
        return transplant.decide(case, command, now, ids, policy)
    if isinstance(command, follow_up.Command):
        return follow_up.decide(case, command, now, ids, policy)
    if isinstance(command, closing.Command):
        return closing.decide(case, command, now, ids, policy)
    if isinstance(command, holding.Command):
        return holding.decide(case, command, now, ids, policy)
    if isinstance(command, notes.Command):
        return notes.decide(case, command, now, ids, policy)
    if isinstance(command, erasing.Command):
        return erasing.decide(case, command, now, ids, policy)
    if isinstance(command, access.Command):
        return access.decide(case, command, now, ids, policy)
    if isinstance(command, importing.ImportFacts):
        return importing.decide(case, command, now, ids, policy)
    if isinstance(command, moving.MoveOn):
        return moving.decide(case, command, now, ids, policy)
    if isinstance(command, reconsidering.Command):
        return reconsidering.decide(case, command, now, ids, policy)
    if isinstance(command, effects.Command):
        return effects.decide(case, command, now, policy)
    if isinstance(command, correcting.CorrectFact):
        raise TypeError("a correction is not corrected; tell the first fact again")
    assert_never(command)


def _correct(case: Case, c: correcting.CorrectFact, now: datetime, ids: Ids, policy: Policy) -> Sequence[Draft[Event]]:
    wrong = case.correctable.get(c.fact)
    require(wrong, Reason.NOT_FOUND, "no such fact that can be corrected; name the first telling", "fact")
    occurred = _occurred(c.correction, now)
    right = correcting.corrected(case, wrong, c.correction, now, ids, policy)
    explained: Draft[Event] = Draft(correcting.FactCorrected(c.fact, c.reason), ids(), c.occurred)
    return [explained, *(Draft(event, ids(), occurred, corrects=c.fact) for event in right)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one recorded event. Never fails on anything that was recorded.

    A correction changes what lies before it, so here it only counts: `follow` reads the history again.
    """
    folded = reconsidering.remembered(case if fact.corrects else _fold(case, fact), fact)
    told_again = fact.event.type in CORRECTABLE and not fact.corrects
    return replace(
        folded,
        version=fact.version,
        people_version=folded.people_version + fact.told,
        seen={**folded.seen, fact.event.type: fact.id},
        correctable={**folded.correctable, fact.id: fact.event} if told_again else folded.correctable,
    )


CORRECTABLE = frozenset(
    {e.__name__ for e in get_args(observations.Event)}
    | {"MalignancyReported", "TransplantGiven", "InfusionCompleted", "DepletionGiven"}
    | {"PassportRecorded", "VisaGranted", "CriterionRecorded", "DiagnosisStated", "PersonAdded"}
)


def _fold(case: Case, fact: Fact[Any]) -> Case:
    event: Event = fact.event
    if isinstance(event, obligations.Event):
        return replace(case, obligations=obligations.evolve(case.obligations, fact))
    if isinstance(event, effects.Event):
        return _effect(case, fact)
    if isinstance(event, watching.Event):
        return watching.evolve(case, fact)
    if isinstance(event, moving.StageEntered):
        return moving.evolve(case, fact)
    if isinstance(event, inquiry.Event):
        return inquiry.evolve(case, fact)
    if isinstance(event, people.Event):
        return people.evolve(case, fact)
    if isinstance(event, records.Event):
        return records.evolve(case, fact)
    if isinstance(event, dossier.Event):
        return dossier.evolve(case, fact)
    if isinstance(event, submissions.Event):
        return submissions.evolve(case, fact)
    if isinstance(event, eligibility.Event):
        return eligibility.evolve(case, fact)
    if isinstance(event, quote.Event):
        return quote.evolve(case, fact)
    if isinstance(event, dose.Event):
        return dose.evolve(case, fact)
    if isinstance(event, bed.Event):
        return bed.evolve(case, fact)
    if isinstance(event, acquired.Event):
        return acquired.evolve(case, fact)
    if isinstance(event, letter.Event):
        return letter.evolve(case, fact)
    if isinstance(event, visa.Event):
        return visa.evolve(case, fact)
    if isinstance(event, travel.Event):
        return travel.evolve(case, fact)
    if isinstance(event, admission.Event):
        return admission.evolve(case, fact)
    if isinstance(event, lymphodepletion.Event):
        return lymphodepletion.evolve(case, fact)
    if isinstance(event, infusion.Event):
        return infusion.evolve(case, fact)
    if isinstance(event, recovery.Event):
        return recovery.evolve(case, fact)
    if isinstance(event, observations.Event):
        return observations.evolve(case, fact)
    if isinstance(event, safety.Event):
        return safety.evolve(case, fact)
    if isinstance(event, redosing.Event):
        return redosing.evolve(case, fact)
    if isinstance(event, transplant.Event):
        return transplant.evolve(case, fact)
    if isinstance(event, follow_up.Event):
        return follow_up.evolve(case, fact)
    if isinstance(event, closing.Event):
        return closing.evolve(case, fact)
    if isinstance(event, holding.Event):
        return holding.evolve(case, fact)
    if isinstance(event, notes.Event):
        return notes.evolve(case, fact)
    if isinstance(event, erasing.Event):
        return erasing.evolve(case, fact)
    if isinstance(event, access.Event):
        return access.evolve(case, fact)
    if isinstance(event, importing.FactsImported):
        return importing.evolve(case, fact)
    if isinstance(event, correcting.FactCorrected):
        return case
    if isinstance(event, reconsidering.Event):
        return reconsidering.evolve(case, fact)
    assert_never(event)


def _effect(case: Case, fact: Fact[effects.Event]) -> Case:
    """An effect's outcome; what a delivered release gave back is no longer held."""
    folded = replace(case, effects=effects.evolve(case.effects, fact))
    if isinstance(fact.event, effects.EffectWithdrawn):
        return perhaps_acquired(folded, case.effects.get(fact.event.effect))
    done = folded.effects.get(fact.event.effect) if isinstance(fact.event, effects.EffectDelivered) else None
    return given_back(folded, done.kind, done.about, fact.id) if done else folded


def fold(facts: Iterable[Fact[Event]], start: Case | None = None) -> Case:
    """The case as of its facts; a correction takes the place of what it corrects."""
    ordered = list(facts)
    corrections = {f.corrects: f for f in ordered if f.corrects}
    case = start or Case()
    for fact in ordered:
        case = evolve(case, _superseded(fact, corrections))
    return case


def follow(case: Case, history: Sequence[Fact[Event]], new: Sequence[Fact[Event]]) -> Case:
    """The case after new facts. `history` is all that was recorded before; it is read again after a correction."""
    if any(fact.corrects for fact in new):
        return fold([*history, *new])
    for fact in new:
        case = evolve(case, fact)
    return case


def _superseded(fact: Fact[Event], corrections: Mapping[str, Fact[Event]]) -> Fact[Event]:
    """The newest correction of a fact in that fact's own place, under its own id."""
    newest = corrections.get(fact.id)
    return replace(fact, event=newest.event, occurred=newest.occurred) if newest else fact
