"""The case's place in a cohort of its trial: when it may have its first cells, and what holds it [cohorts.stagger].

The trial's own stream gives places and turns (domain/catalogue/protocols); the case tells it how it stands and notes
what comes of that. Of others of the cohort it knows days and numbers, never who they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, assert_never

from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Takes, Wants
from domain.catalogue.protocols.cohorts import TellCohort
from domain.catalogue.protocols.seats import Seat
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Identity, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.core.when import When
from domain.grading.kinds import episode_of, kind_of


@dataclass(frozen=True, slots=True)
class RecordLimitingToxicity:
    """A clinician calls a reported toxicity dose-limiting. `name` is the one it was reported by.

    Within the days that the protocol counts, the cohort is held until the safety committee's word is recorded.
    """

    name: Clinical
    clinician: Identity
    reason: Clinical
    occurred: When | None = None
    type: Literal["RecordLimitingToxicity"] = "RecordLimitingToxicity"


Command = RecordLimitingToxicity


@dataclass(frozen=True, slots=True)
class LimitingToxicityRecorded:
    """A clinician called a toxicity dose-limiting."""

    name: Clinical
    clinician: Identity
    reason: Clinical
    type: Literal["LimitingToxicityRecorded"] = "LimitingToxicityRecorded"


Event = LimitingToxicityRecorded

TAKES = (
    Takes(RecordLimitingToxicity, (LimitingToxicityRecorded,), at=stages(Stage.INFUSION), by=Action.ANSWER),
)  # fmt: skip


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide what a clinician calls dose-limiting: return the event it brings about. Raises Refused."""
    match command:
        case RecordLimitingToxicity():
            require(case.infusions, Reason.NOT_NOW, "no cells went in that a toxicity could limit")
            said = readable(command.reason) and str(command.reason).strip()
            require(said, Reason.INVALID, "say why it counts as dose-limiting", "reason")
            words = "no toxicity of this name is reported; report it with its grade first (ReportToxicity)"
            require(_reported(case, str(command.name)), Reason.MISSING, words, "name")
            return [LimitingToxicityRecorded(command.name, command.clinician, command.reason)]
        case _:
            assert_never(command)


def _reported(case: Case, name: str) -> bool:
    """Return whether an adverse event goes by this name; of what is erased nobody can tell, and it stands."""
    wanted = episode_of(kind_of(name), name)
    return any(episode_of(str(e.kind), str(e.name)) == wanted for e in case.episodes.values())


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one dose-limiting toxicity: the day it happened, the day it was told where that is not known."""
    event = fact.event
    match event:
        case LimitingToxicityRecorded():
            known = fact.occurred.latest if fact.occurred.known else None
            return replace(case, limiting={**case.limiting, fact.id: (known or fact.at).date()})
        case _:
            assert_never(event)


def seat_at(case: Case, protocol: str) -> Seat | None:
    """Return the case's place in a trial's cohorts as it noted it; None where it has none and waits for none."""
    noted = case.noted(protocol).get("seats", ()) if protocol else ()
    return noted[0] if noted else None


def needs_place(case: Case) -> bool:
    """Return whether the trial has cohorts and the first cells are still to come: then a place is needed."""
    return bool(case.noted(case.protocol).get("escalates")) and not case.infusions and not case.exit


def unplaced(case: Case) -> bool:
    """Return whether a place in a cohort is needed and not there: no unit is held for the case then."""
    seat = seat_at(case, case.protocol)
    return needs_place(case) and (seat is None or seat.state == "waiting") and not _went_before(case)


def kept(case: Case) -> str:
    """Return what keeps the case from its first cells whatever the day: place, held, turn; empty = nothing."""
    seat = seat_at(case, case.protocol)
    if not needs_place(case) or _went_before(case):
        return ""
    if seat is None or seat.state == "waiting":
        return "place"
    if seat.held is not None:
        return "held"
    return "turn" if seat.ahead or seat.state != "ready" else ""


def _begun(case: Case) -> bool:
    """Whether the gate is signed: the drugs before the cells may have been given."""
    return case.treatment is not None and bool(case.treatment.gate)


def _went_before(case: Case) -> bool:
    """Whether the gate was signed before the trial had cohorts: it asks for no place and goes on as it began.

    Who gave a place back and comes again asks anew, whatever was signed before.
    """
    asked = seat_at(case, case.protocol) is not None or _often(case, case.protocol, "asked")
    return _begun(case) and not asked


WHY = {
    "place": "the trial's cohort has no place for this patient yet; the sponsor opens the next one on the trial's page",
    "held": "a toxicity counts as dose-limiting; the cohort is held until the safety committee's word is recorded",
    "turn": "another patient of this cohort comes first, who is ready and not infused yet",
}


def require_turn(case: Case, day: date) -> None:
    """Refuse first cells on a day before the cohort lets the patient have them [cohorts.stagger]. Raises Refused."""
    why = kept(case)
    require(not why, Reason.NOT_NOW, WHY.get(why, ""))
    seat = seat_at(case, case.protocol)
    if not needs_place(case) or seat is None or seat.not_before is None:
        return
    before = f"{'the first' if seat.after_first else 'the last'} patient of this cohort was infused on {seat.last}"
    words = f"{before}; the next may be infused from {seat.not_before}"
    require(day >= seat.not_before, Reason.NOT_NOW, words)


def infusion_day(case: Case, now: datetime) -> date:
    """Return the day the cells are planned on; where none is, the first that lymphodepletion begun today leads to.

    Where the protocol has variants, the shortest counts.
    """
    plan = case.treatment.plan if case.treatment else None
    if plan is not None:
        return max(plan.infusion_day, now.date())
    first: dict[str, int] = {}
    for drug in case.noted(case.protocol).get("lymphodepletion", ()):
        first[drug.variant] = min(first.get(drug.variant, 0), *drug.days)
    return now.date() - timedelta(days=max(first.values(), default=0))


def ready(case: Case) -> bool:
    """Return whether the case takes its turn: at the hospital for its first cells; one on hold only once it began."""
    here = case.stage in (Stage.LYMPHODEPLETION, Stage.INFUSION)
    return here and not case.infusions and (case.on_hold is None or _begun(case))


def told_to(case: Case, protocol: str, today: date) -> TellCohort:
    """Return what a trial's cohorts hear of the case as it stands; an infusion of unknown day counts from today."""
    here, ends = protocol == case.protocol, _given_up(case, protocol)
    infused = (_infused_on(case) or _first_told(case, protocol) or today) if here and case.infusions else None
    limiting = tuple(sorted(case.limiting.values())) if here else ()
    if infused is not None and _infused_on(case) is None:  # none came before cells of whose day only the end is known
        limiting = tuple(max(day, infused) for day in limiting)
    return TellCohort(case.id, case.version, ready(case), infused, limiting, ends)


def _infused_on(case: Case) -> date | None:
    """Return the last day on which the first cells can have gone in; None where nobody knows."""
    latest = case.infusions[0].occurred.latest if case.infusions else None
    return latest.date() if latest else None


def _first_told(case: Case, protocol: str) -> date | None:
    """Return the day on which the trial was first to hear of the infusion: it does not move with the calendar."""
    told = f"{protocol}/infused"
    asked = [e.requested_at for e in case.effects.values() if e.kind == "tell_cohort" and e.about.startswith(told)]
    return min(asked).date() if asked else None


def _to_tell(case: Case) -> Iterator[str]:
    """What the cohorts of a trial have to hear, each once."""
    seat, left_before = seat_at(case, case.protocol), _often(case, case.protocol, "left")
    wants = needs_place(case) and not _went_before(case)
    if wants:
        yield f"{case.protocol}/asked.{left_before}"
    if wants and seat is not None and seat.cohort and case.stage in (Stage.LYMPHODEPLETION, Stage.INFUSION):
        again = f".{left_before}" if left_before else ""  # the same place is another one after it was given back
        yield f"{case.protocol}/{'ready' if ready(case) else 'delayed'}.{seat.cohort}.{case.hold_round}{again}"
    if case.infusions and seat is not None:
        day = _infused_on(case)
        yield f"{case.protocol}/infused{f'.{day}' if day else ''}"
        yield from (f"{case.protocol}/{fact}" for fact in case.limiting)
    for stream in case.sources:
        left = seat_at(case, stream)
        if left is not None and left.state not in ("infused", "left") and _given_up(case, stream):
            yield f"{stream}/left.{_often(case, stream, 'asked')}"


def _given_up(case: Case, protocol: str) -> bool:
    """Return whether no place of this trial is wanted any more; while the family chooses, each is kept."""
    if case.exit is not None or case.stage is Stage.CLOSED:
        return True
    live = {s.protocol for s in case.submissions.values() if s.state not in ("declined", "withdrawn")}
    return protocol != case.protocol if case.protocol else protocol not in live


def _often(case: Case, protocol: str, word: str) -> int:
    """Count how often the trial was told this: who leaves may come again, and is heard again."""
    told = f"{protocol}/{word}."
    return sum(e.kind == "tell_cohort" and e.about.startswith(told) for e in case.effects.values())


def _owed(case: Case) -> Iterable[str]:
    """A place, the committee's word or the turn, each until it is there; a turn only once it is asked for."""
    seat = seat_at(case, case.protocol)
    why = kept(case) if seat is not None and case.stage is not Stage.CLOSED else ""
    early = why == "turn" and (seat is None or not seat.ahead or not ready(case))
    return [f"{case.protocol}/{why}"] if why and not early else []


OWES = (
    Owes(
        "cohort_place",
        Party.COORDINATOR,
        Party.FAMILY,
        _owed,
        lambda c, about: about not in _owed(c) and not c.exit,
        settled_in="waiting",
    ),
)

WANTS = (Wants("tell_cohort", Party.HOSPITAL, _to_tell),)
