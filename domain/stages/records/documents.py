"""Documents of the case [records.stored]: what the store keeps for it; no command names any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from domain.case.phases.records import StoredDocument
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact
from domain.core.personal import Clinical, KeyClass


@dataclass(frozen=True, slots=True)
class DocumentStored:
    """A file of this case was stored.

    `document` is the SHA-256 of the ciphertext, `content` a digest of the content under a key of this case: equal for
    equal files, useless without the key. `same_as` names an earlier document of the same content. `troubles`: encrypted
    or truncated; `files` of an archive. Of a DICOM image: whether its name and birth date are the patient's (`named`),
    modality, day of the study, and the study's UID.
    """

    document: str
    content: str
    media_type: str
    bytes: int
    same_as: str = ""
    troubles: tuple[str, ...] = ()
    files: int = 0
    named: Literal["", "same", "other", "unknown"] = ""
    modality: Clinical = ""
    study_date: Clinical = ""
    study: Clinical = ""
    type: Literal["DocumentStored"] = "DocumentStored"


Event = DocumentStored
TAKES: tuple[Takes, ...] = ()
"""No command tells this: the door notes it when a file has been stored, in the append of the command that names it."""


def key_class_of(kind: str) -> KeyClass:
    """Return which of the case's keys keeps a record of that kind: the person's where it says who somebody is."""
    return "identity" if kind in ("passport", "consent_form") else "clinical"


def linked(case: Case, event: DocumentStored) -> DocumentStored:
    """Return the event with the first document of the case that has the same content named, if there is one."""
    same = (name for name, known in case.stored.items() if event.content and known.content == event.content)
    return replace(event, same_as=next(same, ""))


def require_stored(case: Case, document: str) -> None:
    """Refuse a document that is not stored in this case. Raises Refused that names the field."""
    known = document in case.stored
    require(known, Reason.INVALID, "no document of that name is stored in this case; store the file first", "document")


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold a stored file."""
    e = fact.event
    return keeping(case, e.document, StoredDocument(e.media_type, e.bytes, e.content, e.same_as, e.troubles, e.named))


def keeping(case: Case, document: str, found: StoredDocument) -> Case:
    """Return the case with that document among the stored ones; what is known of it already stays."""
    return replace(case, stored={**case.stored, document: case.stored.get(document, found)})
