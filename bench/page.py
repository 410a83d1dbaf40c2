"""docs/benchmarks.md and its plots, drawn from the figures kept in docs/benchmarks/figures.json."""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from textwrap import fill
from typing import Any

from bench.common import Row
from bench.sections import AIMS, SECTIONS, table

DOCS = Path(__file__).parent.parent / "docs"
PLOTS = DOCS / "benchmarks"
FIGURES = PLOTS / "figures.json"
Kept = dict[str, Any]
HEAD = """
# Benchmarks

`python -m bench --peers --keep` measures everything and writes this page; the appends took 5 minutes of it here, the
growth of the ledger 16. `make bench` prints the same figures without other event stores and writes nothing;
`python -m bench NAME` runs one, `--small` is a short look. The figures as they came:
[figures.json](benchmarks/figures.json).

Each bench has its peer in the same run on the same PostgreSQL as it comes (fsync, synchronous_commit and
full_page_writes on). Everything takes its turn several times, the order reversed from turn to turn; ratios are taken
within a turn, and medians are shown. Absolute figures are those of this machine at that hour: the ratios are what to
compare.
"""


def machine() -> Row:
    """Where and when a bench runs, and how busy it is there before it begins."""
    load = os.getloadavg()[0]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return {"begun": now, "cores": os.cpu_count(), "memory_gib": round(memory), "load_before": round(load, 1)}


def keep(name: str, before: Row, rows: Sequence[Row]) -> None:
    """Put these figures in the place of those of an earlier run of the bench."""
    PLOTS.mkdir(exist_ok=True)
    run = {**before, "load_after": round(os.getloadavg()[0], 1)}
    FIGURES.write_text(json.dumps({**_kept(), name: {"run": run, "rows": list(rows)}}, indent=1) + "\n")


def draw() -> None:
    """Write the page and the plots of everything that was kept."""
    found = _kept()
    parts = [HEAD, _busy(found), f"## Aims\n\n{_aims(found)}", f"## Runs\n\n{_runs(found)}"]
    parts += [_section(name, found[name]["rows"]) for name in SECTIONS if name in found]
    (DOCS / "benchmarks.md").write_text("\n\n".join(part.strip() for part in parts) + "\n")


def _busy(found: Kept) -> str:
    """A warning, where the machine had other work."""
    runs = [one["run"] for one in found.values()]
    loads = [run[when] for run in runs for when in ("load_before", "load_after")]
    cores = max((run["cores"] for run in runs), default=0)
    if not loads or median(loads) <= cores:
        return ""
    return fill(
        f"**The machine was not free**: the load was {min(loads):g} to {max(loads):g} on {cores} cores (see Runs). "
        "Then CPU decides, and a sync of the disk costs little beside the wait for a core, so what saves syncs (group "
        "commit) shows less than it would. Repeat it on a free machine before relying on a ratio.",
        120,
    )


def _section(name: str, rows: Sequence[Row]) -> str:
    section = SECTIONS[name]
    parts = [f"## {section.title}", fill(section.says, 120), section.show(rows)]
    if section.plot:
        (PLOTS / f"{name}.svg").write_text(section.plot(rows))
        parts.insert(2, f"![{section.title}](benchmarks/{name}.svg)")
    return "\n\n".join(parts)


def _aims(found: Kept) -> str:
    return table(
        ("What", "Aim", "Measured", ""), [aim.row(found[aim.bench]["rows"]) for aim in AIMS if aim.bench in found]
    )


def _runs(found: Kept) -> str:
    heads = ("begun", "cores", "memory_gib", "load_before", "load_after")
    runs = [[f"`{name}`", *(found[name]["run"][head] for head in heads)] for name in SECTIONS if name in found]
    missing = [f"`{name}`" for name in SECTIONS if name not in found]
    without = f"\n\nNo figures were kept of {', '.join(missing)}." if missing else ""
    notes = "".join(f"\n\n`{name}`: {found[name]['run']['note']}" for name in found if "note" in found[name]["run"])
    return table(("bench", *heads), runs) + without + notes


def _kept() -> Kept:
    return json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
