"""Says which installation a ledger belongs to, and if its clock may be told the time: the ledger's first events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from domain.core.errors import Reason, require
from domain.core.fact import Fact

STREAM = "installation"
Kind = Literal["production", "rehearsal", "development"]
ClockReason = Literal["clock_was_set_wrong", "host_moved", "by_mistake", "other"]
LossReason = Literal["backup_restored", "disk_failed", "by_mistake", "other"]


@dataclass(frozen=True, slots=True)
class InstallationNamed:
    """This ledger belongs to the installation of that name; always the first event."""

    name: str
    kind: Kind
    type: Literal["InstallationNamed"] = "InstallationNamed"


@dataclass(frozen=True, slots=True)
class RehearsalEnded:
    """From here on the ledger's clock is the real one and no instant can be given to it."""

    type: Literal["RehearsalEnded"] = "RehearsalEnded"


@dataclass(frozen=True, slots=True)
class LossAccepted:
    """The end of the former history is lost, and a person goes on with what is left; the audit says so for ever.

    `kept`: events of the former history that are still there. `covered`: how many the newest checkpoint kept outside
    has, 0 where only the workflow engine knew of more. `checkpoints`: each one outside that this ledger has not, as
    "size root". `cases`: each case of which the engine had seen more, as "case seen".
    """

    kept: int
    covered: int
    checkpoints: tuple[str, ...]
    cases: tuple[str, ...]
    reason: LossReason
    by: str
    type: Literal["LossAccepted"] = "LossAccepted"


@dataclass(frozen=True, slots=True)
class KeyFolderNamed:
    """The keys of this ledger are those of the folder with that fingerprint; with any other nothing is recorded.

    `fingerprint`: HMAC-SHA-256, hexadecimal, under the key encryption key, of a label and random bytes of the folder.
    """

    fingerprint: str
    type: Literal["KeyFolderNamed"] = "KeyFolderNamed"


@dataclass(frozen=True, slots=True)
class ClockAccepted:
    """Events were recorded by a clock that ran ahead, and a person goes on with the right one.

    `first` and `last` are the positions of those that are dated too late, `ahead` the instant of the last. What is
    recorded later keeps that instant in its column until the clock has come to it, and says in `meta` when it was.
    """

    first: int
    last: int
    ahead: datetime
    reason: ClockReason
    by: str
    type: Literal["ClockAccepted"] = "ClockAccepted"


Event = InstallationNamed | RehearsalEnded | LossAccepted | KeyFolderNamed | ClockAccepted
EVENTS: tuple[type[Event], ...] = (
    InstallationNamed, RehearsalEnded, LossAccepted, KeyFolderNamed, ClockAccepted,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Installation:
    """The installation as its stream tells it."""

    name: str
    kind: Kind
    rehearsing: bool
    losses: int = 0
    keys: str = ""
    """The fingerprint of the key folder; empty in a ledger that has not named it yet."""


def evolve(installation: Installation | None, event: Event) -> Installation | None:
    """Fold one event; None = not named yet."""
    match event:
        case InstallationNamed():
            return installation or Installation(event.name, event.kind, event.kind == "rehearsal")
        case RehearsalEnded():
            return installation and replace(installation, rehearsing=False)
        case LossAccepted():
            return installation and replace(installation, losses=installation.losses + 1)
        case KeyFolderNamed():
            return installation and replace(installation, keys=installation.keys or event.fingerprint)
        case ClockAccepted():
            return installation
        case _:
            assert_never(event)


def fold(facts: Iterable[Fact[Event]]) -> Installation | None:
    """Return the installation after all these facts."""
    installation: Installation | None = None
    for fact in facts:
        installation = evolve(installation, fact.event)
    return installation


def end_rehearsal(installation: Installation | None) -> RehearsalEnded:
    """Close the door through which instants were given. Refused when this is no rehearsal or it has ended."""
    require(installation, Reason.NOT_FOUND, "this ledger has not been named yet")
    require(installation and installation.rehearsing, Reason.ALREADY, "no rehearsal is under way in this ledger")
    return RehearsalEnded()
