"""Works out what a file would change: each entry against the catalogue, and the commands that would bring it about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from activities.catalogue_files.reading import FileEntry
from domain.catalogue.centre import AmendCentre, Centre, ChangeEndpoint, Handing, RegisterCentre
from domain.catalogue.protocol import AmendProtocol, Protocol
from domain.catalogue.protocols.description import Description
from domain.catalogue.review import ReviewEntry
from domain.catalogue.site import SiteLease

What = Literal["registered", "amended", "reviewed", "unchanged", "kept"]
SAYING = ("source", "as_of")
"""What says who said the rest, and when: alone, no change of the entry."""
REACHED = ("endpoint", "mail", "callback_key")
OF_CENTRE = tuple(f.name for f in fields(AmendCentre) if f.name not in (*SAYING, "change", "type"))
OF_PROTOCOL = tuple(f.name for f in fields(Description) if f.name not in SAYING)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Says what one field was and what it becomes."""

    field: str
    was: Any
    becomes: Any


@dataclass(frozen=True, slots=True)
class Plan:
    """Says what one entry of a file comes to. `kept`: the catalogue has it structured, the file in words only."""

    entry: FileEntry
    what: What
    changes: Sequence[FieldChange] = ()
    commands: Sequence[Any] = ()


def another(entry: FileEntry, known: Protocol | Centre) -> bool:
    """Return whether what the catalogue holds is not what the entry says, though their ids came out the same."""
    said = entry.command
    if isinstance(known, Centre):
        named = isinstance(said, RegisterCentre) and (said.name, said.country) == (known.name, known.country)
        return known.review is not None and not named
    return known.description is not None and known.description.registry != getattr(said, "registry", "")


def plan(entry: FileEntry, known: Protocol | Centre | None) -> Plan:
    """Return what the entry changes of what the catalogue holds; `known` None = it holds nothing of it."""
    if known is None or known.review is None:
        return Plan(entry, "registered", (), (entry.command, *entry.sites))
    if isinstance(known, Centre):
        return _of_centre(entry, known)
    return _of_protocol(entry, known)


def _of_protocol(entry: FileEntry, known: Protocol) -> Plan:
    said, held = entry.command, known.description
    assert held is not None
    changes = list(_differing(OF_PROTOCOL, held, said))
    if changes and getattr(said, "draft", False) and not held.draft:
        return Plan(entry, "kept", changes)
    label = entry.row.label or f"as of {said.as_of}"
    why = entry.row.change or "loaded: " + ", ".join(change.field for change in changes)
    described = {name: getattr(said, name) for name in (*OF_PROTOCOL, *SAYING)}
    commands = [AmendProtocol(**described, label=label, change=why)] if changes else _seen_again(entry, known)
    leases = {site.centre: site.lease for site in known.sites if site.lease}
    told = [site for site in entry.sites if _lease(site) != leases.get(site.centre)]
    differs = [
        FieldChange(f"site {site.centre}", _words(leases.get(site.centre)), _words(_lease(site))) for site in told
    ]
    what: What = "amended" if changes or told else "reviewed" if commands else "unchanged"
    return Plan(entry, what, [*changes, *differs], [*commands, *told])


def _lease(site: Any) -> SiteLease | None:  # noqa: ANN401 - a ConfirmSite
    """The lease it would make; without a day it is since today, which is another lease every day."""
    return SiteLease(site.centre, site.state, site.since, site.until) if site.since else None


def _words(lease: SiteLease | None) -> str:
    return f"{lease.state} since {lease.since} until {lease.until:%Y-%m-%d}" if lease else ""


def _of_centre(entry: FileEntry, known: Centre) -> Plan:
    said = entry.command
    assert isinstance(said, RegisterCentre)
    changes = list(_differing(OF_CENTRE, known, said))
    commands: list[Any] = _seen_again(entry, known)
    if changes:
        why = entry.row.change or "loaded: " + ", ".join(change.field for change in changes)
        commands = [AmendCentre(**{name: getattr(said, name) for name in (*OF_CENTRE, *SAYING)}, change=why)]
    reached = [*_differing(REACHED, known, said)] if set(REACHED) & set(entry.row.fields) else []
    if reached:
        commands.append(ChangeEndpoint(said.endpoint, said.mail, said.callback_key, _handing(said, known)))
    what: What = "amended" if changes or reached else "reviewed" if commands else "unchanged"
    return Plan(entry, what, [*changes, *reached], commands)


def _handing(said: RegisterCentre, known: Centre) -> Handing:
    """Return how documents are handed over: as before, which a file does not say, while there is an interface."""
    return known.documents if said.endpoint else "address"


def _seen_again(entry: FileEntry, known: Protocol | Centre) -> list[Any]:
    """The same as of a later day: it was held against its source."""
    said = entry.command
    assert known.review is not None
    return [ReviewEntry(said.source, said.as_of)] if said.as_of > known.review.as_of else []


def _differing(names: Sequence[str], held: object, said: object) -> Iterator[FieldChange]:
    for name in names:
        was, becomes = getattr(held, name), getattr(said, name)
        if was != becomes:
            yield FieldChange(name, was, becomes)
