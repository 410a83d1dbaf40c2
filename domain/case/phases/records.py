"""Says what is collected about the patient, and which dossier is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from domain.core.policy import Party

SpecimenState = Literal["asked", "at_hand", "forwarded", "returned", "lost", "not_available"]
RecordState = Literal["requested", "received", "translating", "translated", "verified", "rejected", "waived"]


@dataclass(frozen=True, slots=True)
class RecordItem:
    """One document the dossier needs. `round` counts how often it was asked for.

    `document` is what counts now; once a translation of it is certified, `original` is what was translated `into`.

    `verified` is the fact that verified it last. `struck` counts how often that was undone, `struck_from` is the newest
    version of the dossier it stood in then.
    """

    id: str
    kind: str
    source: Party
    state: RecordState
    round: int = 1
    translations: int = 0
    translation: str = ""  # delivered, and nobody else has read it yet
    translator: str = ""
    document: str = ""
    original: str = ""
    language: str = ""
    into: str = ""
    verified: str = ""
    struck: int = 0
    struck_from: int = 0

    @property
    def settled(self) -> bool:
        """Nothing more is awaited for it."""
        return self.state in ("verified", "waived")


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A file the store keeps for this case. `content` is equal for equal files; `same_as` names an earlier one.

    `troubles`: encrypted, truncated, not_scanned. `named`: whether the name in it is the patient's; empty where none
    can be read.
    """

    media_type: str
    bytes: int
    content: str = ""
    same_as: str = ""
    troubles: tuple[str, ...] = ()
    named: str = ""


@dataclass(frozen=True, slots=True)
class Specimen:
    """Slides or blocks of the patient's tissue, from the day they are asked for. `source` is who has them asked out.

    `resource`: what they are accounted for as once they are on their way to a centre; its state is theirs from then on.
    """

    id: str
    source: Party
    state: SpecimenState = "asked"
    kind: Literal["slides", "blocks"] = "slides"
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Dossier:
    """The frozen set of documents a hospital reviews. `version` 0 = none yet."""

    version: int = 0
    digest: str = ""
    summary: str = ""
    drafted_by: str = ""
    signed_by: str = ""
    documents: tuple[str, ...] = ()  # of the frozen version, in the order in which a hospital is shown them


@dataclass(frozen=True)
class Records:
    """Holds every file stored, every document asked for, and the frozen set of them."""

    stored: Mapping[str, StoredDocument] = field(default_factory=dict)  # by the name in the store
    records: Mapping[str, RecordItem] = field(default_factory=dict)
    unfit: Mapping[str, str] = field(default_factory=dict)  # rejected, not verified since: file → record
    specimens: Mapping[str, Specimen] = field(default_factory=dict)
    checklist: tuple[str, ...] = ()  # kinds of documents that were listed last; empty = no list was drawn up
    dossier: Dossier = field(default_factory=Dossier)
