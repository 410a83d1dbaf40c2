"""Says what can be done with a case now, in the groups of the journey; and what cannot, with the reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from api.console.session import Visitor
from api.console.text.texts import Texts
from api.console.web import wrong
from api.http.answers import allowed_now, refused_now
from api.http.command_json import CASE
from api.http.problems import of_refusal
from domain.case.state import Case
from domain.engine.decide import taken
from domain.engine.possible import Probe
from domain.journey import ANYTIME, GROUP, accepting_stages

ALWAYS = {c.__name__ for c in ANYTIME}


@dataclass(frozen=True, slots=True)
class Act:
    """One command as a link."""

    name: str
    words: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ActionGroup:
    """The commands of one group (domain/journey.py); `due`: something of it is owed now."""

    name: str
    words: str
    always: bool
    due: bool
    acts: Sequence[Act]

    @property
    def anchor(self) -> str:
        """Return where the group stands on the page of all actions: those given at any time stand apart."""
        return f"g-{self.name}-always" if self.always else f"g-{self.name}"


def actions(viewer: Visitor, case: Case, owed: Collection[str], tried: Probe) -> Sequence[ActionGroup]:
    """Group what this viewer may give now and the case may take; what settles something owed comes first."""
    allowed = {name for name in allowed_now(viewer.who, case) if not impossible(viewer.t, CASE.by_name[name], tried)}
    groups: dict[tuple[str, bool], list[Act]] = {}
    for command in taken(case):
        if command.__name__ in allowed:
            groups.setdefault((GROUP[command], command.__name__ in ALWAYS), []).append(act(viewer, command))
    whole = [
        ActionGroup(n, viewer.t.named("group", n), always, n in owed, acts) for (n, always), acts in groups.items()
    ]
    return sorted(whole, key=lambda group: (group.always, not group.due))


def searched(groups: Sequence[ActionGroup], asked: str) -> Sequence[ActionGroup]:
    """Keep of each group what all the words asked for stand in: in its name, its meaning or the name of its group."""
    kept = [replace(g, acts=[one for one in g.acts if found(asked, g.words, one.words, one.meaning)]) for g in groups]
    return [group for group in kept if group.acts]


def found(asked: str, *texts: str) -> bool:
    """Return whether every word of a search begins somewhere in these texts, upper or lower case."""
    text = " ".join(texts).casefold()
    return all(word in text for word in asked.casefold().split())


def not_now(viewer: Visitor, case: Case, tried: Probe) -> Sequence[tuple[Act, str]]:
    """List what is not taken now, and why: first what is of this stage, and what the case lacks for it."""
    given = [
        (CASE.by_name[name], impossible(viewer.t, CASE.by_name[name], tried)) for name in allowed_now(viewer.who, case)
    ]
    here = [(act(viewer, command), why) for command, why in given if why]
    elsewhere = refused_now(viewer.who, case)
    return [*here, *((act(viewer, CASE.by_name[name]), why_not(viewer, case, name)) for name in elsewhere)]


def impossible(t: Texts, command: type[Any], tried: Probe) -> str:
    """Say why a command would be refused whatever was typed; empty where it may be possible."""
    if field := tried.lacks(command):
        return t("act.nothing_to_name", field=t.named("field", field))
    refused = tried.refusal(command)
    return wrong(t, of_refusal(refused), refused.detail) if refused else ""


def why_not(viewer: Visitor, case: Case, command: str) -> str:
    """Say why a command is not taken now."""
    t, kind = viewer.t, CASE.by_name[command]
    if kind in taken(case):
        return t("act.not_yours", role=t.named("role", viewer.who.role.value))
    if case.merged_into:
        return t("link.merged", number=case.merged_into.number)
    stages = ", ".join(t.named("stage", stage) for stage in accepting_stages(kind))
    return t("act.taken_at", stages=stages)


def act(viewer: Visitor, command: type[Any]) -> Act:
    """Put a command in words."""
    return Act(command.__name__, viewer.t.named("command", command.__name__), meaning_of(viewer.t, command))


def meaning_of(t: Texts, command: type[Any]) -> str:
    """Say what a command is for, in one sentence or two; every command has a text of its own."""
    return t.named("meaning", command.__name__)
