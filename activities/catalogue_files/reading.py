"""Reads a whole file of protocols or centres into commands, or names every fault in it; nothing is recorded here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.catalogue_files.lines import FileFault, FileRefused, Text, read
from activities.catalogue_files.rows import FileRow, is_published, own, published
from activities.catalogue_files.study import is_study, study
from activities.command_codec import CATALOGUE, Unreadable
from domain.catalogue.centre import RegisterCentre
from domain.catalogue.protocol import RegisterProtocol
from domain.catalogue.review import require_as_of
from domain.catalogue.site import ConfirmSite
from domain.core.errors import Refused
from domain.criteria.criterion import require_sound
from domain.criteria.redosing import require_askable

STREAM = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
OPENING = {"protocol": "RegisterProtocol", "centre": "RegisterCentre"}
LISTS = {"protocol": ("protocols", "studies"), "centre": ("centres",)}
NOT_SHAPED = {
    "protocol": "is no list of `protocols`, no study record of ClinicalTrials.gov and no protocol with a `registry`",
    "centre": "is no list of `centres` and no centre with a `name`",
}
MARKS = {"protocol": ("registry", "protocolSection"), "centre": ("name",)}
BESIDE = ("note",)
"""What a row may say beside the fields of the command; it is for whoever reads the file."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One entry as the file says it: its stream, the command that would register it, how it stands at centres."""

    row: FileRow
    stream: str
    command: RegisterProtocol | RegisterCentre
    sites: tuple[ConfirmSite, ...] = ()


def entries(prefix: str, body: bytes, now: datetime, by: str) -> tuple[Text, list[FileEntry]]:
    """Return what the file says of each protocol or centre. Raises FileRefused with every fault in it."""
    text = read(body)
    faults: list[FileFault] = []
    found: list[FileEntry] = []
    named: set[str] = set()
    for row in _rows(prefix, text, now):
        entry, wrong = _entry(prefix, row, text, now, by)
        names = {entry.stream, getattr(entry.command, "registry", entry.stream).casefold()} if entry else set()
        wrong += [text.fault(row.pointer, f"{one} stands in the file twice") for one in sorted(names & named)]
        faults += wrong
        if entry:
            named |= names
            found.append(entry)
    if not found and not faults:
        faults = [text.fault("#", "there is nothing in the file")]
    if faults:
        raise FileRefused(faults)
    return text, found


def _rows(prefix: str, text: Text, now: datetime) -> Iterator[FileRow]:
    tree = text.tree
    listed = [name for name in LISTS[prefix] if isinstance(tree.get(name), list)]
    for name in listed:
        yield from (_row(one, f"#/{name}/{n}", text, now) for n, one in enumerate(tree[name]))
    if listed:
        return
    if not any(mark in tree for mark in MARKS[prefix]):
        raise FileRefused([text.fault("#", NOT_SHAPED[prefix])])
    yield _row(tree, "#", text, now)


def _row(one: Any, pointer: str, text: Text, now: datetime) -> FileRow:  # noqa: ANN401 - JSON
    if not isinstance(one, dict):
        raise FileRefused([text.fault(pointer, "is no object")])
    if is_study(one):
        return study(one, pointer)
    if is_published(one):
        return published(one, pointer, str(text.tree.get("brought_in") or one.get("as_of") or now.date()))
    return own({name: value for name, value in one.items() if name not in BESIDE}, pointer)


def _entry(
    prefix: str, row: FileRow, text: Text, now: datetime, by: str
) -> tuple[FileEntry | None, list[FileFault]]:  # fmt: skip
    """What the row says, and all that is wrong with it."""
    try:
        command = CATALOGUE.parse({**row.fields, "type": OPENING[prefix]}, by)
    except Unreadable as error:
        faults = error.faults or ()
        return None, [text.fault(row.at(one.pointer.removeprefix("#/")), one.detail) for one in faults]
    stream = row.stream or f"{prefix}-{_slug(command.registry if prefix == 'protocol' else command.name)}"
    wrong = list(_unsound(command, row, text, now))
    if not (stream.startswith(f"{prefix}-") and stream > f"{prefix}-" and STREAM.fullmatch(stream)):
        wrong.append(
            text.fault(row.at("stream"), f"is no id; give one: {prefix}- and small letters, figures and hyphens")
        )
    sites, misnamed = _sites(row, text, by)
    wrong += misnamed
    return FileEntry(row, stream, command, tuple(sites)), wrong


def _unsound(command: Any, row: FileRow, text: Text, now: datetime) -> Iterator[FileFault]:  # noqa: ANN401 - either
    try:
        require_as_of(None, command.as_of, now)
    except Refused as refused:
        yield text.fault(row.at("as_of"), refused.detail)
    for n, one in enumerate(getattr(command, "criteria", ())):
        try:
            require_sound([one])
        except Refused as refused:
            yield text.fault(row.at(f"criteria/{n}"), refused.detail)
    if isinstance(command, RegisterProtocol):
        try:
            require_askable(command.redosing, command.targets, command.planned_infusions)
        except Refused as refused:
            yield text.fault(row.at("redosing"), refused.detail)


def _sites(row: FileRow, text: Text, by: str) -> tuple[list[ConfirmSite], list[FileFault]]:
    """The sites the row has, and what is wrong with them."""
    found: list[ConfirmSite] = []
    faults: list[FileFault] = []
    for n, one in enumerate(row.sites if isinstance(row.sites, list | tuple) else [row.sites]):
        at = f"{row.at('sites')}/{n}"
        if not isinstance(one, dict):
            faults.append(text.fault(at, "is no object"))
            continue
        try:
            site = CATALOGUE.parse({**one, "type": "ConfirmSite"}, by)
            if site.centre in {other.centre for other in found}:
                faults.append(text.fault(f"{at}/centre", "stands there twice: which of the two counts?"))
            found.append(site)
        except Unreadable as error:
            faults += [text.fault(f"{at}/{fault.pointer.removeprefix('#/')}", fault.detail) for fault in error.faults]
    return found, faults


def _slug(name: str) -> str:
    """A name as an id: small letters and figures, all else a hyphen; of a name in other letters nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]
