"""A text proposes what a document is, over HTTP and on its page; a person confirms; nothing of the text is kept."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from api.http.files.file_types import DOCX
from api.http.files.previews import reading
from api.run.wiring import Parts
from tests.api.conftest import CANARY, Person
from tests.api.http.files.test_inspection import WORD
from tests.api.http.files.test_previews import drawn, paper
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_documents import attach

LINES = (
    "HISTOPATHOLOGY REPORT\nPatient: Asha Rao\nDate: 12 Nov 2020\nThe biopsy of the lymph node is of no use with Zyxwv"
)


@pytest.fixture(scope="module")
async def case(coordinator: Person) -> str:
    return str((await coordinator.open(patient_name="Asha Rao"))["case"])


async def proposed(coordinator: Person, case: str, content: bytes, media: str) -> str:
    answer = await attach(coordinator, case, content, media)
    assert answer.status_code == 201, answer.text
    return f"{answer.headers['location']}/proposal"


def scan() -> bytes:
    picture = Image.new("RGB", (1700, 700), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(40)
    for number, line in enumerate(LINES.splitlines()):
        draw.text((60, 60 + 90 * number), line, fill="black", font=font)
    return drawn("PNG", picture)


TOLD = {"kind": "pathology", "language": "en", "day": "2020-11-12", "patient_name": "stands"}


async def test_the_text_of_a_pdf_proposes_and_none_of_it_is_kept(
    coordinator: Person, here: Parts, case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = await proposed(coordinator, case, paper(LINES), "application/pdf")
    answer = await coordinator.get(path)
    assert answer.json() == {**TOLD, "read_by": "text"}
    rows = await here.ledger.pool.fetch("select data, meta from event")
    assert not any("Zyxwv" in str(dict(row)) for row in rows)
    assert "Zyxwv" not in "".join(capfd.readouterr())
    assert not files_with(here.settings.home, b"Zyxwv")


def files_with(folder: Path, word: bytes) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file() and word in one.read_bytes()]


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Debian's tesseract-ocr is not installed")
async def test_a_scan_is_read_by_tesseract(coordinator: Person, case: str) -> None:
    answer = await coordinator.get(await proposed(coordinator, case, scan(), "image/png"))
    assert answer.json() == {**TOLD, "read_by": "ocr"}


async def test_where_tesseract_is_not_installed_that_is_said(
    coordinator: Person, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await proposed(coordinator, case, scan(), "image/png")
    reading.installed.cache_clear()
    monkeypatch.setenv("PATH", "")
    answer = await coordinator.get(path)
    reading.installed.cache_clear()
    assert_problem(answer, 422, "no_ocr")
    assert "not installed" in answer.json()["detail"]


async def test_what_has_no_text_says_so(coordinator: Person, case: str) -> None:
    word = await proposed(coordinator, case, WORD, DOCX)
    assert_problem(await coordinator.get(word), 422, "no_text")
    broken = await proposed(coordinator, case, b"%PDF-1.7\n" + CANARY.encode(), "application/pdf")
    assert_problem(await coordinator.get(broken), 422, "broken")


async def test_whoever_may_not_open_it_learns_nothing_of_it(
    coordinator: Person, people: Mapping[str, Person], case: str
) -> None:
    path = await proposed(coordinator, case, paper(LINES), "application/pdf")
    assert (await people["operator"].get(path)).status_code == 403
    assert (await people["auditor"].get(path)).status_code == 403
