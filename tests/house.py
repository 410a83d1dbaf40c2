"""Holds the limits of the house: files of a folder, lines of a file and a function, names, lengths of subjects.

`python -m tests.house` is part of `make check`; its exit code is 1 when something is over a limit.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PRODUCT = ("domain", "workflows", "activities", "infra", "api", "rehearsal")
TOPS = (*PRODUCT, "tests")
FILES, LINES, FUNCTION, SUBJECT = 15, 400, 50, 72
"""Python files in a folder without its __init__, lines of a file, lines of a function, characters of a subject."""
BESIDE_ROWS = 3
"""Statements a table may have beside its rows."""
SINCE = "2799491"
"""Commits before this one were made before the limit of subjects was."""


def over(root: Path) -> Iterator[str]:
    """Everything below `root` that is over a limit of folders, files or functions, in a sentence each."""
    for top in TOPS:
        for folder in (root / top, *sorted(one for one in (root / top).rglob("*") if one.is_dir())):
            yield from _folder(folder, folder.relative_to(root))


def _folder(folder: Path, name: Path) -> Iterator[str]:
    files = sorted(folder.glob("*.py"))
    if (number := sum(file.name != "__init__.py" for file in files)) > FILES:
        yield f"{name} has {number} Python files, at most {FILES} are allowed"
    for file in files:
        text = file.read_text(encoding="utf-8")
        if (lines := len(text.splitlines())) > LINES:
            yield f"{name / file.name} has {lines} lines, at most {LINES} are allowed"
        yield from (f"{name / file.name}: {said}" for said in _seen(text).functions)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is looked at of a file: a sentence for each function that is over the limit, and its public classes."""

    functions: tuple[str, ...]
    classes: tuple[str, ...]


@cache
def _seen(text: str) -> Seen:
    """Reading files is most of the time this takes: each is read once."""
    found = list(_statements(ast.parse(text)))
    classes = (one for one in found if isinstance(one, ast.ClassDef) and not _is_port(one))
    return Seen(tuple(_functions(found)), tuple(one.name for one in classes if not one.name.startswith("_")))


def _statements(within: ast.AST) -> Iterator[ast.AST]:
    """Everything that may hold a function or a class, without the expressions, which are most of a file."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for one in getattr(within, part, ()):
            yield one
            yield from _statements(one)


def _functions(found: Iterable[ast.AST]) -> Iterator[str]:
    for one in found:
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (one.end_lineno or one.lineno) - one.lineno + 1
            if lines > FUNCTION and not is_table(one):
                yield f"{one.name} has {lines} lines, at most {FUNCTION} are allowed"


def is_table(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it is a table of single rows, which may be longer.

    A row is a case of a `match`, or an `if` without `else`, that holds one simple statement; or an item of a dict,
    list or tuple that is returned or assigned. At most three other statements stand beside the rows.
    """
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return sum(not _rows(one) for one in body) <= BESIDE_ROWS and any(_rows(one) for one in body)


def _rows(statement: ast.stmt) -> bool:
    match statement:
        case ast.Match(cases=cases):
            return all(_single(case.body) for case in cases)
        case ast.If(body=body, orelse=[]):
            return _single(body)
        case ast.Return(value=value) | ast.Assign(value=value) | ast.AnnAssign(value=value):
            return isinstance(value, ast.Dict | ast.List | ast.Tuple)
        case _:
            return False


def _single(body: list[ast.stmt]) -> bool:
    return len(body) == 1 and isinstance(body[0], ast.Return | ast.Assign | ast.Expr | ast.Raise | ast.Pass)


def namesakes(root: Path) -> Iterator[str]:
    """Public classes of the product that bear one name, in a sentence each. What implements a port may bear its name.

    Stage modules all call the union of what they take `Event` and `Command`; those are no classes.
    """
    places: dict[str, list[str]] = {}
    for file in sorted(one for top in PRODUCT for one in (root / top).rglob("*.py")):
        for name in _seen(file.read_text(encoding="utf-8")).classes:
            places.setdefault(name, []).append(str(file.relative_to(root)))
    for name, files in sorted(places.items()):
        if len(files) > 1:
            yield f"class {name} stands in {' and in '.join(files)}; each wants a name of its own"


def _is_port(one: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in one.bases)


def long_subjects(root: Path, since: str = SINCE) -> Iterator[str]:
    """Commits after `since` whose subject is too long. Nothing where there is no history to look at."""
    words = ["git", "-C", str(root), "log", "--no-merges", "--format=%h %s", "--abbrev=7", f"{since}..HEAD"]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    for line in found.stdout.splitlines():
        commit, _, subject = line.partition(" ")
        if len(subject) > SUBJECT:
            yield f"commit {commit} has a subject of {len(subject)} characters, at most {SUBJECT} are allowed"


def main() -> int:
    """Say what is over a limit, one line each; 1 when anything is."""
    root = Path(__file__).parents[1]
    found = [*over(root), *namesakes(root), *long_subjects(root)]
    for line in found:
        print(line)  # noqa: T201 - the answer of a program
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
