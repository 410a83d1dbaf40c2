"""What a newcomer reads is true: README's table is the code's, every page's commands exist, and so do its files."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from api.cli import main
from domain.journey import as_markdown

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = "\n".join(path.read_text() for path in [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))])


def test_the_journey_table_is_the_codes() -> None:
    shown = re.search(r"test_readme\.py -->\n(.*)\n<!-- end -->", README, re.DOTALL)
    assert shown
    assert shown[1] == as_markdown()


@pytest.mark.parametrize(
    "words", sorted(set(re.findall(r"(?:\.venv/bin/|`)caravel ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", PAGES)))
)
def test_every_command_exists(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([*words.split(), "--help"])
    assert f"Usage: caravel {words}" in capsys.readouterr().out


def test_a_command_that_is_not_there_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["audit", "verfy"])
    assert "verfy" in capsys.readouterr().err


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", PAGES, re.MULTILINE))
    assert {"run", "test", "quick"} <= named <= targets


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python3? -m ([a-z_.]+)", PAGES))))
def test_every_module_that_is_run_exists(module: str) -> None:
    assert find_spec(module)


def test_every_file_it_links_to_is_there() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r"`((?:docs|domain|infra)/[\w./-]+)`", README)
    assert linked
    assert not [name for name in linked if not (ROOT / name).exists()]
