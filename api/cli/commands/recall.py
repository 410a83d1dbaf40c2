"""`caravel recall …`: which doses and patients a donor, material, vector lot or batch reaches."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from cyclopts import App, Parameter

from api.cli.options import As, Json, Key
from api.cli.outcome import as_json, say, table
from api.cli.papers import report
from api.cli.way import asking

app = App(name="recall")
app.command(report)


@app.command
def preview(
    code: str,
    *,
    known_at: Annotated[datetime | None, Parameter(help="as it was known at this instant")] = None,
    shared: Annotated[bool, Parameter(negative="", help="everything made with the same vector lots")] = False,
    json: Json = False,
) -> None:
    """Every unit and patient that a code reaches: of a donor, donation, bank, vector run or lot, batch, reagent, case.

    Nothing is stopped and nobody is told.
    """
    at = known_at.astimezone().isoformat() if known_at else None
    answer = asking(lambda c: c.post("/genealogy/trace", {"of": code, "known_at": at, "shared": shared}, None))
    if json:
        as_json(answer)
        return
    show(answer)


@app.command(name="open")
def open_recall(code: str, reason: str, *, as_: As = "", key: Key = "", json: Json = False) -> None:
    """Recall everything made of what a code names: lots stop at once, hospitals are asked until all acknowledged."""
    _opened(code, reason, drill=False, person=as_, key=key, json=json)


@app.command
def drill(code: str, reason: str = "drill", *, as_: As = "", key: Key = "", json: Json = False) -> None:
    """Play a recall: nothing is stopped; hospitals are asked to acknowledge the drill, and chased as in earnest."""
    _opened(code, reason, drill=True, person=as_, key=key, json=json)


@app.command(name="list")
def entries(*, json: Json = False) -> None:
    """Recalls and drills, and the hospitals each waits for."""
    answer = asking(lambda c: c.get("/recalls"))
    if json:
        as_json(answer)
        return
    names = ("id", "state", "drill", "opened_at", "waiting", "acknowledged")
    table(names, [[row[name] for name in names] for row in answer["recalls"]])


@app.command(name="show")
def one(recall: str, *, json: Json = False) -> None:
    """One recall: each lot, each hospital, units and patients as they stand now."""
    answer = asking(lambda c: c.get(f"/recalls/{recall}"))
    if json:
        as_json(answer)
        return
    say(f"{answer['id']}  {answer['state']}{'  (a drill)' if answer['drill'] else ''}")
    hospitals = [[one["centre"], one["cases"], one["acknowledged"], one["by"]] for one in answer["hospitals"]]
    table(("hospital", "cases", "acknowledged", "by"), hospitals)
    show(answer)


@app.command
def acknowledge(recall: str, centre: str, by: str, *, note: str = "", as_: As = "", key: Key = "") -> None:
    """Enter that a hospital has acknowledged, and who there said so."""
    body = {"type": "AcknowledgeRecall", "centre": centre, "said_by": by, "note": note}
    answer = asking(lambda c: c.post(f"/recalls/{recall}/commands", body, key or None), person=as_)
    say(f"{answer['id']}  {', '.join(one['type'] for one in answer['recorded']) or 'nothing new'}")


def _opened(code: str, reason: str, *, drill: bool, person: str, key: str, json: bool) -> None:
    trace = asking(lambda c: c.post("/genealogy/trace", {"of": code}, None), person=person)
    if len(trace["of"]) != 1:
        raise SystemExit(f"{code} names {', '.join(trace['of'])}: say which, by its id")
    body = {"scope": trace["of"][0], "reason": reason, "drill": drill}
    answer = asking(lambda c: c.post("/recalls", body, key or None), person=person)
    if json:
        as_json(answer)
        return
    say(f"{answer['id']}  {', '.join(one['type'] for one in answer['recorded'])}")
    show(trace)


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
