"""Header values with parameters: read as browsers mean them, in time that grows with their length and no faster."""

from __future__ import annotations

import time

import pytest

from api.http.strangers.header_values import filename, parameters


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


def growth(read: object, shape: str) -> float:
    """How many times longer a text of 16 times the length takes, the fastest of five."""

    def took(text: str) -> float:
        began = time.thread_time()
        read(text)  # type: ignore[operator]
        return time.thread_time() - began

    short, long = (min(took(text_of(shape, times)) for _ in range(5)) for times in (2_000, 32_000))
    return long / max(short, 100e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_longer_text_takes_no_longer_than_its_length(shape: str) -> None:
    assert growth(parameters, shape) < 64, "16 is straight, 256 is by the square"


def test_the_check_sees_what_takes_time_by_the_square() -> None:
    assert growth(lambda text: [text[at:].count("x") for at in range(len(text))], "a{};") > 64
