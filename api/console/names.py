"""The names of colleagues, centres and protocols: read from their streams, again when they change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from api.ports import Service
from domain.catalogue.centre import Centre
from domain.catalogue.protocol import Protocol
from domain.catalogue.staff import Staff
from domain.catalogue.streams import State
from domain.core.personal import readable
from domain.core.roles import Action
from domain.roles import Actor, allow

MOST = 500


@dataclass(frozen=True, slots=True)
class NameEntry:
    """Names a centre, protocol or member of staff as pages do; role, team, zone and absence are of staff only."""

    id: str
    name: str
    role: str = ""
    team: str = ""
    zone: str = ""
    absent_from: datetime | None = None
    absent_until: datetime | None = None
    cover: str = ""

    def away_at(self, now: datetime) -> bool:
        """Return whether somebody else sees to their cases at that instant."""
        return bool(self.absent_from and self.absent_until and self.absent_from <= now < self.absent_until)


class Directory:
    """Holds the names one process knows; it is bound to nobody, so ask `names` for what somebody may see."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, NameEntry]] = {}

    async def entries(self, service: Service, prefix: str) -> Mapping[str, NameEntry]:
        """Return every entry of a kind by stream; `person`, `centre`, `protocol`."""
        rows = await service.registers.catalogue(prefix, "", MOST)
        for row in rows:
            known = self._known.get(row["stream"])
            if known is None or known[0] != row["version"]:
                state = (await service.commands.entry(row["stream"])).state
                self._known[row["stream"]] = (row["version"], _entry(row["stream"], state))
        return {row["stream"]: self._known[row["stream"]][1] for row in rows}

    async def one(self, service: Service, stream: str) -> NameEntry | None:
        """Return one member of staff."""
        return (await self.entries(service, "person")).get(stream)

    async def names(self, service: Service, who: Actor) -> Mapping[str, str]:
        """Return names of staff by stream, for somebody who may see them; nobody else gets any."""
        if not allow(who, Action.SEE_STAFF):
            return {}
        return {stream: one.name for stream, one in (await self.entries(service, "person")).items()}

    async def labels(self, service: Service, who: Actor) -> Mapping[str, str]:
        """Those, and centres and protocols for whoever may look at the catalogue."""
        found = dict(await self.names(service, who))
        for prefix in ("centre", "protocol") if allow(who, Action.SEE_CATALOGUE) else ():
            found |= {stream: one.name for stream, one in (await self.entries(service, prefix)).items()}
        return found


def _entry(stream: str, state: State) -> NameEntry:
    match state:
        case Staff():
            name = str(state.name) if readable(state.name) else stream
            return NameEntry(
                stream, name, str(state.role or ""), state.team, state.zone,
                state.absent_from, state.absent_until, state.cover,
            )  # fmt: skip
        case Centre():
            return NameEntry(stream, ", ".join(part for part in (state.name, state.city) if part) or stream)
        case Protocol() if state.description:
            return NameEntry(stream, f"{state.description.registry} {state.description.product}")
        case _:
            return NameEntry(stream, stream)
