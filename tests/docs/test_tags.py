"""Every tag a docstring, comment or page uses stands in docs/domain or docs/promises.md, and people are shown none."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from domain.journey import COMMANDS, RULES, TAKES

ROOT = Path(__file__).parents[2]
FOLDERS = ("domain", "workflows", "activities", "infra", "api", "rehearsal", "tests", "bench", "docs")
PAGES = sorted((ROOT / "docs" / "domain").glob("*.md"))
PROMISES = ROOT / "docs" / "promises.md"
CODE = r"(?:S1?\d|P\d|[a-z][a-z-]*\.[a-z0-9][a-z0-9-]*)"
TAGS = re.compile(rf"\[({CODE}(?:(?:, |-){CODE})*)\](?!\()")
"""Tags in square brackets, several by comma; S8-S10 is a range. What is followed by ( is a link."""
BARE = re.compile(r"\bDOMAIN\b|\bDESIGN\b|\bseed [AB]\d|SEED-[AB]|(?<![\w\[,-])[PF][1-9]\b|\(A\d+\b|# A\d+:|\[\d\.\d\]")
"""Codes of texts that are not in the repository, or tags without brackets."""


def defined() -> list[str]:
    """Every tag that has its line."""
    return [
        tag
        for page in (*PAGES, PROMISES)
        for tag in re.findall(rf"^- \*\*\[({CODE})\]\*\*", page.read_text(), re.MULTILINE)
    ]


def used(text: str) -> set[str]:
    """Every tag a text uses; of a range both ends."""
    return {tag for group in TAGS.findall(text) for tag in re.findall(CODE, group)}


@cache
def whole(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prose(path: Path) -> str:
    """Docstrings (those of constants too) and comments of a Python file; of any other all of it."""
    text = whole(path)
    if path.suffix != ".py":
        return text
    parts = [t.string for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT]
    said = [
        n.value.value
        for n in ast.walk(ast.parse(text))
        if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)
    ]
    parts += [one for one in said if isinstance(one, str)]
    return "\n".join(parts)


def files() -> Iterator[Path]:
    """What people read in the repository."""
    yield from sorted(ROOT.glob("*.md"))
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".md", ".yaml", ".sql", ".sh") and path != Path(__file__):
                yield path


def test_every_tag_is_written_once_and_its_page_is_named_after_it_or_shared() -> None:
    tags = defined()
    assert len(tags) == len(set(tags))
    assert {f"S{n}" for n in range(1, 14)} | {f"P{n}" for n in range(1, 10)} <= set(tags)


def test_every_tag_that_is_used_resolves() -> None:
    known = set(defined())
    suspects = (path for path in files() if used(whole(path)) - known)  # taking prose out of all would take seconds
    unknown = {f"{path.relative_to(ROOT)}: {tag}" for path in suspects for tag in used(prose(path)) - known}
    assert not unknown


def test_no_text_names_a_page_that_is_not_here() -> None:
    suspects = (path for path in files() if BARE.search(whole(path)))
    assert not {f"{path.relative_to(ROOT)}: {hit}" for path in suspects for hit in BARE.findall(prose(path))}


@pytest.mark.parametrize("text", ["A step [journey.invented].", "Twice [S1, doses.invented].", "Stages [S8-S14]."])
def test_an_invented_tag_is_noticed(text: str) -> None:
    assert used(text) - set(defined())


@pytest.mark.parametrize(
    "text", ["as DOMAIN.md 1.3 says", "a closed door (P7)", "(seed A114)", "since (A13)", "is told [1.3]."]
)
def test_a_code_of_another_text_is_noticed(text: str) -> None:
    assert BARE.search(text)


def test_people_are_shown_no_tags() -> None:
    events = {event for row in TAKES.values() for event in row.records}
    shown: list[Any] = [*COMMANDS, *events, *(rule.follows for rule in RULES)]
    assert not {one.__name__ for one in shown if used(one.__doc__ or "")}
