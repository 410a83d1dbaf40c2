"""Every bench runs at its smallest size and the page can show it; what it measures is not looked at here."""

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from shutil import which
from xml.etree import ElementTree as ET

import pytest

from bench.page import DOCS, FIGURES, draw
from bench.plot import lines
from bench.sections import AIMS, SECTIONS, Aim, table

TOP = Path(__file__).parent.parent
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("file", sorted((TOP / "bench").glob("*.py")), ids=lambda file: file.stem)
def test_every_bench_finds_what_it_measures(file: Path) -> None:
    """Running them is the soak's; a name that went away is seen at once."""
    import_module(f"bench.{file.stem}")


@pytest.mark.soak  # minutes in all
@pytest.mark.parametrize("name", SECTIONS)
def test_every_bench_runs(name: str) -> None:
    if name == "console" and not which("chromium"):
        pytest.skip("no browser")
    words = [sys.executable, "-m", "bench", name, "--small"]
    run = subprocess.run(words, cwd=TOP, capture_output=True, text=True, check=False, timeout=110)
    assert run.returncode == 0, run.stderr[-2000:]
    rows = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    shown = SECTIONS[name].show(rows)
    figures = [word for word in re.findall(r"[\d.,]+", json.dumps(rows[0])) if len(word) > 2]
    assert figures
    assert shown.count("|") > 10
    if name == "follow":
        assert rows[0]["missed"] == rows[0]["gaps"] == 0
        assert rows[0]["contiguous"]


def test_a_plot_says_what_it_shows() -> None:
    drawn = ET.fromstring(lines("Title", "What <it> shows", ("x", "y"), {"a & b": [(1, 2), (100, 40)]}, log_y=True))
    named = drawn.attrib["aria-labelledby"].split()
    assert [one.text for one in drawn if one.get("id") in named] == ["Title", "What <it> shows"]
    words = {one.text for one in drawn.iter(f"{SVG}text")}
    assert {"x", "y", "a & b", "1", "100", "10"} <= words


def test_a_line_goes_up_where_the_figures_do() -> None:
    drawn = ET.fromstring(lines("t", "s", ("x", "y"), {"up": [(1, 1), (10, 2)], "flat": [(1, 1), (10, 1)]}))
    up, flat = (
        [float(place.split(",")[1]) for place in one.attrib["points"].split()] for one in drawn.iter(f"{SVG}polyline")
    )
    assert up[1] < up[0] == flat[0] == flat[1]


@pytest.mark.parametrize(
    ("value", "at_most", "said"), [(1.5, False, "met"), (1.4, False, "**missed**"), (1.6, True, "**missed**")]
)
def test_an_aim_is_said_to_be_missed_where_it_is(value: float, *, at_most: bool, said: str) -> None:
    aim = Aim("append", "w", 1.5, lambda rows: rows[0]["it"], at_most=at_most)
    assert aim.row([{"it": value}])[-1] == said


def test_numbers_stand_to_the_right() -> None:
    assert table(["what", "n"], [["a", 1000]]) == "| what | n |\n| --- | ---: |\n| a | 1,000 |"


def test_the_page_is_what_is_drawn_from_the_kept_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.page.DOCS", tmp_path)
    monkeypatch.setattr("bench.page.PLOTS", tmp_path / "benchmarks")
    (tmp_path / "benchmarks").mkdir()
    draw()
    assert (tmp_path / "benchmarks.md").read_text() == (DOCS / "benchmarks.md").read_text()
    assert {aim.bench for aim in AIMS} <= SECTIONS.keys()
    assert json.loads(FIGURES.read_text()).keys() <= SECTIONS.keys()
