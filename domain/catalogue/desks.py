"""The desks: to which address the mail of each role goes. One stream for all of them, changed by two people.

The setting says where they begin; from the first start on, the ledger counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from domain.catalogue import four_eyes
from domain.catalogue.around import Around
from domain.catalogue.four_eyes import NOTHING, FourEyes, Told
from domain.core.codes import require_mail
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.policy import Party
from domain.core.roles import Action

STREAM = "desk-roles"


@dataclass(frozen=True, slots=True)
class Desk:
    """Says where the mail of one role goes: the address of an office, not of a person."""

    role: Party
    mail: str


@dataclass(frozen=True, slots=True)
class AdoptDesks:
    """Begin with what the setting says, once."""

    desks: tuple[Desk, ...]
    type: Literal["AdoptDesks"] = "AdoptDesks"


@dataclass(frozen=True, slots=True)
class ChangeDesk:
    """Send a role's mail elsewhere, once another person confirms it; empty = nowhere."""

    role: Party
    mail: str
    type: Literal["ChangeDesk"] = "ChangeDesk"


Command = AdoptDesks | ChangeDesk | four_eyes.Command

BY: Mapping[type[Any], Action] = {
    ChangeDesk: Action.KEEP_CATALOGUE,
    AdoptDesks: Action.ENGINE,
    **four_eyes.BY,
}
"""What giving each command is called in the table of roles."""


@dataclass(frozen=True, slots=True)
class DesksAdopted:
    """These addresses counted when the ledger began to keep them."""

    desks: tuple[Desk, ...]
    type: Literal["DesksAdopted"] = "DesksAdopted"


@dataclass(frozen=True, slots=True)
class DeskProposed:
    """A role's mail shall go elsewhere, once another person confirms it before the proposal lapses."""

    proposal: str
    role: Party
    mail: str
    until: datetime
    type: Literal["DeskProposed"] = "DeskProposed"


@dataclass(frozen=True, slots=True)
class DeskChanged:
    """A role's mail goes elsewhere from now on."""

    role: Party
    mail: str
    type: Literal["DeskChanged"] = "DeskChanged"


Event = DesksAdopted | DeskProposed | DeskChanged | four_eyes.Event


@dataclass(frozen=True, slots=True)
class Desks:
    """All desks as folded from the facts; `version` 0 = the setting counts."""

    version: int = 0
    mails: Mapping[Party, str] = field(default_factory=dict)
    eyes: FourEyes = NOTHING


initial = Desks()


def decide(desks: Desks, command: Command, now: datetime, ids: Ids, around: Around) -> Sequence[Event]:
    """Decide a command about the desks: return the events it brings about. Raises Refused."""
    require(around.stream == STREAM, Reason.NOT_FOUND, f"all desks are one stream: {STREAM}")
    match command:
        case AdoptDesks():
            require(not desks.version, Reason.ALREADY, "the ledger keeps the desks' addresses")
            return [DesksAdopted(command.desks)]
        case ChangeDesk():
            require_mail(command.mail)
            change, old = DeskChanged(command.role, command.mail), desks.mails.get(command.role, "")
            require(command.mail != old, Reason.ALREADY, "that is where it goes", "mail")
            return four_eyes.told(
                desks.eyes, change, lambda *at: DeskProposed(at[0], change.role, change.mail, at[1]),
                _tell(desks, change), around, now, ids,
            )  # fmt: skip
        case _:
            return four_eyes.decide(desks.eyes, command, lambda change: _tell(desks, change), around, now)


def _tell(desks: Desks, change: DeskChanged) -> Told:
    old = desks.mails.get(change.role, "")
    return Told(four_eyes.from_to((change.role.value, old, change.mail)), old)


def evolve(desks: Desks, fact: Fact[Event]) -> Desks:
    """Fold one event of the desks."""
    return replace(_folded(desks, fact), version=fact.version)


def _folded(desks: Desks, fact: Fact[Event]) -> Desks:
    event = fact.event
    match event:
        case DesksAdopted():
            return replace(desks, mails={desk.role: desk.mail for desk in event.desks})
        case DeskProposed():
            change = DeskChanged(event.role, event.mail)
            return replace(desks, eyes=four_eyes.proposed(desks.eyes, fact, change))  # type: ignore[arg-type] # its event
        case DeskChanged():
            return replace(desks, mails={**desks.mails, event.role: event.mail})
        case _:
            return replace(desks, eyes=four_eyes.evolve(desks.eyes, fact, lambda: _back(desks)))  # type: ignore[arg-type] # its event


def _back(desks: Desks) -> DeskChanged:
    assert desks.eyes.proposal is not None
    role: Party = desks.eyes.proposal.change.role
    return DeskChanged(role, desks.mails.get(role, ""))


def read_model(desks: Desks) -> Mapping[str, Any]:
    """Return what is listed of them; no case notes it."""
    return {"mails": {role.value: mail for role, mail in desks.mails.items()}, **four_eyes.read_model(desks.eyes)}
