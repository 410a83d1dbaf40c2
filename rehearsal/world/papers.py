"""Makes the files that rehearsed people name: a page that says it is made up, kept as every document of a case is.

A rehearsal that nobody will look at keeps no files and says only that they are stored.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from activities.ports import Keys
from domain.case.state import Case
from domain.core.fact import Command
from domain.stages.records.documents import DocumentStored, key_class_of
from infra.documents import StoredDocuments, store_of

SIZE = 48_000
"""Bytes, as of a scanned page."""
MEDIA = "application/pdf"


def papers(command: Command) -> Sequence[DocumentStored]:
    """Return the file that a command names, as the door notes it when one was stored; none where it names none."""
    name = getattr(command, "document", "")
    return (DocumentStored(name, sha256(name.encode()).hexdigest(), MEDIA, SIZE),) if name else ()


@dataclass(frozen=True, slots=True)
class Papers:
    """Keeps a page for each document that is named, so that whoever looks at the rehearsal can open it."""

    documents: StoredDocuments

    async def kept(self, case: Case, command: Any) -> tuple[Any, Sequence[DocumentStored]]:  # noqa: ANN401 - any command
        """Return the command with the name of a page kept for it, and what the door notes of that page."""
        if not getattr(command, "document", ""):
            return command, ()
        item = case.records.get(getattr(command, "item", ""))
        kind = item.kind if item else "document"
        page = _page(
            [
                kind.replace("_", " ").capitalize(),
                "Made up by a rehearsal; of no patient.",
                f"{command.type} {len(case.stored) + 1}",
            ]
        )
        kept = await self.documents.keep(case.id, key_class_of(kind), MEDIA, _whole(page))
        noted = DocumentStored(kept.name, kept.same.hex(), MEDIA, kept.size)
        return replace(command, document=kept.name), (noted,)


def papers_in(folder: Path, keys: Keys) -> Papers:
    """Return where the documents of a rehearsal are kept below its folder."""
    return Papers(StoredDocuments(store_of("", folder / "documents"), keys, folder / "spool"))


async def _whole(page: bytes) -> AsyncIterator[bytes]:
    yield page


def _page(lines: Sequence[str]) -> bytes:
    """One page of PDF 1.4 with some lines of plain text."""
    text = " ".join(f"({line.translate(_PLAIN)}) Tj 0 -24 Td" for line in lines)
    content = f"BT /F1 16 Tf 72 720 Td {text} ET".encode("latin-1")
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    file, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        offsets.append(len(file))
        file += b"%d 0 obj%b endobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % at for at in offsets)
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, len(file))
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    return file + head + table + end


_PLAIN = str.maketrans("()\\", "   ")
