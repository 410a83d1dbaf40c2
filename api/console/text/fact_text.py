"""Facts in words: what was said, when, by whom, from where; what the viewer may not see is masked, never sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any

from api.console.text.times import ViewerClock
from api.http.masking import Sees, mask
from api.untold import state_of
from domain.case.phases.bookkeeping import Noted
from domain.case.phases.records import Dossier, RecordItem
from domain.case.phases.submissions import Submission
from domain.case.phases.travel import Visa
from domain.case.stage import Exit, Stage
from domain.case.state import Case
from domain.core.fact import Fact
from domain.core.personal import Unread
from domain.core.policy import Party
from domain.core.when import When
from domain.criteria.criterion import Criterion
from domain.stages.anytime.watching import LotStateNoted

LEFT_OUT = frozenset(
    {"type", "content", "policy", "steps", "anchor", "attempt", "source_version", "number", "statements", "wait"}
)
INSIDE = LEFT_OUT | {"id", "fact", "round", "answered", "orders", "purpose", "recipient", "person"}
"""What of a value within a value serves the rules only, or is what it stands under."""
ONLY_IF_SO = frozenset({"late", "possible_repeat", "minor", "given_up", "translations", "copies_gone", "supported"})
STATES: Mapping[str, Sequence[str]] = {
    "depletion": ("depletion_state",),
    "because": ("because", "passed_because"),
    "mismatches": ("mismatches",),
    **dict.fromkeys(("estimate", "screening", "extension", "handover", "transplant", "follow_up"), ("state",)),
}  # fmt: skip
"""Fields that hold a state of something, a reason or several codes, and where the words for it are."""
NO_DOSSIER = Dossier()
STATE_OF: Mapping[type[Any], str] = {RecordItem: "record_state", Submission: "submission_state", Visa: "visa_state"}
"""Whose states have words of their own."""
CALLED: Mapping[tuple[type[Any], str], str] = {(LotStateNoted, "state"): "lot_state"}
"""Fields that mean something else than others of their name."""
CODE = re.compile("[a-z]+(_[a-z0-9]+)+")
PARTIES = frozenset(party.value for party in Party)
"""Whoever a rehearsal speaks for is called like the party."""
SHORT, CUT = 12, "…"
LONG_ID = 30


@dataclass(frozen=True, slots=True)
class FactText:
    """One fact as a page shows it."""

    id: str
    version: int
    type: str
    words: str
    values: Sequence[tuple[str, str]]
    at: datetime
    told: str
    who: str
    automatic: bool
    rule: str
    source: str
    corrects: str
    corrected: bool


@dataclass(frozen=True, slots=True)
class FactWriter:
    """Puts the facts of one case into words for one viewer. `labels` are names by stream."""

    case: Case
    clock: ViewerClock
    visible: Sees
    labels: Mapping[str, str]
    corrected: frozenset[str] = frozenset()

    def fact(self, fact: Fact[Any]) -> FactText:
        """Put one fact in words."""
        told = self.clock.when(fact.occurred) if fact.occurred.earliest != fact.at else ""
        return FactText(
            fact.id,
            fact.version,
            fact.event.type,
            self.clock.t.named("event", fact.event.type),
            self.values(fact.event),
            fact.at,
            told,
            self.actor(fact),
            not fact.told,
            fact.why.rule if fact.why else "",
            fact.provenance,
            fact.corrects or "",
            fact.id in self.corrected,
        )

    def actor(self, fact: Fact[Any]) -> str:
        """Say who recorded it."""
        if not fact.told:
            return self.clock.t("timeline.automatic")
        party, of, _ = fact.actor.partition("-of-")
        return self.clock.t.named("party", party) if of or party in PARTIES else self.label(fact.actor)

    def values(self, event: object) -> Sequence[tuple[str, str]]:
        """Return its fields that say something, each with its words."""
        return self._pairs(event, LEFT_OUT)

    def inside(self, value: object) -> Sequence[tuple[str, str]]:
        """Return the fields of what a field holds, each with its words."""
        return self._pairs(value, INSIDE)

    def _pairs(self, event: object, left_out: frozenset[str]) -> Sequence[tuple[str, str]]:
        masks = mask(event, self.visible)
        told = [f.name for f in fields(event) if f.name not in left_out]  # type: ignore[arg-type]
        names = [name for name in told if name not in ONLY_IF_SO or getattr(event, name)]
        pairs = [(CALLED.get((type(event), n), n), self._field(event, n, masks[n])) for n in names]
        return [(self.clock.t.named("field", name), text) for name, text in pairs if text]

    def said(self, event: object, name: str) -> str:
        """Put one field in words, as far as the viewer may see it."""
        return self._field(event, name, mask(event, self.visible)[name])

    def _field(self, event: object, name: str, mask: Any) -> str:  # noqa: ANN401 - any field
        among = mask if isinstance(mask, list) else [mask]  # of a list each is masked by itself
        if state := next((state for one in among if (state := state_of(one))), ""):
            return self.clock.t(f"case.{state}")
        value = getattr(event, name)
        if name == "kind" and isinstance(value, str):
            return self._kind(value)
        if name == "state" and type(event) in STATE_OF:
            return self.clock.t.named(STATE_OF[type(event)], value)
        return self.field(CALLED.get((type(event), name), name), value)

    def field(self, name: str, value: Any) -> str:  # noqa: ANN401 - any field
        """Say all that a field of this name holds."""
        if name in STATES and isinstance(value, tuple):
            return ", ".join(self.field(name, one) for one in value)
        groups = STATES.get(name, (name,)) if isinstance(value, str) else ()
        known = next((word for group in groups if (word := self.clock.t.own(group, value))), "")
        return known or self.value(value)

    def _kind(self, kind: str) -> str:
        t = self.clock.t
        groups = (group for group in ("owed", "effect", "kind", "alert") if t.own(group, kind))
        return t.named(next(groups, "owed"), kind)

    def value(self, value: Any) -> str:  # noqa: ANN401 - anything a field can hold
        """Put anything a field can hold in words."""
        if value in (None, "", (), NO_DOSSIER):
            return ""
        if isinstance(value, list | tuple | set | frozenset):
            return ", ".join(self.value(one) for one in value)
        if is_dataclass(value) and not isinstance(value, type | When | Noted | Criterion):
            return "; ".join(f"{name}: {text}" for name, text in self.inside(value))
        shows = next((show for kind, show in SHOWS if isinstance(value, kind)), None)
        return shows(self, value) if shows else self.label(str(value))

    def noted(self, known: Noted) -> str:
        """Say what is known of a lot, protocol, centre or colleague; of these only a lot has a state."""
        pairs = (("lot_state" if name == "state" else name, value) for name, value in known.state.items())
        told = [(self.clock.t.named("field", name), self.field(name, value)) for name, value in pairs]
        return "; ".join(f"{name}: {text}" for name, text in told if text)

    def label(self, text: str) -> str:
        """Return a name for an id, where there is one; a long digest is cut."""
        root = text.split("/", maxsplit=1)[0].rpartition(":")[2]
        return self.labels.get(text) or self._of_case(root) or _cut(text)

    def _of_case(self, root: str) -> str:
        """What one of the case's own ids stands for."""
        case, t = self.case, self.clock.t
        if root in case.people:
            return self.person(root)
        if root in case.submissions:
            return self.label(case.submissions[root].centre)
        kinds = (("owed", case.obligations), ("effect", case.effects), ("record", case.records))
        found = next(((word, known[root].kind) for word, known in kinds if root in known), None)
        return t.named(*found) if found else ""

    def person(self, person: str) -> str:
        """Somebody of the case: their role, and their name for whoever may see it."""
        known = self.case.people[person]
        role = self.clock.t.named("person", known.role)
        if "identity" not in self.visible:
            return role
        name = self.value(known.name)
        return f"{name} ({role})"


def _cut(text: str) -> str:
    """A code is read as words, a digest by its beginning."""
    if CODE.fullmatch(text):
        return text.replace("_", " ")
    return f"{text[:SHORT]}{CUT}" if len(text) > LONG_ID and " " not in text else text


Show = Callable[[FactWriter, Any], str]
SHOWS: Sequence[tuple[type[Any], Show]] = (
    (Unread, lambda s, v: s.clock.t(f"case.{state_of(v)}")),
    (bool, lambda s, v: s.clock.t("form.yes" if v else "form.no")),
    (Party, lambda s, v: s.clock.t.named("party", v.value)),
    (Stage, lambda s, v: s.clock.t.named("stage", v.value)),
    (Exit, lambda s, v: s.clock.t.named("exit", v.value)),
    (datetime, lambda s, v: s.clock.instant(v)),
    (date, lambda s, v: s.clock.day(v)),
    (timedelta, lambda s, v: s.clock.span(v)),
    (When, lambda s, v: s.clock.when(v)),
    (Noted, lambda s, v: s.noted(v)),
    (Criterion, lambda s, v: s.clock.t.english(v.words)),
)
"""How a value of each type is said; the first that fits."""
