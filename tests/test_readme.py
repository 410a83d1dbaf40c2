"""What a newcomer reads is true: README's table is the code's, every page's commands exist, and so do its files."""

import json
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


MEASURED = {
    "case turn": "case_turn",
    "append, log alone": "append",
    "append, everything on": "append",
    "command through HTTP": "http",
    "growth 100,000 → 5,000,000 events": "history",
    "events followed while 32 writers append": "follow",
    "verify": "verify",
    "restore onto an empty Temporal": "restore",
    "1,000 hostile requests": "hostile",
}
"""A row of README's figures → the bench whose kept figures it shows; docs/benchmarks.md is drawn from the same."""
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")


def rounds_to(measured: str, shown: str) -> bool:
    """Whether the number of a table, rounded as the page shows it, is the one that is shown."""
    digits = len(shown.partition(".")[2]) or (-3 if shown.endswith(",000") else 0)
    return round(float(measured.replace(",", "")), digits) == float(shown.replace(",", ""))


def not_measured(figures: str, kept: str) -> list[str]:
    """The figures that are no rounding of a number that was kept."""
    found = NUMBER.findall(kept)
    return [one for one in NUMBER.findall(figures) if not any(rounds_to(number, one) for number in found)]


@pytest.mark.parametrize("what", MEASURED)
def test_every_figure_of_a_bench_is_one_that_was_kept(what: str) -> None:
    row = re.search(rf"^\| {re.escape(what)}.*$", README, re.MULTILINE)
    assert row
    _, _, figures, against, _ = row[0].split("|")
    kept = json.dumps(json.loads((ROOT / "docs/benchmarks/figures.json").read_text())[MEASURED[what]])
    traffic = against.partition("plain traffic")[2]
    assert not_measured(f"{figures} {traffic}", kept) == []


def test_a_figure_that_was_not_measured_is_noticed() -> None:
    assert not_measured("p50 1.09, 304 a second; 45,000", "| 1.0899 | 303.6 | 45,036 |") == []
    assert not_measured("p50 1.10, 305 a second; 46,000", "| 1.0899 | 303.6 | 45,036 |") == ["1.10", "305", "46,000"]
