"""`caravel recall …`: which doses and patients a donor, material, vector lot or batch reaches."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from cyclopts import App, Parameter

from api.cli.options import Json
from api.cli.outcome import as_json, say, table
from api.cli.way import asking

app = App(name="recall")


@app.command
def preview(
    code: str,
    *,
    known_at: Annotated[datetime | None, Parameter(help="as it was known at this instant")] = None,
    json: Json = False,
) -> None:
    """Every unit and patient that a code reaches: of a donor, donation, bank, vector run or lot, batch, reagent, case.

    Nothing is stopped and nobody is told.
    """
    at = known_at.astimezone().isoformat() if known_at else None
    answer = asking(lambda c: c.post("/genealogy/trace", {"of": code, "known_at": at}, None))
    if json:
        as_json(answer)
        return
    show(answer)


def show(answer: Any) -> None:  # noqa: ANN401 - JSON
    """Print lots, units by what became of them, and patients."""
    table(("kind", "code", "id"), [[one["kind"], one["code"], one["id"]] for one in answer["materials"]], "materials")
    names = ("id", "product", "state", "expires", "units")
    table(names, [[one[name] for name in names] for one in answer["lots"]], "lots")
    states = [one["state"] for one in answer["units"]]
    table(("units", "how many"), [[state, states.count(state)] for state in sorted(set(states))])
    patients = [
        [one["number"], one["centre"], one["stage"], ", ".join(f"{got['unit']} {got['state']}" for got in one["units"])]
        for one in answer["patients"]
    ]
    table(("case", "centre", "stage", "units"), patients, "patients")
    say(f"as known at {answer['as_known_at']}")
