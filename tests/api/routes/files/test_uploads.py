"""Uploads in pieces: they go on where they stopped, lie encrypted, end by themselves, and become the document."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx2
import pytest

from activities.ports import OffsetDiffers, PartialUpload, TooManyUploads
from api.run.http_app import documents
from api.run.wiring import Parts
from infra.partial_uploads import MOST, PIECE, PartialUploads
from tests.api.conftest import CANARY, Person
from tests.api.routes.test_commands import assert_problem

WORD = CANARY.encode() + b"-plain"
FILE = b"%PDF-1.7\n" + WORD + bytes(range(256)) * 10_000 + b"\n%%EOF\n"


@pytest.fixture
async def case(coordinator: Person) -> str:
    return str((await coordinator.open())["case"])


async def begun(who: Person, case: str, key: str = "", length: int = len(FILE), **query: str) -> httpx2.Response:
    headers = {
        "Idempotency-Key": key or uuid.uuid4().hex,
        "Upload-Length": str(length),
        "Content-Type": "application/pdf",
    }
    return await who.http.post(f"/cases/{case}/uploads", headers=headers, params=query)


async def piece(who: Person, path: str, offset: int, content: bytes) -> httpx2.Response:
    return await who.http.patch(path, content=content, headers={"Upload-Offset": str(offset)})


def open_files(here: Parts) -> list[Path]:
    return [one for one in (here.settings.document_folder / "open").rglob("*") if one.is_file()]


async def ended(who: Person, *paths: str) -> None:
    for path in paths:
        assert (await who.http.delete(path)).status_code == 200


async def test_a_file_in_pieces_becomes_the_document(coordinator: Person, here: Parts, case: str) -> None:
    began = await begun(coordinator, case)
    assert began.status_code == 201, began.text
    path = began.headers["location"]
    half = PIECE + 1234
    first = await piece(coordinator, path, 0, FILE[:half])
    assert (first.status_code, first.headers["upload-offset"]) == (200, str(half))
    at_rest = b"".join(one.read_bytes() for one in open_files(here))
    assert len(at_rest) > half
    assert WORD not in at_rest
    stands = await coordinator.http.head(path)
    assert (stands.headers["upload-offset"], stands.headers["upload-length"]) == (str(half), str(len(FILE)))
    last = await piece(coordinator, path, half, FILE[half:])
    assert last.status_code == 201, last.text
    assert [one["type"] for one in last.json()["recorded"]] == ["DocumentStored", "DocumentAttached"]
    assert (await coordinator.get(last.headers["location"])).content == FILE
    assert open_files(here) == []
    assert (await coordinator.http.head(path)).status_code == 404


async def test_one_that_waits_for_a_form_is_stored_and_not_recorded(
    coordinator: Person, here: Parts, case: str
) -> None:
    before = (await coordinator.get(f"/cases/{case}/events")).json()
    path = (await begun(coordinator, case, waits="true")).headers["location"]
    whole = await piece(coordinator, path, 0, FILE)
    assert whole.status_code == 200, whole.text
    assert list(whole.json()) == ["aside"]
    assert WORD.decode() not in whole.text
    assert (await coordinator.get(f"/cases/{case}/events")).json() == before
    assert open_files(here) == []
    assert len(list((here.settings.document_folder / "aside").iterdir())) == 1
    junk = (await begun(coordinator, case, waits="true", length=20)).headers["location"]
    assert_problem(await piece(coordinator, junk, 0, b"x" * 20), 422, "invalid")


async def test_begun_again_with_the_same_key_it_goes_on(coordinator: Person, case: str) -> None:
    key = uuid.uuid4().hex
    path = (await begun(coordinator, case, key)).headers["location"]
    await piece(coordinator, path, 0, FILE[:5000])
    again = await begun(coordinator, case, key)
    assert (again.headers["location"], again.json()["offset"]) == (path, 5000)
    assert_problem(await piece(coordinator, path, 0, FILE), 409, "offset_differs")
    assert_problem(await piece(coordinator, path, 5000, FILE), 413, "too_large")
    assert (await piece(coordinator, path, 5000, FILE[5000:])).status_code == 201
    once_more = (await begun(coordinator, case, key)).headers["location"]
    sent = await piece(coordinator, once_more, 0, FILE)
    assert sent.json()["repeated"], "an answer that was lost comes again, and nothing is recorded twice"


async def test_a_key_is_of_one_upload(coordinator: Person, case: str) -> None:
    key, other = uuid.uuid4().hex, str((await coordinator.open())["case"])
    path = (await begun(coordinator, case, key)).headers["location"]
    for again in (begun(coordinator, case, key, length=5), begun(coordinator, other, key)):
        assert_problem(await again, 422, "key_reused")
    assert (await begun(coordinator, case, key)).headers["location"] == path, "the control"
    await ended(coordinator, path)


async def test_the_last_piece_that_comes_twice_at_once_makes_one_document(
    coordinator: Person, here: Parts, case: str
) -> None:
    uploads = PartialUploads(documents(here).store, here.keys)

    async def whole() -> AsyncIterator[bytes]:
        yield FILE

    before = await documents_of(coordinator, case)
    for n in range(1, 5):
        path = (await begun(coordinator, case)).headers["location"]
        found = await uploads.find(coordinator.id, case, path.rpartition("/")[2])
        assert found
        await uploads.append(found[0], 0, whole())
        answers = await asyncio.gather(*(piece(coordinator, path, len(FILE), b"") for _ in range(4)))
        assert {one.status_code for one in answers} <= {201, 404, 409}, [one.text for one in answers]
        assert 201 in {one.status_code for one in answers}
        assert await documents_of(coordinator, case) == before + n
    assert open_files(here) == []


async def test_one_byte_too_many_after_the_last_is_refused_and_nothing_is_lost(
    coordinator: Person, here: Parts, case: str
) -> None:
    path = (await begun(coordinator, case)).headers["location"]
    uploads = PartialUploads(documents(here).store, here.keys)
    found = await uploads.find(coordinator.id, case, path.rpartition("/")[2])
    assert found

    async def whole() -> AsyncIterator[bytes]:
        yield FILE

    await uploads.append(found[0], 0, whole())  # as where the document could not be recorded at once
    assert_problem(await piece(coordinator, path, len(FILE), b"x"), 413, "too_large")
    assert_problem(await piece(coordinator, path, len(FILE) + 9, b"x"), 409, "offset_differs")
    assert (await piece(coordinator, path, len(FILE), b"")).status_code == 201


async def test_pieces_that_are_gone_make_no_document(coordinator: Person, here: Parts, case: str) -> None:
    path = (await begun(coordinator, case)).headers["location"]
    await piece(coordinator, path, 0, FILE[: PIECE * 2])
    uploads = PartialUploads(documents(here).store, here.keys)
    found = await uploads.find(coordinator.id, case, path.rpartition("/")[2])
    assert found
    kept, get = [part async for part in uploads.content(found[0])], []

    async def fewer(_: PartialUploads, upload: PartialUpload) -> AsyncIterator[bytes]:
        get.append(upload)
        yield kept[0]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PartialUploads, "content", fewer)
        assert_problem(await piece(coordinator, path, PIECE * 2, FILE[PIECE * 2 :]), 409, "upload_ended")
    assert get
    assert await documents_of(coordinator, case) == 0


async def documents_of(who: Person, case: str) -> int:
    return (await who.get(f"/cases/{case}/events")).text.count('"DocumentAttached"')


async def test_an_erased_case_holds_no_place(here: Parts, coordinator: Person, case: str) -> None:
    uploads, other = PartialUploads(documents(here).store, here.keys), str((await coordinator.open())["case"])
    who = uuid.uuid4().hex
    gone = [await uploads.begin(who, case, "clinical", f"{n}", b"{}") for n in range(3)]
    kept = [await uploads.begin(who, other, "clinical", f"{n}", b"{}") for n in range(3, 5)]
    with pytest.raises(TooManyUploads):
        await uploads.begin(who, other, "clinical", "6", b"{}")
    await uploads.clear(case)
    assert [await uploads.find(who, case, one.name) for one in gone] == [None] * 3
    assert all([await uploads.find(who, other, one.name) for one in kept]), "those of another case stay"
    kept.append(await uploads.begin(who, other, "clinical", "6", b"{}"))
    for one in kept:
        await uploads.remove(one)


async def test_a_line_that_breaks_keeps_what_came(here: Parts, case: str) -> None:
    uploads = PartialUploads(documents(here).store, here.keys)
    known = await uploads.begin("person-1", case, "clinical", "k", b"{}")

    async def broken() -> AsyncIterator[bytes]:
        yield FILE[: PIECE + 50]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await uploads.append(known, 0, broken())
    assert await uploads.offset(known) == PIECE

    async def rest() -> AsyncIterator[bytes]:
        yield FILE[PIECE:]

    with pytest.raises(OffsetDiffers):
        await uploads.append(known, 0, rest())
    assert await uploads.append(known, PIECE, rest()) == len(FILE)
    assert b"".join([part async for part in uploads.content(known)]) == FILE
    await uploads.remove(known)


async def test_it_is_there_for_whoever_began_it_and_for_that_case(
    coordinator: Person, people: Mapping[str, Person], case: str
) -> None:
    path = (await begun(coordinator, case)).headers["location"]
    for who, where in (
        (people["supervisor"], path),
        (coordinator, path.replace(case, str((await coordinator.open())["case"]))),
        (coordinator, path + "0"),
    ):
        assert (await who.http.head(where)).status_code == 404
        assert (await piece(who, where, 0, FILE)).status_code == 404
    assert (await begun(people["auditor"], case)).status_code == 403
    await ended(coordinator, path)


async def test_a_person_has_few_open_and_may_end_one(coordinator: Person, case: str) -> None:
    paths = [(await begun(coordinator, case)).headers["location"] for _ in range(MOST)]
    assert_problem(await begun(coordinator, case), 429, "too_many_uploads")
    await ended(coordinator, paths.pop())
    last = await begun(coordinator, case)
    assert last.status_code == 201
    await ended(coordinator, *paths, last.headers["location"])


async def test_what_waits_longer_than_a_day_is_swept(coordinator: Person, here: Parts, case: str) -> None:
    old = (await begun(coordinator, case)).headers["location"]
    await piece(coordinator, old, 0, FILE[:5000])
    young = (await begun(coordinator, case)).headers["location"]
    for one in open_files(here):
        if old.rpartition("/")[2] in str(one):
            os.utime(one, (one.stat().st_atime, one.stat().st_mtime - 90_000))
    third = (await begun(coordinator, case)).headers["location"]
    assert (await coordinator.http.head(old)).status_code == 404
    assert (await coordinator.http.head(young)).status_code == 200
    await ended(coordinator, young, third)


@pytest.mark.parametrize("length", ["", "0", "-1", "12x", "1" * 20])
async def test_a_length_is_a_number_of_bytes(coordinator: Person, case: str, length: str) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Upload-Length": length}
    answer = await coordinator.http.post(f"/cases/{case}/uploads", headers=headers)
    assert_problem(answer, 422, "invalid")


async def test_what_is_no_document_is_refused_once_whole_and_does_not_stay(
    coordinator: Person, here: Parts, case: str
) -> None:
    path = (await begun(coordinator, case, length=6)).headers["location"]
    refused = await piece(coordinator, path, 0, b"MZ1234")
    assert_problem(refused, 422, "invalid")
    assert "a program" in refused.json()["detail"]
    assert open_files(here) == []
    assert (await begun(coordinator, case, length=2**45)).status_code == 413
