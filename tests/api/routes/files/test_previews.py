"""Previews over HTTP: for whoever may open the document, recorded as a look, with the reason where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

import pytest
from PIL import Image

from api.http.files.file_types import DOCX, SERIES
from api.run.wiring import Parts
from tests.api.conftest import CANARY, Person
from tests.api.http.files.test_inspection import WORD, archive, image
from tests.api.http.files.test_previews import drawn, paper
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_documents import attach


@pytest.fixture(scope="module")
async def case(coordinator: Person) -> str:
    return str((await coordinator.open())["case"])


async def kept(coordinator: Person, case: str, content: bytes, media: str) -> str:
    answer = await attach(coordinator, case, content, media)
    assert answer.status_code == 201, answer.text
    return f"{answer.headers['location']}/preview"


async def looks(here: Parts, who: Person) -> int:
    rows = "select count(*) from event where stream = $1 and data like '%\"document\"%'"
    return int(await here.ledger.pool.fetchval(rows, f"looks-{who.id}"))


@pytest.mark.parametrize(
    ("draw", "what", "media"),
    [(paper, "PATHOLOGY", "application/pdf"), (drawn, "TIFF", "image/tiff"), (drawn, "HEIF", "image/heic")],
)
async def test_a_preview_is_a_picture_that_browsers_show(
    coordinator: Person, here: Parts, case: str, draw: Callable[[str], bytes], what: str, media: str
) -> None:
    path, before = await kept(coordinator, case, draw(what), media), await looks(here, coordinator)
    shown = await coordinator.get(path)
    assert shown.status_code == 200, shown.text
    assert shown.headers["content-type"] in ("image/png", "image/jpeg")
    assert shown.headers["cache-control"] == "no-store"
    with Image.open(BytesIO(shown.content)) as picture:
        assert max(picture.size) == 1200
    assert await looks(here, coordinator) == before + 1


async def test_of_scans_it_is_what_their_header_tells(coordinator: Person, case: str) -> None:
    one = await kept(coordinator, case, image("RAO^BINA"), "application/dicom")
    series = await kept(coordinator, case, archive(a=image("RAO^BINA"), b=image("RAO^BINA")), SERIES)
    for path in (one, series):
        told = (await coordinator.get(path)).json()["told"]
        assert (told["Modality"], told["PatientName"]) == ("CT", "RAO^BINA")


async def test_where_there_is_none_the_reason_is_said(coordinator: Person, case: str) -> None:
    word = await kept(coordinator, case, WORD, DOCX)
    assert_problem(await coordinator.get(word), 422, "no_preview")
    torn = await kept(coordinator, case, b"%PDF-1.7\n" + CANARY.encode(), "application/pdf")
    answer = await coordinator.get(torn)
    assert_problem(answer, 422, "broken")
    assert CANARY not in answer.text


async def test_it_is_for_whoever_may_open_the_document(
    coordinator: Person, people: Mapping[str, Person], case: str
) -> None:
    path = await kept(coordinator, case, paper(), "application/pdf")
    for role, status in (("supervisor", 200), ("operator", 403), ("auditor", 403)):
        assert (await people[role].get(path)).status_code == status, role
    assert (await coordinator.get(path.replace("/documents/", "/documents/0"))).status_code == 404
