"""What a docstring says a call raises is there to be caught: a name that was changed is changed there too."""

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.house import PRODUCT

ROOT = Path(__file__).parents[2]
NAME = r"[A-Z]\w+(?:\([^)]*\))?"
RAISES = re.compile(rf"\bRaises? ({NAME}(?:(?:,| or| and) (?:also )?{NAME})*)")


def known(trees: list[ast.Module]) -> set[str]:
    """Every name that can be caught: of Python, of a class or constant of ours, or brought in."""
    found = set(dir(builtins))
    for one in (node for tree in trees for node in ast.walk(tree)):
        match one:
            case ast.ClassDef(name=name):
                found.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found |= {(each.asname or each.name).rpartition(".")[2] for each in names}
            case ast.Assign(targets=targets):
                found |= {each.id for each in targets if isinstance(each, ast.Name)}
            case _:
                pass
    return found


def raised(text: str) -> Iterator[str]:
    """The exceptions a docstring names; what stands in parentheses are reasons of a refusal."""
    for said in RAISES.findall(text):
        yield from re.findall(r"[A-Z]\w+", re.sub(r"\([^)]*\)", "", said))


def lacking(names: set[str], texts: Iterable[str]) -> set[str]:
    """Those of the names nobody can catch. Only files are parsed that have one of those still looked for."""
    left = names - set(dir(builtins))
    for text in texts:
        if any(name in text for name in left):
            left -= known([ast.parse(text)])
    return left


def test_what_is_said_to_be_raised_exists() -> None:
    texts = {file: file.read_text(encoding="utf-8") for top in PRODUCT for file in sorted((ROOT / top).rglob("*.py"))}
    said = {file: set(raised(text)) for file, text in texts.items()}
    wrong = lacking({name for names in said.values() for name in names}, texts.values())
    assert {str(file.relative_to(ROOT)): names & wrong for file, names in said.items() if names & wrong} == {}


def test_the_check_reads_several_and_leaves_reasons_out() -> None:
    text = '"""Send it. Raises GatewayRefused(no_centre), Unreachable; any other = unknown. Raises OSError or Gone."""'
    assert list(raised(text)) == ["GatewayRefused", "Unreachable", "OSError", "Gone"]
    assert "Gone" not in known([ast.parse("class Unreachable(Exception): ...")])
    there = ["# Gone is no class here\nclass Unreachable(Exception): ...", "from a import Away"]
    assert lacking({"Gone", "Unreachable", "Away", "OSError"}, there) == {"Gone"}
