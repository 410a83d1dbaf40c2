"""A label's Data Matrix is read back from the page; papers are the same bytes, in three scripts."""

import re
from typing import Any

import pypdfium2 as pdfium  # type: ignore[import-untyped] # it has no types
import pytest
import zxingcpp

from infra.paper.typesetting import Typesetter

MESSAGE = "=+05000=A99992512345600=<S1234V00&,100000000000000LOT7&,20000000000000000U1&>0270601400"
LABEL = {
    "title": "CD19 cells", "donation": "A999925123456", "check": "9", "footer": "Label, copy 1", "language": "en",
    "rtl": False, "rows": [["Lot", "LOT-7"], ["Unit", "U-1"]],
}  # fmt: skip


def report(language: str, *, rtl: bool, said: str) -> dict[str, Any]:
    section = {"title": said, "lines": [said], "head": [said, "A"], "rows": [["U-1", said], ['#import "x"', "*"]]}
    return {"title": said, "lines": [said], "sections": [section], "footer": "v 7", "language": language, "rtl": rtl}


def text_of(made: bytes) -> str:
    return "\n".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(made))


async def test_a_label_is_read_back_from_its_picture() -> None:
    made = await Typesetter().label(LABEL, MESSAGE)
    [page] = pdfium.PdfDocument(made)
    found = zxingcpp.read_barcodes(page.render(scale=5).to_pil())
    assert [(one.format, one.text) for one in found] == [(zxingcpp.BarcodeFormat.DataMatrix, MESSAGE)]
    other = await Typesetter().label(LABEL, MESSAGE.replace("LOT7", "LOT8"))
    [page] = pdfium.PdfDocument(other)
    assert [one.text for one in zxingcpp.read_barcodes(page.render(scale=5).to_pil())] != [MESSAGE]


async def test_a_label_says_in_words_what_its_code_holds() -> None:
    text = text_of(await Typesetter().label(LABEL, MESSAGE))
    for said in ("A999925123456", "CD19 cells", "LOT-7", "U-1", "Label, copy 1"):
        assert said in text


@pytest.mark.parametrize(
    ("language", "rtl", "said"),
    [("en", False, "Custody"), ("zh", False, "制剂保管报告"), ("ar", True, "تقرير الحيازة")],
)
async def test_a_report_is_set_in_each_script_and_is_the_same_bytes_again(language: str, rtl: bool, said: str) -> None:
    paper = report(language, rtl=rtl, said=said)
    first, again = await Typesetter().report(paper), await Typesetter().report(paper)
    assert first == again
    assert first != await Typesetter().report({**paper, "footer": "v 8"})
    text = text_of(first)
    assert set(re.sub(r"\s", "", said)) <= set(text), text
    assert "\ufffd" not in text
    assert rtl or '#import "x"' in text  # what is put in is never a command
    fonts = re.findall(rb"/FontName\s*/([^\s/]+)", first)
    assert not [name for name in fonts if b"Noto" not in name], fonts
