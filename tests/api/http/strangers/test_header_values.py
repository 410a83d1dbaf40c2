"""Header values with parameters: read as browsers mean them, and each character once, however long they are."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest

from api.http.strangers import header_values
from api.http.strangers.header_values import PARAMETER, filename, parameters

PARSER = import_module("re._parser")
"""What `re` itself reads patterns with."""


@pytest.mark.parametrize(
    ("text", "value", "given"),
    [
        ("", "", {}),
        ("Text/Plain ", "text/plain", {}),
        ("multipart/form-data; Boundary=x", "multipart/form-data", {"boundary": "x"}),
        ('form-data; name="a;b"; filename="c \\"d\\" \\\\e"', "form-data", {"name": "a;b", "filename": 'c "d" \\e'}),
        ("a ; b = c;d=", "a", {"b": "c", "d": ""}),
        ("a; b=1; b=2", "a", {"b": "1"}),
        ("a; b=1; ; c=2", "a", {"b": "1"}),
        ('a; b="no end', "a", {}),
        ("a; =b", "a", {}),
    ],
)
def test_what_is_read(text: str, value: str, given: dict[str, str]) -> None:
    assert parameters(text) == (value, given)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('attachment; filename="a b.pdf"', "a b.pdf"),
        ("attachment; filename=a.pdf; filename*=utf-8''%C3%98ster%20%22x%22.pdf", 'Øster "x".pdf'),
        ("attachment; filename*=UTF-8'da'%C3%98", "Ø"),
        ("attachment; filename*=koi8-r''%C3%98; filename=a", "a"),
        ("attachment", ""),
    ],
)
def test_the_name_of_a_file(text: str, name: str) -> None:
    assert filename(parameters(text)[1]) == name


SHAPES = ("a{};", 'a;b="{}\\"', "a{};b=c", "a;{}x", 'a{};b="', "a{} ;", "a;b{} ", 'a;{}"')


def text_of(shape: str, times: int) -> str:
    start, _, again = shape.partition("{}")
    return start + again * times


def gives_back(pattern: str) -> list[str]:
    """Repeats that may give back what they have read: only those make a pattern read the same again and again.

    What is possessive reads on and never back, so that one match costs at most the length of what it looks at, once for
    each alternative that is written down.
    """
    found: list[str] = []

    def look(part: Any) -> None:
        if isinstance(part, PARSER.SubPattern | list | tuple):
            for one in part:
                look(one)
        name, *given = part if isinstance(part, tuple) and part else (None,)
        if str(name) in ("MAX_REPEAT", "MIN_REPEAT") and given[0][0] != given[0][1]:
            found.append(str(given[0][2]))

    look(PARSER.parse(pattern))
    return found


@pytest.mark.parametrize("name", ["PARAMETER", "ESCAPED", "UTF_8"])
def test_no_pattern_reads_back(name: str) -> None:
    assert gives_back(getattr(header_values, name).pattern) == []


@pytest.mark.parametrize("pattern", ["a*;", "(?:a|b)+c", "x(?:y(z*?))", r"(?:[ \t]*;){2}"])
def test_control_what_reads_back_is_seen(pattern: str) -> None:
    assert gives_back(pattern)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_character_is_read_by_one_match_and_at_most_one_that_fails(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int | None]] = []

    class Watched:
        @staticmethod
        def match(text: str, at: int) -> re.Match[str] | None:
            found = PARAMETER.match(text, at)
            asked.append((at, found.end() if found else None))
            return found

    monkeypatch.setattr(header_values, "PARAMETER", Watched)
    text = text_of(shape, 2_000)
    header_values.parameters(text)
    *good, last = asked
    assert last[1] is None
    assert all(end is not None and end > at for at, end in good)
    assert [end for _, end in good] == [at for at, _ in asked[1:]], "each begins where the one before ended"
