"""What README says is true: its table is the code's, its commands exist, its files are there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from domain.journey import as_markdown

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_journey_table_is_the_codes() -> None:
    shown = re.search(r"test_readme\.py -->\n(.*)\n<!-- end -->", README, re.DOTALL)
    assert shown
    assert shown[1] == as_markdown()


@pytest.mark.parametrize("words", sorted(set(re.findall(r"\.venv/bin/caravel ((?:[a-z]+ ?){1,2})", README))))
def test_every_command_exists(words: str) -> None:
    asked = [sys.executable, "-m", "api.cli", *words.split(), "--help"]
    shown = subprocess.run(asked, capture_output=True, text=True, check=False, cwd=ROOT)
    assert shown.returncode == 0, shown.stdout + shown.stderr


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE)) <= targets


def test_every_file_it_links_to_is_there() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r"`((?:docs|domain|infra)/[\w./-]+)`", README)
    assert linked
    assert not [name for name in linked if not (ROOT / name).exists()]
