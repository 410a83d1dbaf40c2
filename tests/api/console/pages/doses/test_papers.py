"""Labels and reports over HTTP: printed, recorded, read back; the same bytes for the same facts; for quality only."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

import pypdfium2 as pdfium  # type: ignore[import-untyped] # it has no types
import zxingcpp

from tests.api.conftest import CANARY, Person
from tests.api.console.conftest import Browser, hidden
from tests.api.routes.doses.test_genealogy import told
from tests.api.routes.doses.test_readings import FILE, filled, sent  # noqa: F401 - a fixture
from tests.api.routes.doses.test_recalls import opened
from tests.api.routes.test_commands import assert_problem

STATED = {"number": "LOT-7", "product_code": "S1234V00", "donation": "A9999251234569", "zone": "Europe/Berlin"}


def text_of(made: bytes) -> str:
    return "\n".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(made))


async def test_a_label_is_printed_recorded_and_read_back(
    people: Mapping[str, Person],
    browsers: Mapping[str, Browser],
    filled: Mapping[str, str],  # noqa: F811 - the fixture
) -> None:
    quality, lot, unit = people["quality"], filled["lot"], filled["first"]
    refused = await quality.post(f"/lots/{lot}/commands", {"type": "PrintLabel", "unit": unit})
    assert_problem(refused, 409, "missing")
    page, path = browsers["quality"], f"/console/lots/{lot}"
    form = hidden((await page.get(path)).text)
    assert (await page.post(path, **{**form, **STATED, "type": "StateLabel", "volume_ml": "20"})).status_code == 200
    shown = await page.post(path, **{**hidden((await page.get(path)).text), "type": "PrintLabel", "unit": unit})
    assert f"/lots/{lot}/labels/1" in shown.text
    await told(quality, lot, "PrintLabel", unit=unit)
    first = await quality.get(f"/lots/{lot}/labels/1")
    assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf"), first.text[:500]
    [sheet] = pdfium.PdfDocument(first.content)
    [code] = zxingcpp.read_barcodes(sheet.render(scale=5).to_pil())
    assert code.text.startswith("=+05000=A99992512345600=<S1234V00&,1")
    assert "copy 1" in text_of(first.content)
    assert "copy 2" in text_of((await quality.get(f"/lots/{lot}/labels/2")).content)
    await told(quality, lot, "StateLabel", **{**STATED, "number": "LOT-8"})
    assert (await quality.get(f"/lots/{lot}/labels/1")).content == first.content
    assert_problem(await quality.get(f"/lots/{lot}/labels/3"), 404, "not_found")
    assert_problem(await people["coordinator"].get(f"/lots/{lot}/labels/1"), 403, "not_allowed")


async def test_custody_and_recall_are_reported_in_three_languages(
    people: Mapping[str, Person],
    filled: Mapping[str, str],  # noqa: F811 - the fixture
) -> None:
    quality, path = people["quality"], f"/lots/{filled['lot']}/custody"
    unit = {"unit": filled["first"]}
    before = (await quality.get(path, **unit)).content
    assert before == (await quality.get(path, **unit)).content
    assert (await sent(quality, filled["store"], FILE, uuid.uuid4().hex)).is_success
    made = await quality.get(path, **unit)
    assert made.content != before
    text = text_of(made.content)
    for said in (filled["first"], "A1", "too warm", "-180.0 … -140.0 °C (10)", "stopped"):
        assert said in text, text
    assert filled["second"] not in text
    for language, said in (("zh", "制剂保管报告"), ("ar", "ح")):
        assert said in text_of((await quality.get(path, **unit, language=language)).content)
    assert_problem(await quality.get(path, **unit, language="xx"), 422, "invalid")
    assert_problem(await quality.get(path, unit="none"), 404, "not_found")
    recall = await opened(quality, drill=False)
    report = await quality.get(f"/recalls/{recall['id']}/report")
    assert {"r1", "r2"} <= set(text_of(report.content).split())
    assert CANARY in text_of(report.content)
    assert report.content == (await quality.get(f"/recalls/{recall['id']}/report")).content
    for role in ("coordinator", "auditor"):
        assert_problem(await people[role].get(path, **unit), 403, "not_allowed")
        assert_problem(await people[role].get(f"/recalls/{recall['id']}/report"), 403, "not_allowed")
