"""Writes what is made from the rows of the journey: README's table, the lists in docs/fhir.md, samples of new events.

`python -m tests.made` runs it after a command, an event or an effect was added; nothing of it is written by hand.
"""

from __future__ import annotations

import re
from pathlib import Path

from domain.journey import as_markdown
from infra.hospitals.codes import ASKED, SAYS
from tests.infra.ledger.encoding.sampling import write_missing

TOP = Path(__file__).parents[1]


def readme(text: str) -> str:
    """README with the table of the journey as it is."""
    before, mark, rest = text.partition("test_readme.py -->\n")
    after = rest[rest.index("\n<!-- end -->") :]
    return before + mark + as_markdown() + after


def fhir(text: str) -> str:
    """docs/fhir.md with every kind of effect beside its focus, and every command a hospital may give."""
    for focus in ("ServiceRequest", "Appointment", "Communication"):
        kinds = ", ".join(kind for kind, row in ASKED.items() if row.focus == focus)
        text = re.sub(rf"^(\| `{focus}` \([^|]*\| )[^|]*( \|)$", rf"\g<1>{kinds}\g<2>", text, flags=re.MULTILINE)
    return re.sub(r"(Commands a hospital may give: )[^.]*", rf"\g<1>{', '.join(SAYS)}", text)


def write() -> None:
    """Write the pages and the samples that are missing."""
    for name, made in (("README.md", readme), ("docs/fhir.md", fhir)):
        page = TOP / name
        page.write_text(made(page.read_text()))
    write_missing()


if __name__ == "__main__":
    write()
