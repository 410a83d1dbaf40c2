"""Every spreadsheet gives all of its rows under the numbers its sheet shows, or a fault with row and column."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.chart import BarChart, Reference

from api.cli.sheet_cells import NO_VALUE, TOO_LARGE, TOO_LONG, SheetCells, SheetInvalid, read_cells
from api.cli.spreadsheets import SheetMapping, rows_of
from tests.drawing import draws

TITLES = ("Ref", "Country", "Phone")


def saved(folder: Path, *rows: Sequence[Any], change: Callable[[Any], object] = lambda _: None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    change(book)
    path = folder / "cases.xlsx"
    book.save(path)
    return path


def replaced(path: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """The same workbook with one of its parts changed."""
    with zipfile.ZipFile(path) as old:
        parts = {one: old.read(one) for one in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for one, content in parts.items():
            new.writestr(one, change(content) if one == name else content)
    return path


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "cases.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path) -> list[SheetCells]:
    return list(read_cells(path))


SHEET = "xl/worksheets/sheet1.xml"


def test_a_size_that_is_claimed_hides_no_row(tmp_path: Path) -> None:
    path = saved(tmp_path, TITLES, ("A1", "IN", ""), ("A2", "KE", ""))
    small = replaced(path, SHEET, lambda xml: xml.replace(b'ref="A1:C3"', b'ref="A1"'))
    assert b'<dimension ref="A1"' in zipfile.ZipFile(small).read(SHEET), "the control"
    assert [row.texts["Ref"] for row in read(small)] == ["A1", "A2"]


def test_rows_keep_the_numbers_that_the_sheet_shows(tmp_path: Path) -> None:
    rows = [(), TITLES, ("A1",), (), (), ("A2", "KE")]
    expected = [(3, "A1"), (6, "A2")]
    assert [(row.number, row.texts["Ref"]) for row in read(saved(tmp_path, *rows))] == expected
    text = "\n".join(",".join(row) for row in rows)
    assert [(row.number, row.texts["Ref"]) for row in read(written(tmp_path, text))] == expected


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (9.19876543210e11, "General", "919876543210"),
        (919876543210, "General", "919876543210"),
        (7, "00000", "00007"),
        (1.5, "General", "1.5"),
        (True, "General", "TRUE"),
        (datetime(9999, 12, 31), "yyyy-mm-dd", "9999-12-31"),  # noqa: DTZ001 - a day has no zone
        (" a ", "General", "a"),
    ],
)
def test_a_cell_is_read_as_it_shows(tmp_path: Path, value: Any, form: str, shown: str) -> None:
    def format_it(book: Any) -> None:
        book.worksheets[0]["C2"].number_format = form

    [row] = read(saved(tmp_path, TITLES, ("A1", "IN", value), change=format_it))
    assert (row.texts["Phone"], row.faults) == (shown, [])


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("#N/A", "shows the error #N/A"),
        ("=1+1", NO_VALUE),
        (98765432109876543, TOO_LONG),
        (9.8765432109876e16, TOO_LONG),
    ],
)
def test_what_a_cell_cannot_say_is_a_fault_of_its_row_and_column(tmp_path: Path, value: Any, fault: str) -> None:
    [row] = read(saved(tmp_path, TITLES, ("A1", "IN", value)))
    assert (row.number, row.texts["Phone"], row.faults) == (2, "", [("Phone", fault)])


def test_a_number_too_large_for_a_spreadsheet_is_a_fault_of_its_row_and_column(tmp_path: Path) -> None:
    path = replaced(saved(tmp_path, TITLES, ("A1", "IN", 77)), SHEET, lambda xml: xml.replace(b">77<", b">-1E400<"))
    [row] = read(path)
    assert (row.number, row.faults) == (2, [("Phone", TOO_LARGE)])


def test_columns_of_one_title_and_cells_without_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(SheetInvalid, match="row 1: two columns are called Phone"):
        read(written(tmp_path, "Ref,Phone,Phone\nA1,1,2\n"))
    [row] = read(written(tmp_path, "Ref,Phone\nA1,1,2,\n"))
    assert row.faults == [("column 3", "stands below no title")]


@pytest.mark.parametrize("text", ['Ref,Note\nA1,"never closed\nA2,x\n', 'Ref,Note\nA1,"a\nA2,"b"\n'])
def test_a_quote_that_is_not_closed_swallows_no_row_in_silence(tmp_path: Path, text: str) -> None:
    with pytest.raises(SheetInvalid, match="row 2: a quote is not closed"):
        read(written(tmp_path, text))
    [row] = read(written(tmp_path, 'Ref,Note\nA1,"two\nlines, ""quoted"""\n'))
    assert row.texts["Note"] == 'two\nlines, "quoted"', "the control"


def test_semicolons_tabs_and_marks_of_order_are_read_and_other_encodings_named(tmp_path: Path) -> None:
    for text in ("\ufeffRef;Phone\r\nA1;1,5\r\n", "Ref\tPhone\nA1\t1,5"):
        assert [row.texts for row in read(written(tmp_path, text))] == [{"Ref": "A1", "Phone": "1,5"}]
    for encoding in ("utf-16", "gb18030"):
        with pytest.raises(SheetInvalid, match="UTF-8"):
            read(written(tmp_path, "Ref,患者\nA1,王\n".encode(encoding)))


def chart_first(book: Any) -> None:
    chart = BarChart()
    chart.add_data(Reference(book.worksheets[0], min_col=1, min_row=1, max_row=2))
    book.create_chartsheet("Chart", 0).add_chart(chart)


def test_a_chart_before_the_sheet_is_passed_over(tmp_path: Path) -> None:
    path = saved(tmp_path, TITLES, ("A1", "IN", ""), change=chart_first)
    assert [row.texts["Ref"] for row in read(path)] == ["A1"]


def damaged(path: Path) -> Path:
    raw = bytearray(path.read_bytes())
    middle = raw.index(b"xl/worksheets/sheet1.xml") + 60
    raw[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(bytes(raw))
    return path


BROKEN: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no zip": (lambda p: (p.write_bytes(b"PK\x03\x04 nonsense"), p)[1], "damaged"),
    "a stream cut": (damaged, "damaged"),
    "no styles": (lambda p: replaced(p, "xl/styles.xml", lambda _: b"<styleSheet"), "damaged"),
    "styles that name nothing": (
        lambda p: replaced(p, SHEET, lambda x: x.replace(b"<c r=", b'<c s="99" r=')),
        "damaged",
    ),
    "empty": (lambda p: (p.write_bytes(b""), p)[1], "damaged"),
    "far away": (lambda p: replaced(p, SHEET, lambda x: x.replace(b'r="A2"', b'r="XFD99999"')), "reaches to"),
    "no file": (lambda p: p.with_name("none.xlsx"), "damaged"),
    "old": (lambda p: p.rename(p.with_suffix(".xls")), "save it as one"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_damaged_workbook_is_named_and_never_a_failure(tmp_path: Path, kind: str) -> None:
    breaks, words = BROKEN[kind]
    path = breaks(saved(tmp_path, TITLES, ("A1", "IN", "1")))
    with pytest.raises(SheetInvalid, match=words):
        read(path)


@pytest.mark.parametrize("text", ["", "\n\n", "Ref,Phone\n", "Ref,Phone\n,\n"])
def test_a_file_without_a_row_says_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(SheetInvalid, match=r"is empty|no row"):
        read(written(tmp_path, text))


WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), max_size=6).map(str.strip)


@given(st.lists(st.lists(WORDS, min_size=2, max_size=2), min_size=1, max_size=6))
@draws(60)
def test_whatever_rows_are_written_they_are_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    lines = ["Ref,Note", *(",".join('"{}"'.format(one.replace('"', '""')) for one in row) for row in rows)]
    path = written(tmp_path_factory.mktemp("sheet"), "\n".join(lines))
    expected = [(n, *row) for n, row in enumerate(rows, 2) if any(row)]
    if not expected:
        return
    assert [(row.number, row.texts["Ref"], row.texts["Note"]) for row in read_cells(path)] == expected


MAPPING = SheetMapping(
    name="desk", key="Ref", open={"country": "Country", "zone": "Zone", "urgent": "Urgent"},
    facts={"stay_until": "Stay", "entered": "Came", "infusions": ["Day 0"]}, always={"stage": "records"},
)  # fmt: skip


def tried(**cells: str) -> Any:
    texts = {"Ref": "A1", "Country": "CN", "Zone": "Asia/Shanghai", "Urgent": "", "Stay": "", "Came": "", "Day 0": ""}
    [row] = rows_of(MAPPING, iter([SheetCells(2, texts | cells)]))
    return row


@pytest.mark.parametrize("word", ["ja", "Oui", "是", "✓", "YES", "TRUE", "x"])
def test_yes_in_the_words_of_the_desk_is_yes(word: str) -> None:
    assert tried(Urgent=word).opening["urgent"] is True


@pytest.mark.parametrize(("word", "faults"), [("nein", ()), ("否", ()), ("FALSE", ()), ("perhaps", ("Urgent",))])
def test_no_is_no_and_anything_else_is_asked_about(word: str, faults: tuple[str, ...]) -> None:
    row = tried(Urgent=word)
    assert (row.opening["urgent"], tuple(column for column, _ in row.faults)) == (False, faults)


def test_a_day_of_a_sheet_is_a_day_where_the_case_is() -> None:
    facts = tried(**{"Stay": "2026-12-31", "Came": "2026-12-01", "Day 0": "2026-12-10"}).facts
    assert datetime.fromisoformat(facts["stay_until"]).astimezone(UTC) == datetime(
        2026, 12, 31, 15, 59, 59, 999999, UTC
    )
    assert datetime.fromisoformat(facts["entered"]).astimezone(UTC) == datetime(2026, 11, 30, 16, tzinfo=UTC)
    [infused] = facts["infusions"]
    assert infused == {
        "precision": "day", "earliest": "2026-12-09T16:00:00+00:00", "latest": "2026-12-10T15:59:59.999999+00:00",
    }  # fmt: skip
