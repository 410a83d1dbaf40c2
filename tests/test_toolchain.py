"""What the pinned files and the pure layers promise, read from the files themselves."""

import ast
import re
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PINNED = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.MULTILINE)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_pinned_files_hold_hashes_and_no_address(name: str) -> None:
    text = (TOP / name).read_text()
    assert "://" not in text
    pins = re.split(r"\n(?=\S)", text.strip())
    assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == []


def test_developers_run_the_versions_that_are_shipped() -> None:
    shipped = set(PINNED.findall((TOP / "requirements.txt").read_text()))
    assert shipped - set(PINNED.findall((TOP / "requirements-dev.txt").read_text())) == set()


def imported_roots(file: Path) -> set[str]:
    """Names of the top-level packages a file imports anywhere."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "domain" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_domain_imports_the_standard_library_only() -> None:
    # import-linter can only forbid packages by name; this one forbids those nobody has thought of.
    allowed = sys.stdlib_module_names | {"domain"}
    files = sorted((TOP / "domain").rglob("*.py"))
    assert files
    assert {str(file): extra for file in files if (extra := imported_roots(file) - allowed)} == {}
