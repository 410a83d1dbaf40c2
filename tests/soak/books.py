"""What everybody has written down, and the comparisons between them: each yields what is wrong, in words."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from activities.telling import notice_id
from domain.case.effect import IMPLIED, Effect
from domain.case.state import Case
from domain.core.fact import Fact
from domain.core.policy import Party
from domain.doses.stock import Lot
from domain.doses.unit import Unit
from workflows.journey import EFFECTS
from workflows.names import HOSPITALS

EVERY_TIME = {"InfusionAuthorised", "IdentityChecked", "ThawStarted", "InfusionDeviated"}
BEFORE_CELLS = {"GateSigned", "InfusionAuthorised", "IdentityChecked", "ThawStarted"}
PREPARED = timedelta(minutes=90)
"""How long it may take until the killing begins."""
Side = Literal["hospital", "mail", "home"]


@dataclass(frozen=True, slots=True)
class Told:
    """A command that was acknowledged to whoever sent it, with the events it was told of."""

    actor: str
    key: str
    case: str
    type: str
    events: tuple[str, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """An event as it stands in the ledger."""

    id: str
    stream: str
    version: int
    actor: str
    key: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What the ledger remembers of a command."""

    actor: str
    key: str
    stream: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of a hospital, and whether it was acknowledged."""

    centre: str
    callback: str
    taken: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """An effect: what came of it by the ledger, how often the far side has it. `tries`: attempts unaccounted for."""

    id: str
    kind: str
    side: Side
    state: str
    ends: int
    times: int
    marked: bool = False
    implied: bool = False
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail about a change that takes two people: what became of it by the ledger, and how often it came."""

    id: str
    outcome: str
    times: int
    marked: bool = False


def commands_once(told: Iterable[Told], rows: Sequence[Row]) -> Iterator[str]:
    """Every acknowledged command is in the ledger as it was acknowledged, and nothing else stands under its key."""
    by_key = defaultdict(list)
    for row in rows:
        by_key[row.actor, row.key].append(row)
    for one in told:
        found = sorted(by_key[one.actor, one.key], key=lambda row: row.version)
        if tuple(row.id for row in found) != one.events or {row.stream for row in found} - {one.case}:
            yield f"{one.type} {one.key}: told of {len(one.events)} events, {len(found)} are there"


def remembered_once(memories: Iterable[Memory], rows: Sequence[Row]) -> Iterator[str]:
    """The events under any key are exactly those of one append."""
    versions = defaultdict(list)
    for row in rows:
        versions[row.actor, row.key].append((row.stream, row.version))
    for m in memories:
        if sorted(versions[m.actor, m.key]) != [(m.stream, n) for n in range(m.first, m.last + 1)]:
            yield f"{m.actor} {m.key}: remembered as {m.first} to {m.last}, found {versions[m.actor, m.key]}"


def answers_once(said: Iterable[Said], memories: Iterable[Memory]) -> Iterator[str]:
    """Every answer a hospital was thanked for is remembered, and no hospital is remembered for what it never said."""
    book = {(one.centre, one.callback): one.taken for one in said}
    kept = {(m.actor, m.key) for m in memories if m.actor.startswith("centre-")}
    yield from (f"thanked for {key} and not kept" for key, taken in book.items() if taken and key not in kept)
    yield from (f"{key} was never said" for key in kept - book.keys())


def effects_once(asked: Iterable[Asked]) -> Iterator[str]:
    """None lost; doubled only where nobody can tell, and marked; the far side has what was delivered and no more."""
    for e in asked:
        what = f"{e.kind} {e.id} {e.state}, {e.ends} outcomes, there {e.times} times"
        if e.ends != (e.state in ("delivered", "refused")):
            yield f"{what}: one outcome each"
        if e.times > (1 if e.side == "hospital" else 2):
            yield f"{what}: too often"
        if e.times > 1 and e.state == "delivered" and not e.marked:
            yield f"{what}: not marked"
        if e.state == "delivered" and e.side != "home" and not e.times and not e.implied:
            yield f"{what}: lost"
        if e.times and (e.state == "refused" or (e.state == "requested" and not e.tries)):
            yield f"{what}: it has arrived"


def notices_once(notices: Iterable[Notice]) -> Iterator[str]:
    """Whoever is to be told of a change is told; twice only where nobody could tell, and then it is marked."""
    for n in notices:
        what = f"notice {n.id} {n.outcome}, came {n.times} times"
        if n.outcome == "sent" and not n.times:
            yield f"{what}: lost"
        if n.times > 2:
            yield f"{what}: too often"
        if n.times > 1 and n.outcome == "sent" and not n.marked:
            yield f"{what}: not marked"
        if n.times and n.outcome == "refused":
            yield f"{what}: it has arrived"
        if n.outcome in ("", "put_off"):
            yield f"{what}: still owed"


def nobody_invented(asked: Iterable[Asked], there: Iterable[str]) -> Iterator[str]:
    """Nobody has what was never asked for."""
    strangers = set(there) - {e.id for e in asked}
    yield from (f"somebody has {effect}, which nobody asked for" for effect in strangers)


def intents_once(case: Case) -> Iterator[str]:
    """What a case wants is asked for once."""
    wanted = Counter((e.kind, e.about) for e in case.effects.values() if e.state != "withdrawn")
    yield from (f"{case.id}: {kind} {about} was asked for twice" for (kind, about), n in wanted.items() if n > 1)


def units_once(cases: Sequence[Case]) -> Iterator[str]:
    """One dose, one patient, once."""
    held = {(case.dose.ref, case.id) for case in cases if case.dose.state == "held" and case.dose.ref}
    given = [(i.unit, case.id) for case in cases for i in case.infusions]
    patients = Counter(unit for unit, _ in held | set(given))
    yield from (f"unit {unit} is for {n} patients" for unit, n in patients.items() if n > 1)
    yield from (f"unit {unit} was infused {n} times" for (unit, _), n in Counter(given).items() if n > 1)


def lots_agree(cases: Sequence[Case], lots: Mapping[str, Lot]) -> Iterator[str]:
    """What a case holds its lot holds for it; what went in is used up, and nothing else is."""
    units = {unit.id: unit for lot in lots.values() for unit in lot.units.values()}
    for case in cases:
        known = units.get(case.dose.ref, Unit(""))
        if case.dose.state == "held" and not (known.of(case.id) and known.state in ("held", "committed")):
            yield f"{case.id} holds {case.dose.ref}, which is {known.state} there"
        told = {e.about for e in case.effects.values() if e.kind == "mark_unit_used" and e.state == "delivered"}
        for given in case.infusions:
            known = units.get(str(given.unit), Unit(""))
            if given.fact in told and not (known.of(case.id) and known.state == "used"):
                yield f"{case.id} was given {given.unit}, which is {known.state} there"
        heard = {e.about for e in case.effects.values() if e.kind == "mark_unit_destroyed" and e.state == "delivered"}
        for gone in case.destroyed_units:
            if gone.fact in heard and units.get(gone.unit, Unit("")).state != "destroyed":
                yield f"{case.id} destroyed {gone.unit}, which is {units.get(gone.unit, Unit('')).state} there"
    given_to = {(i.unit, case.id) for case in cases for i in case.infusions}
    used = [unit for unit in units.values() if unit.state == "used"]
    yield from (f"{u.id} is used up, and {u.case} was not given it" for u in used if (u.id, u.case) not in given_to)


def steps_before_cells(case: str, facts: Iterable[Fact[object]]) -> Iterator[str]:
    """Gate, authorisation, identity and thaw before any cells, unless the case itself calls it a deviation."""
    seen: set[str] = set()
    for fact in facts:
        kind = str(getattr(fact.event, "type", ""))
        seen.add(kind)
        if kind == "InfusionCompleted":
            missing = BEFORE_CELLS - seen
            if missing and "InfusionDeviated" not in seen:
                yield f"{case}: cells went in without {', '.join(sorted(missing))}"
            seen -= EVERY_TIME


def dated_rightly(dates: Iterable[tuple[int, datetime]], since: datetime, until: datetime) -> Iterator[str]:
    """No event was recorded by a clock that jumped, nor before another; those of the preparation are older."""
    last = since - PREPARED
    for position, recorded in dates:
        if not last <= recorded <= until:
            yield f"event {position} was recorded at {recorded}, after {last} and before {until}"
        last = max(last, recorded)


def side_of(effect: Effect) -> Side:
    """Who has it when it is delivered."""
    row = EFFECTS[effect.kind]
    if row.queue == HOSPITALS or (row.channel == "blind" and effect.to is Party.HOSPITAL):
        return "hospital"
    return "mail" if row.channel == "blind" else "home"


def asked_of(
    case: Case, facts: Sequence[Fact[object]], far: Mapping[str, int], claims: Mapping[str, int]
) -> Iterator[Asked]:
    """The effects of a case, beside what is out there."""
    ends = defaultdict(list)
    for fact in facts:
        if getattr(fact.event, "type", "") in ("EffectDelivered", "EffectRefused"):
            ends[fact.event.effect].append(fact.event)  # type: ignore[attr-defined]
    for e in case.effects.values():
        marked = any(getattr(end, "possible_repeat", False) for end in ends[e.id])
        by_hand = [end for end in ends[e.id] if getattr(end, "receipt", "").startswith("settled by ")]
        implied = bool(by_hand) or any(getattr(end, "receipt", "") in (IMPLIED, "answered") for end in ends[e.id])
        times, tries = far.get(e.id, 0), claims.get(e.id, 0)
        # A person may settle by telephone what was refused: then the refusal is the one outcome of the attempts.
        outcomes = max(len(ends[e.id]) - len(by_hand), min(1, len(by_hand)))
        yield Asked(e.id, e.kind, side_of(e), e.state, outcomes, times, marked, implied, tries)


def notices_of(rows: Iterable[tuple[str, str]], mails: Mapping[str, int]) -> Sequence[Notice]:
    """The notices the ledger has, each with the end it had last, beside what came."""
    ends: dict[str, tuple[str, bool]] = {}
    for stream, text in rows:
        told = json.loads(text)
        name = notice_id(stream, told["proposal"], told["what"], told["to"])
        ends[name] = (told.get("outcome", ""), told.get("possible_repeat", False))
    return [Notice(name, outcome, mails.get(name, 0), marked) for name, (outcome, marked) in ends.items()]


def hospital_book(path: Path) -> tuple[Counter[str], Sequence[Said]]:
    """What the hospitals have, and what they said."""
    book = sqlite3.connect(path)
    answers = """select centre, callback, exists (select from_ok.at from delivery from_ok
                 where from_ok.callback = answer.callback and status between 200 and 299)
                 from answer join effect using (effect)"""
    kept = Counter({effect: 1 for (effect,) in book.execute("select effect from effect")})
    return kept, [Said(centre, callback, bool(taken)) for centre, callback, taken in book.execute(answers)]


def mail_book(path: Path) -> Counter[str]:
    """How often every effect came as mail."""
    found = sqlite3.connect(path).execute("select effect, count(*) from message group by effect").fetchall()
    return Counter(dict(found))


ROWS = "select id, stream, version, meta from event order by position"
NOTICES = "select stream, data from event where type in ('NoticeClaimed', 'NoticeEnded') order by position"
DATES = "select position, recorded_at from event order by position"
MEMORIES = "select actor, key, stream, first, last from command"
CLAIMS = "select effect, count(*) from claim where ended_at is null group by effect"


async def ledger_book(pool: object) -> tuple[Sequence[Row], Sequence[Memory], Mapping[str, int]]:
    """Events, remembered commands, and how many attempts of each effect nobody knows the end of."""
    rows = []
    for event, stream, version, text in await pool.fetch(ROWS):  # type: ignore[attr-defined]
        meta = json.loads(text)
        rows.append(Row(event, stream, version, meta["actor"], meta.get("key", "")))
    memories = [Memory(*row) for row in await pool.fetch(MEMORIES)]  # type: ignore[attr-defined]
    return rows, memories, dict(map(tuple, await pool.fetch(CLAIMS)))  # type: ignore[attr-defined]
