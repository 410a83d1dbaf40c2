"""Says what is made of what: a material or lot names the materials it was made of, each link a fact of its own.

A link that was wrong is taken back with a reason; both stay in the history [doses.genealogy].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from domain.core.errors import Reason, require
from domain.core.personal import Identity
from domain.doses.kinds import KINDS

Beside = Mapping[str, Mapping[str, Any]]
"""The read models of streams a command names, by stream."""


@dataclass(frozen=True, slots=True)
class LinkMaterial:
    """It was made of this material; `parent` is the material's own id."""

    parent: str
    type: Literal["LinkMaterial"] = "LinkMaterial"


@dataclass(frozen=True, slots=True)
class UnlinkMaterial:
    """It was not made of this material: the link was a mistake."""

    parent: str
    reason: Identity
    type: Literal["UnlinkMaterial"] = "UnlinkMaterial"


Command = LinkMaterial | UnlinkMaterial


@dataclass(frozen=True, slots=True)
class MaterialLinked:
    """It was made of this material."""

    parent: str
    type: Literal["MaterialLinked"] = "MaterialLinked"


@dataclass(frozen=True, slots=True)
class MaterialUnlinked:
    """It was not made of this material after all."""

    parent: str
    reason: Identity
    type: Literal["MaterialUnlinked"] = "MaterialUnlinked"


Event = MaterialLinked | MaterialUnlinked


def decide(kind: str, parents: Sequence[str], command: Command, beside: Beside) -> Sequence[Event]:
    """Decide a link of something of this kind with these parents. Raises Refused."""
    if isinstance(command, UnlinkMaterial):
        require(command.parent in parents, Reason.NOT_FOUND, "it is not linked to that material", "parent")
        return [MaterialUnlinked(command.parent, command.reason)]
    if command.parent in parents:
        return []
    return [link(kind, command.parent, beside, "parent")]


def link(kind: str, parent: str, beside: Beside, field: str) -> MaterialLinked:
    """Return the link of something of a kind to a material as that stands. Raises Refused."""
    known = beside.get(parent)
    require(known is not None and "kind" in known, Reason.NOT_FOUND, "no such material", field)
    assert known is not None
    of, allowed = known["kind"], KINDS[kind].made_of
    told = f"a {kind} is made of no {of}; of {', '.join(allowed)}" if allowed else f"a {kind} is made of nothing else"
    require(of in allowed, Reason.INVALID, told.replace("_", " "), field)
    consented = of != "donor" or "donation" in known["consents"]
    require(consented, Reason.MISSING, "the donor's consent to the use of a donation does not stand", field)
    return MaterialLinked(parent)


def after(parents: Sequence[str], event: Event) -> tuple[str, ...]:
    """Return the parents after a link was made or taken back."""
    others = tuple(one for one in parents if one != event.parent)
    return (*others, event.parent) if isinstance(event, MaterialLinked) else others
