"""`caravel case arrangements|plan|shipments`: the way to the centre; completes the commands of a case."""

from __future__ import annotations

from datetime import date, datetime

from api.cli.commands.case import zoned
from api.cli.commands.findings import app
from api.cli.options import Json
from api.cli.outcome import as_json, in_words, table
from api.cli.way import asking


@app.command
def arrangements(case: str, *, known_at: datetime | None = None, json: Json = False) -> None:
    """What is arranged for the stay, with whom and how it stands, and what must be there on arrival."""
    answer = asking(lambda c: c.get(f"/cases/{case}/arrangements", known_at=known_at and zoned(known_at)))
    if json:
        as_json(answer)
        return
    rows = [
        (one["kind"], one["asked_of"], one["state"], one["starts"], one["ends"], one["ref"] or "", one["id"])
        for one in answer["arrangements"]
    ]
    table(("what", "asked of", "state", "from", "until", "their number", "id"), rows, f"arranged for {case}")
    ready = [
        (in_words(one["kind"]), in_words(one["state"]), "a supervisor may waive it" if one["waivable"] else "")
        for one in answer["ready"]
    ]
    table(("must be there on arrival", "state", ""), ready, "")


@app.command
def plan(case: str, *, infusion: date | None = None, known_at: datetime | None = None, json: Json = False) -> None:
    """By when each step is to be done, backwards from the infusion; another day moves the plan as a whole."""
    then = known_at and zoned(known_at)
    answer = asking(lambda c: c.get(f"/cases/{case}/plan", infusion=infusion and infusion.isoformat(), known_at=then))
    if json:
        as_json(answer)
        return
    rows = [
        (one["by"], in_words(one["step"]), "done" if one["done"] else "late" if one["late"] else "ahead")
        for one in answer["steps"]
    ]
    table(("by", "what", ""), rows, f"infusion {answer['infusion']}, planned {answer['planned']}")


@app.command
def shipments(case: str, *, known_at: datetime | None = None, json: Json = False) -> None:
    """What travels without the patient, and each hand it went through, in order."""
    answer = asking(lambda c: c.get(f"/cases/{case}/shipments", known_at=known_at and zoned(known_at)))
    if json:
        as_json(answer)
        return
    for one in answer["shipments"]:
        rows = [
            (h["at"], h["giver"], h["taker"], in_words(h["condition"]), h["seal"] or "none", ", ".join(h["findings"]))
            for h in one["handovers"]
        ]
        head = f"{in_words(one['cargo'])} {one.get('carries') or ''}: {in_words(one['state'])}, {one['id']}"
        table(("at", "given by", "taken by", "condition", "seal", "not as it should be"), rows, head)
