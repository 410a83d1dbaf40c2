"""Documents over HTTP on the real store: encrypted at rest, opened for whom they are for, clear when they cannot be."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from activities.ports import DocumentChanged
from api.http.files.file_types import DOCX, SERIES
from api.ports import Limits
from api.run.backups.make import backup
from api.run.http_app import documents, http_app
from api.run.wiring import Parts
from tests.api.conftest import CANARY, Person, client
from tests.api.http.files.test_inspection import PAPER, SCANS, WORD, image
from tests.api.routes.test_commands import assert_problem

PDF = b"%PDF-1.7\n" + CANARY.encode() + b"\n"
SCAN = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1024
DICOM = image("RAO^BINA")


async def attach(
    person: Person, case: str, content: Any = PDF, media: str = "application/pdf", key: str = "", **query: str
) -> httpx2.Response:
    headers = {
        "Content-Type": media,
        "Idempotency-Key": key or uuid.uuid4().hex,
        "Content-Disposition": f"attachment; filename*=UTF-8''{CANARY.split()[0]}.pdf",
    }
    return await person.http.post(f"/cases/{case}/documents", content=content, headers=headers, params=query)


@pytest.fixture
async def case(coordinator: Person) -> str:
    return str((await coordinator.open())["case"])


def file_of(here: Parts, name: str) -> Path:
    return here.settings.document_folder / name


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (PDF, "application/pdf"),
        (SCAN, "image/png"),
        (DICOM, "application/dicom; a=b"),
        (WORD, DOCX),
        (SCANS, SERIES),
    ],
)
async def test_what_was_sent_comes_back_and_lies_encrypted(
    coordinator: Person, here: Parts, case: str, content: bytes, media: str
) -> None:
    answer = await attach(coordinator, case, content, media)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert [one["type"] for one in told["recorded"]] == ["DocumentStored", "DocumentAttached"]
    stored = file_of(here, told["document"]).read_bytes()
    assert sha256(stored).hexdigest() == told["document"]
    assert content[:64] not in stored
    assert CANARY.encode() not in stored
    got = await coordinator.get(answer.headers["location"])
    assert got.content == content
    assert got.headers["content-type"] == media.partition(";")[0]
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert CANARY.split()[0] not in str(got.headers)


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 200_001])
async def test_every_length_around_a_chunk(here: Parts, case: str, size: int) -> None:
    content = os.urandom(size)
    store = documents(here)
    kept = await store.keep(case, "clinical", "application/pdf", pieces(content))
    opened = await store.open(case, kept.name)
    assert b"".join([part async for part in opened.content]) == content
    assert kept.size == size


async def test_what_a_file_is_stands_with_it(coordinator: Person, case: str) -> None:
    """Its type by content where the sender knows none; a cut end, another's name, and the same file again."""
    told: list[Any] = []
    for content, expected in (
        (PAPER, {"media_type": "application/pdf", "troubles": [], "same_as": ""}),
        (PAPER[:4000], {"media_type": "application/pdf", "troubles": ["truncated"]}),
        (DICOM, {"media_type": "application/dicom", "named": "other", "modality": "CT", "study": "1.2.3"}),
        (PAPER, {"media_type": "application/pdf"}),
    ):
        assert (await attach(coordinator, case, content, "application/octet-stream")).status_code == 201
        told = [one for one in await events(coordinator, case) if one["type"] == "DocumentStored"]
        assert expected.items() <= told[-1]["data"].items()
    assert told[-1]["data"]["same_as"] == told[0]["data"]["document"]


async def events(person: Person, case: str) -> list[Any]:
    return list((await person.get(f"/cases/{case}/events")).json()["events"])


LIES = (
    (SCAN, "application/pdf", "the file is image/png, not application/pdf"),
    (b"", "application/pdf", "the file is empty"),
    (b"<html>", "image/png", "the file is a page of markup"),
    (b"MZ" + bytes(99), "", "the file is a program"),
)


@pytest.mark.parametrize(("content", "media", "says"), LIES)
async def test_a_file_that_lies_is_refused_by_what_it_is(
    coordinator: Person, here: Parts, case: str, content: bytes, media: str, says: str
) -> None:
    before = len(await events(coordinator, case))
    answer = await attach(coordinator, case, content, media)
    assert_problem(answer, 422, "invalid")
    assert answer.json()["detail"] == says
    assert answer.json()["errors"][0]["header"] == "Content-Type"
    assert len(await events(coordinator, case)) == before


async def pieces(content: bytes, size: int = 999) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def test_a_record_that_was_asked_for(coordinator: Person, people: Mapping[str, Person], case: str) -> None:
    asked = await coordinator.send(case, "RequestRecord", kind="passport")
    item = (await coordinator.get(f"/cases/{case}")).json()["case"]["records"]
    assert asked.status_code == 200
    answer = await attach(coordinator, case, item=next(iter(item)), language="hi")
    assert answer.json()["recorded"][1]["type"] == "RecordReceived"
    where = answer.headers["location"]
    assert (await coordinator.get(where)).content == PDF
    assert_problem(await people["auditor"].get(where), 403, "not_allowed")
    assert_problem(await attach(coordinator, case, item="none"), 422, "invalid")


async def test_a_repeat_gets_the_first_result_and_leaves_nothing_behind(
    coordinator: Person, here: Parts, case: str
) -> None:
    first = (await attach(coordinator, case, key="once")).json()
    before = set(here.settings.document_folder.iterdir())
    again = (await attach(coordinator, case, key="once")).json()
    assert again["repeated"]
    assert (again["document"], again["version"]) == (first["document"], first["version"])
    assert_problem(await attach(coordinator, case, SCAN, "image/png", key="once"), 422, "key_reused")
    assert set(here.settings.document_folder.iterdir()) == before
    assert not list((here.settings.home / "spool").iterdir())


async def test_what_is_not_taken(coordinator: Person, people: Mapping[str, Person], here: Parts, case: str) -> None:
    before = set(here.settings.document_folder.iterdir()) if here.settings.document_folder.exists() else set()
    assert_problem(await attach(coordinator, case, media="text/html"), 415, "unsupported_media_type")
    assert_problem(await attach(coordinator, case, b"<html>", "application/pdf"), 422, "invalid")
    assert_problem(await attach(coordinator, case, b"", "application/pdf"), 422, "invalid")
    assert_problem(await attach(people["auditor"], case), 403, "not_allowed")
    assert_problem(await attach(coordinator, "case-none"), 404, "not_found")
    assert_problem(await coordinator.get(f"/cases/{case}/documents/{'0' * 64}"), 404, "not_found")
    assert_problem(await coordinator.get(f"/cases/{case}/documents/..%2Fkek"), 404, "not_found")
    assert (set(here.settings.document_folder.iterdir()) if before else before) == before


async def test_larger_than_allowed_told_or_not(coordinator: Person, here: Parts, app: FastAPI, case: str) -> None:
    small = http_app(here, dev=app.state.service.dev, limits=Limits(0, 0, 0, document=10_000))
    async with client(small, **dict(coordinator.http.headers)) as http:
        person = Person(coordinator.id, http)
        assert (await attach(person, case, PDF.ljust(10_000))).status_code == 201
        assert_problem(await attach(person, case, PDF.ljust(10_001)), 413, "too_large")
        assert_problem(await attach(person, case, pieces(PDF.ljust(20_000))), 413, "too_large")


async def test_a_document_of_another_case_does_not_exist_here(coordinator: Person, case: str) -> None:
    other = (await coordinator.open())["case"]
    name = (await attach(coordinator, other)).json()["document"]
    assert_problem(await coordinator.get(f"/cases/{case}/documents/{name}"), 404, "not_found")


async def test_missing_changed_and_erased(coordinator: Person, here: Parts, case: str) -> None:
    first, second, third = [(await attach(coordinator, case)).headers["location"] for _ in range(3)]
    file_of(here, first.rsplit("/", 1)[1]).unlink()
    assert_problem(await coordinator.get(first), 503, "document_missing")
    changed = file_of(here, second.rsplit("/", 1)[1])
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    assert_problem(await coordinator.get(second), 500, "document_changed")
    assert (await coordinator.get(third)).status_code == 200
    await here.keys.destroy(case, "clinical")
    assert_problem(await coordinator.get(third), 410, "erased")
    assert_problem(await attach(coordinator, case), 410, "erased")


async def test_another_case_s_key_opens_nothing(here: Parts, coordinator: Person, case: str) -> None:
    """Bytes moved to another case, with the header's key named as that case's own, do not open."""
    other = str((await coordinator.open())["case"])
    store = documents(here)
    kept = await store.keep(case, "clinical", "application/pdf", pieces(PDF))
    keys = [(await here.keys.for_sealing(stream, ["clinical"]))["clinical"].id for stream in (case, other)]
    moved = file_of(here, kept.name).read_bytes().replace(keys[0].encode(), keys[1].encode())
    name = sha256(moved).hexdigest()
    file_of(here, name).write_bytes(moved)
    opened = await store.open(other, name)
    with pytest.raises(DocumentChanged):
        _ = [part async for part in opened.content]


async def test_nothing_of_it_in_the_database_and_all_of_it_in_a_backup(
    coordinator: Person, here: Parts, case: str, tmp_path: Path
) -> None:
    name = (await attach(coordinator, case)).json()["document"]
    connection = await asyncpg.connect(here.settings.database_url.get_secret_value())
    rows = await connection.fetch("select e::text from event e where stream = $1", case)
    await connection.close()
    assert any(name in row["e"] for row in rows)
    assert not any(CANARY.split()[0] in row["e"] for row in rows)
    folder = await backup(here.settings, tmp_path)
    assert (folder / "documents" / name).read_bytes() == file_of(here, name).read_bytes()
    assert (folder / "keys").is_dir()


ATTACH = {"name": "scan.pdf", "media_type": "application/pdf", "bytes": 12}


async def test_a_command_names_only_documents_of_its_case(coordinator: Person, case: str) -> None:
    """Over JSON, without the file: what a dossier lists must be there, and be this case's."""
    other = (await coordinator.open())["case"]
    foreign = (await attach(coordinator, other)).json()["document"]
    own = (await attach(coordinator, case)).json()["document"]
    for field, wrong in (
        ("document", "../../kek"), ("document", "ab" * 32), ("document", foreign), ("document", own.upper()),
        ("bytes", 10**23), ("bytes", 0), ("bytes", -1), ("media_type", "text/html"),
    ):  # fmt: skip
        answer = await coordinator.send(case, "AttachDocument", **{**ATTACH, "document": own, field: wrong})
        assert_problem(answer, 422, "invalid")
        assert [one["pointer"] for one in answer.json()["errors"]] == [f"#/{field}"]
    await coordinator.send(case, "RequestRecord", kind="passport")
    item = next(iter((await coordinator.get(f"/cases/{case}")).json()["case"]["records"]))
    for wrong in ("../../kek", foreign, "a" * 64):
        for name, told in (("ReceiveRecord", {"item": item, "language": "en"}), ("DraftSummary", {})):
            answer = await coordinator.send(case, name, **told, document=wrong)
            assert_problem(answer, 422, "invalid")
            assert [one["pointer"] for one in answer.json()["errors"]] == ["#/document"]
            assert "store the file first" in answer.json()["detail"]
    assert (await coordinator.send(case, "ReceiveRecord", item=item, language="en", document=own)).is_success
    assert (await coordinator.send(case, "AttachDocument", **ATTACH, document=own)).is_success


async def test_a_translator_opens_exactly_the_file_to_translate(
    coordinator: Person, people: Mapping[str, Person], case: str
) -> None:
    """While it is ordered, and no other file; the result comes back the same way, and both are kept."""
    patient = next(iter((await coordinator.get(f"/cases/{case}")).json()["case"]["people"]))
    told = {"person": patient, "form_version": "1", "language": "en"}
    assert (await coordinator.send(case, "GiveConsent", purpose="translation", **told)).is_success
    await coordinator.send(case, "RequestRecord", kind="labs")
    item = next(iter((await coordinator.get(f"/cases/{case}")).json()["case"]["records"]))
    original = (await attach(coordinator, case, PAPER, item=item, language="hi")).json()["document"]
    other = (await attach(coordinator, case)).json()["document"]
    translator = people["translator"]
    assert_problem(await translator.get(f"/cases/{case}/documents/{original}"), 403, "not_allowed")
    assert (await coordinator.send(case, "OrderTranslation", item=item, into="zh")).is_success
    assert (await translator.get(f"/cases/{case}/documents/{original}")).content == PAPER
    assert_problem(await translator.get(f"/cases/{case}/documents/{other}"), 403, "not_allowed")
    done = (await attach(translator, case, WORD, DOCX, item=item, translates="true")).json()
    assert [one["type"] for one in done["recorded"]][:2] == ["DocumentStored", "TranslationDelivered"]
    assert (await translator.get(f"/cases/{case}/documents/{done['document']}")).content == WORD, "to compare them"
    assert (await people["supervisor"].send(case, "CertifyTranslation", item=item)).is_success
    assert_problem(await translator.get(f"/cases/{case}/documents/{done['document']}"), 403, "not_allowed")
    assert_problem(await translator.get(f"/cases/{case}/documents/{original}"), 403, "not_allowed")
    known = (await coordinator.get(f"/cases/{case}")).json()["case"]["records"][item]
    assert (known["original"], known["document"]) == (original, done["document"])
    assert (known["language"], known["into"]) == ("hi", "zh")
