"""Each part of a JSON text is known by the line it stands on."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.catalogue_files import lines
from activities.catalogue_files.lines import FileRefused, read

NAMES = st.text(min_size=1, max_size=8).filter(lambda name: "/" not in name and "\0" not in name)
LEAVES = st.one_of(st.text(max_size=12).filter(lambda text: "\0" not in text), st.integers(), st.booleans(), st.none())
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4))
    ),
    max_size=5,
)


def leaves(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    yield at, value
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, f"{at}/{name}")
    if isinstance(value, list):
        for n, one in enumerate(value):
            yield from leaves(one, f"{at}/{n}")


@given(TREES, st.booleans())
def test_every_part_is_found_on_the_line_it_is_written_on(tree: dict[str, Any], ascii_only: bool) -> None:
    written = json.dumps(tree, indent=1, ensure_ascii=ascii_only)
    text = read(written.encode("utf-8", "surrogatepass") if ascii_only else written.encode("utf-8", "replace"))
    lines = written.split("\n")
    every = list(leaves(tree, "#"))
    assert set(text.lines) == {at for at, _ in every}
    for at, value in every:
        if not isinstance(value, dict | list):
            assert json.dumps(value, ensure_ascii=ascii_only) in lines[text.lines[at] - 1]


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        (b'{\n "a": 1,\n "b": }', 3, "is not JSON here"),
        (b'{\n "a": 1,\n "a": 2}', 3, "stands there twice"),
        (b'{\n "a": "\xff"}', 2, "is not UTF-8"),
        (b"[1]", 1, "must be an object"),
        (b'{"a": NaN}', 1, "is not JSON"),
        (b"", 1, "is not JSON here"),
    ],
)
def test_what_is_no_json_object_is_refused_at_its_line(body: bytes, line: int, words: str) -> None:
    with pytest.raises(FileRefused) as caught:
        read(body)
    [fault] = caught.value.faults
    assert fault.line == line
    assert words in fault.detail


def test_a_fault_in_something_that_is_not_there_stands_where_it_is_missing() -> None:
    text = read(b'{\n "protocols": [\n  {"title": "x"}\n ]\n}')
    assert text.fault("#/protocols/0/registry", "is required").line == 3
    assert text.fault("#/elsewhere", "x").line == 1


def test_a_number_without_end_and_a_file_of_too_many_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileRefused) as caught:
        read(b'{"a": ' + b"9" * 6000 + b"}")
    assert "more digits" in caught.value.faults[0].detail
    monkeypatch.setattr(lines, "MOST_PARTS", 5)
    assert read(b'{"a": [1, 2, 3]}').lines, "the control"
    with pytest.raises(FileRefused) as caught:
        read(b'{"a": [1, 2, 3,\n 4]}')
    assert (caught.value.faults[0].line, "split the file" in caught.value.faults[0].detail) == (2, True)
