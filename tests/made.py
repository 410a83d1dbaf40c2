"""Writes what is made from rows: README's table, lists in docs/fhir.md, docs/country-rules.md, samples of new events.

`python -m tests.made` runs it after a command, an event or an effect was added; nothing of it is written by hand.
"""

from __future__ import annotations

import re
from pathlib import Path

from api.console.text.texts import Texts
from domain.journey import as_markdown
from domain.law.countries import ROUTES, RULES
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


def country_rules(_: str = "") -> str:
    """docs/country-rules.md: every row of the countries' rules, in the words of the console."""
    t = Texts("en")
    lines = [
        "# Country rules", "",
        "Made from `domain/law/countries.py` by `python -m tests.made`; nothing of it is written by hand. The facts",
        "and their sources are in [countries](domain/countries.md). `caravel rules`, `GET /rules` and the console's",
        "page *What the law asks* show the same rows. None of it is legal advice.", "",
        "| Country | Rule | Of which route | What is done about it | Article | Source |",
        "| --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for one in RULES:
        routes = ", ".join(f"`{route}`" for route in one.routes) or "any"
        article = one.article or t("catalogue.not_read")
        done = t.named("rule_kind", one.kind)
        tag = f"{one.source} (`{one.tag}`)"
        lines.append(f"| {one.country} | {t.named('country_rule', one.name)} | {routes} | {done} | {article} | {tag} |")
    lines += ["", "## Routes a protocol can name", "", "| `route` | Law it runs under | Ways of access it can be |",
              "| --- | --- | --- |"]  # fmt: skip
    lines += [f"| `{r}` | {t.named('route', r)} | {', '.join(row.access)} |" for r, row in ROUTES.items()]
    return "\n".join([*lines, ""])


def write() -> None:
    """Write the pages and the samples that are missing."""
    for name, made in (("README.md", readme), ("docs/fhir.md", fhir), ("docs/country-rules.md", country_rules)):
        page = TOP / name
        page.write_text(made(page.read_text() if page.exists() else ""))
    write_missing()


if __name__ == "__main__":
    write()
