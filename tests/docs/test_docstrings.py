"""A public docstring is a sentence with a verb: it does not begin as an indirect question or as half a sentence."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import journey
from domain.catalogue import streams

ROOT = Path(__file__).parents[2]
FOLDERS = ("domain", "workflows", "activities", "infra", "api", "rehearsal")
HALF = re.compile(r"(?:Whether|What|How|Who|Whom|Whose|Which|When|Where|Why|Of|It is|One of|By|From|As|At|In|For)\b")


GIVEN = {command.__name__ for command in (*journey.COMMANDS, *streams.COMMANDS)}
SHOWN = re.compile(r"(?:app|router)\b")
"""Decorators of addresses and of the command line."""


def shown(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether people are shown the docstring: of events, addresses and the command line."""
    typed = isinstance(node, ast.ClassDef) and any(ast.unparse(line).startswith("type: Literal") for line in node.body)
    return (typed and node.name not in GIVEN) or any(
        SHOWN.match(ast.unparse(decorator)) for decorator in node.decorator_list
    )


def public(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Name and docstring of every public class and function, methods too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            if not shown(node):
                yield node.name, ast.get_docstring(node) or ""
            yield from public(node)


def half(source: str) -> list[str]:
    """Names whose docstring has no verb to begin with; the module's own is named first."""
    tree = ast.parse(source)
    said = [("the module", ast.get_docstring(tree) or ""), *public(tree)]
    return [name for name, text in said if HALF.match(text)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_public_docstrings_are_sentences(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    assert not [
        f"{path.relative_to(ROOT)}: {name}" for path in files for name in half(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("said", ["Whether it holds.", "Of an inner node.", "What a look came to.", "It is over."])
def test_half_a_sentence_is_noticed(said: str) -> None:
    assert half(f'def f():\n    """{said}"""') == ["f"]
    assert half('def f():\n    """Return whether it holds."""') == []
