"""Puts together the threads of a case: by party, what was written and asked, its true delivery, and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.console.text.fact_text import CUT, FactWriter
from api.console.text.texts import ENGLISH, Texts, languages
from domain.case.effect import Effect, EffectDelivered
from domain.case.messages.threads import DOCTOR, FAMILY, Message
from domain.case.state import Case
from domain.core.fact import Fact
from domain.core.personal import readable
from domain.core.policy import Party
from domain.journey import WANTS
from domain.stages.anytime.notes import NoteAdded
from domain.stages.messages.writing import WRITES, party_of, why_not_written

ANSWERED = {row.kind: row.answered for row in WANTS}


@dataclass(frozen=True, slots=True)
class ThreadLine:
    """One thing of a thread: `who` wrote (we, they, or empty: the engine asked), its words, how its mail stands."""

    at: datetime
    who: str
    words: str
    text: str
    delivery: str
    late: bool
    effect: str
    document: str


@dataclass(frozen=True, slots=True)
class Thread:
    """What passed between the service and one party. `why`: why nothing may be written now, empty = it may."""

    name: str
    words: str
    language: str
    why: str
    waits: bool
    lines: Sequence[ThreadLine]


def threads_of(case: Case, facts: Sequence[Fact[Any]], speaker: FactWriter) -> Sequence[Thread]:
    """Return the threads of everybody outside whom this case has or had to do with."""
    centres = dict.fromkeys([s.centre for s in case.submissions.values()] + [case.centre])
    names = [FAMILY, *([DOCTOR] if case.home_doctor else []), *filter(None, centres)]
    told = _receipts(facts)
    return [_thread(name, case, facts, speaker, told) for name in names]


def delivery(case: Case, effect: Effect, receipt: str) -> str:
    """Say how a message stands: what left is handed in, and only an answer shows that it was read.

    `receipt`: what was noted when it was delivered last; a mail's is its Message-ID.
    """
    answered = ANSWERED.get(effect.kind)
    if answered is not None and effect.state != "withdrawn" and answered(case, effect.about):
        return "answered"
    if effect.state == "delivered":
        if effect.bounced and not effect.settled:
            return "came_back"
        if receipt.startswith("settled by"):
            return "by_person"
        return "handed_in" if receipt.startswith("<") or effect.to is not Party.HOSPITAL else "received"
    if effect.state == "requested":
        return "put_off" if effect.not_before else "queued"
    return effect.state


def _receipts(facts: Sequence[Fact[Any]]) -> Mapping[str, str]:
    return {f.event.effect: f.event.receipt for f in facts if isinstance(f.event, EffectDelivered)}


def _thread(
    name: str, case: Case, facts: Sequence[Fact[Any]], speaker: FactWriter, receipts: Mapping[str, str]
) -> Thread:
    t, why = speaker.clock.t, why_not_written(case, name)
    lines = [*_written(name, case, speaker), *_noted(name, case, facts, speaker)]
    lines += _asked(name, case, speaker, receipts)
    party = t.named("party", party_of(name).value)
    return Thread(
        name,
        party if name in (FAMILY, DOCTOR) else speaker.label(name),
        _language(name, case, t),
        t.english(why[1]) if why else "",
        name in case.unanswered,
        sorted(lines, key=lambda line: line.at, reverse=True),
    )


def _language(name: str, case: Case, t: Texts) -> str:
    """Name the language their mail is written in: their own, or English where we have no texts of it."""
    known = {FAMILY: case.family_reader, DOCTOR: case.home_doctor}.get(name)
    if known is None:
        return ""
    short = known.language.partition("-")[0].lower()
    return t.named("mail_language", short if short in languages() else ENGLISH)


def _written(name: str, case: Case, speaker: FactWriter) -> Iterable[ThreadLine]:
    for one in case.thread(name):
        if one.received:
            yield ThreadLine(one.at, "them", "", _text(one, speaker), "", late=False, effect="", document=one.document)


def _text(one: Message, speaker: FactWriter) -> str:
    shown = "identity" in speaker.visible and readable(one.text)
    return str(one.text) if shown else ""


def _asked(name: str, case: Case, speaker: FactWriter, receipts: Mapping[str, str]) -> Iterable[ThreadLine]:
    """Each mail or request to them; of a message, its text."""
    party = party_of(name)
    for e in case.effects.values():
        if e.to is not party or (party is Party.HOSPITAL and case.centre_of(case.root_of(e.about)) != name):
            continue
        state = delivery(case, e, receipts.get(e.id, ""))
        own = case.messages.get(e.about) if e.kind in WRITES else None
        label = speaker.label(e.about)
        named = label != e.about and not label.endswith(CUT)
        about = f", {label}" if own is None and named else ""
        words = speaker.clock.t.named("effect", e.kind) + about
        yield ThreadLine(
            own.at if own else e.requested_at,
            "us" if own else "",
            words,
            _text(own, speaker) if own else "",
            state,
            state in ("came_back", "refused", "unknown"),
            e.id,
            "",
        )


def _noted(name: str, case: Case, facts: Sequence[Fact[Any]], speaker: FactWriter) -> Iterable[ThreadLine]:
    """A few words that somebody answered behind a link which had no other answer."""
    actor = f"{name}-of-{case.id}" if name in (FAMILY, DOCTOR) else name
    for fact in facts:
        if isinstance(fact.event, NoteAdded) and fact.actor == actor:
            text = fact.event.text
            shown = str(text) if "identity" in speaker.visible and readable(text) else ""
            yield ThreadLine(fact.at, "them", "", shown, "", late=False, effect="", document="")
