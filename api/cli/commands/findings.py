"""`caravel case results|observations|match`: what was found of a patient; completes the commands of a case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from json import dumps
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

from cyclopts import Parameter

from api.cli.commands.case import app, zoned
from api.cli.options import As, Json, Key
from api.cli.outcome import USAGE, CommandFailed, as_json, say, table
from api.cli.way import asking
from api.cli.ways import days_to_dose, say_ways, standing_by

__all__ = ["app"]
MEDIA: Mapping[str, str] = {".csv": "text/csv", ".json": "application/fhir+json"}


@app.command
def results(
    case: str,
    file: Path,
    *,
    mapping: Path | None = None,
    skip_faults: Annotated[bool, Parameter(negative="")] = False,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    as_: As = "",
    key: Key = "",
    json: Json = False,
) -> None:
    """Take in a laboratory's .csv, or a FHIR bundle as .json: all of it, or nothing and what is wrong with each line.

    Args:
        case: The case.
        file: The file.
        mapping: JSON that says which column is which (columns, analytes, dates, zone, decimal, delimiter, always).
        skip_faults: Leave out what is wrong and take the rest.
        dry_run: Record nothing, only say what would come of it.
        as_: In whose name, where there is no API to sign in to.
        key: Idempotency key.
        json: For programs.
    """
    media = MEDIA.get(file.suffix.lower())
    if media is None:
        raise CommandFailed(USAGE, f"the name of the file ends in {' or '.join(MEDIA)}")
    try:
        body, columns = file.read_bytes(), mapping.read_text("utf-8") if mapping else ""
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(USAGE, f"the file cannot be read: {type(error).__name__}") from None
    headers = {"Content-Type": media, "Idempotency-Key": key or uuid4().hex}
    query = {"mapping": columns, "skip_faults": str(skip_faults).lower(), "dry_run": str(dry_run).lower()}
    answer = asking(lambda c: c.send(f"/cases/{case}/observations", body, headers, **query), person=as_)
    if json:
        as_json(answer)
        return
    _tell(answer)


def _tell(answer: Mapping[str, Any]) -> None:
    again = " (was recorded before)" if answer["repeated"] else ""
    if answer["recorded"]:
        say(f"{answer['taken']} taken, {answer['known']} known already, {len(answer['left'])} not taken{again}")
        if any(answer["statements"].values()):
            say(f"{answer['statements']['taken']} statements taken, {answer['statements']['known']} known already")
    else:
        say(f"{answer['read']} could be taken; nothing was recorded")
    table(("place", "column", "what is wrong"), [(f["place"], f["column"], f["reason"]) for f in answer["faults"]])
    table(("place", "what", "not taken because"), [(one["place"], one["kind"], one["why"]) for one in answer["left"]])
    if answer["conflicts"]:
        say(f"{len(answer['conflicts'])} measurements have several values; none was chosen")
        table(("these contradict one another",), [(", ".join(group),) for group in answer["conflicts"]])


@app.command(name="link")
def link_of(
    case: str,
    file: Path,
    *,
    passcode: Path | None = None,
    recipient: str = "",
    number: int = 0,
    skip_faults: Annotated[bool, Parameter(negative="")] = False,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    as_: As = "",
    key: Key = "",
    json: Json = False,
) -> None:
    """Open a SMART Health Link and take in the FHIR bundle behind it: all of it, or nothing and what is wrong.

    Link and passcode are read from files, since arguments stand in the list of processes; neither is kept anywhere.

    Args:
        case: The case.
        file: A file that holds the link, as shlink:/…
        passcode: A file that holds the passcode, if the link asks for one.
        recipient: Who opens it, as whoever shared it is told.
        number: Which of several files, counted from 1.
        skip_faults: Leave out what is wrong and take the rest.
        dry_run: Record nothing, only say what would come of it.
        as_: In whose name, where there is no API to sign in to.
        key: Idempotency key.
        json: For programs.
    """
    try:
        told: dict[str, Any] = {"link": file.read_text("utf-8").strip()}
        told |= {"passcode": passcode.read_text("utf-8").strip()} if passcode else {}
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(USAGE, f"the file cannot be read: {type(error).__name__}") from None
    told |= {"recipient": recipient} if recipient else {}
    told |= {"file": number, "skip_faults": skip_faults, "dry_run": dry_run}
    headers = {"Content-Type": "application/json", "Idempotency-Key": key or uuid4().hex}
    answer = asking(lambda c: c.send(f"/cases/{case}/health-links", dumps(told).encode(), headers), person=as_)
    if json:
        as_json(answer)
        return
    _tell(answer)
    for media in answer["others"]:
        say(f"the link shares a file that was not read: {media}")


@app.command
def observations(case: str, *, json: Json = False) -> None:
    """Everything that was observed, as it was written."""
    answer = asking(lambda c: c.get(f"/cases/{case}/observations"))
    if json:
        as_json(answer)
        return
    rows = [
        (o["taken"]["earliest"], o["analyte"], o["target"], o["value"], o["unit"], o["method"], o["id"])
        for o in answer["observations"]
    ]
    table(("sample", "what", "antigen", "value", "unit", "by", "id"), rows)
    if answer["conflicts"]:
        table(("these contradict one another",), [(", ".join(group),) for group in answer["conflicts"]])


@app.command(name="summary")
def summary_of(case: str, *, json: Json = False) -> None:
    """What summaries of others say of the patient, by section; "not said" is not "none known"."""
    answer = asking(lambda c: c.get(f"/cases/{case}/summary"))
    if json:
        as_json(answer)
        return
    for section in answer["sections"]:
        say(f"{section['section']}: {section['said'].replace('_', ' ')}")
    rows = [
        (
            s["section"],
            one["text"] or one["code"],
            one["said"],
            one["status"],
            one["began"],
            one["bundle"],
            one["entry"],
        )
        for s in answer["sections"]
        for one in s["statements"]
    ]
    table(("section", "what", "said", "status", "since", "bundle", "entry"), rows)


@app.command(name="ips")
def patient_summary_of(case: str, file: Path, *, known_at: datetime | None = None) -> None:
    """Write the International Patient Summary of a case to a file, as FHIR."""
    answer = asking(lambda c: c.get(f"/cases/{case}/ips", known_at=known_at and zoned(known_at)))
    try:
        file.write_text(dumps(answer, ensure_ascii=False), "utf-8")
    except OSError as error:
        raise CommandFailed(USAGE, f"the file cannot be written: {type(error).__name__}") from None
    say(f"written: {len(answer['entry'])} entries")


@app.command(name="match")
def match_case(case: str, *, limit: int = 20, known_at: datetime | None = None, json: Json = False) -> None:
    """Protocols at centres for a case, with least against them first, and why. The hospital decides."""
    answer = asking(lambda c: c.get(f"/cases/{case}/matches", limit=limit, known_at=known_at and zoned(known_at)))
    if json:
        as_json(answer)
        return
    disease = answer["disease"]
    said = " (read from the words of the diagnosis; state its code)" if disease["from_words"] else ""
    say(f"disease: {disease['code'] or 'not known'}{said}")
    rows = [
        (
            one["rank"],
            one["protocol"],
            one["centre"],
            one["standing"],
            standing_by(one, "no"),
            standing_by(one, "unknown"),
            days_to_dose(one),
        )
        for one in answer["matches"]
    ]
    table(("rank", "protocol", "centre", "stands", "against it", "not known", "to a first dose"), rows)
    say(f"{len(rows)} of {answer['of']}; {answer['note']}")
    say_ways(answer)


@app.command
def dose(case: str, *, known_at: datetime | None = None, json: Json = False) -> None:
    """Show the unit a case has, why others were passed over when it was asked for, and how each stands now."""
    answer = asking(lambda c: c.get(f"/cases/{case}/dose", known_at=known_at and zoned(known_at)))
    if json:
        as_json(answer)
        return
    held = answer["held"]
    until = f" until {answer['until']}" if answer["until"] else ""
    say(f"dose: {answer['state']}{until}{': ' + held['lot'] + ' ' + held['unit'] if held else ''}")
    if waits := answer.get("waiting"):
        say(f"waits since {waits['since']}: {waits['place']} of {waits['of']}{standing_in_line(waits)}")
    passed = [(one["lot"], one["units"], one["because"].replace("_", " ")) for one in answer["passed_over"]]
    table(("lot", "units", "passed over because"), passed)
    if "units" in answer:
        say(f"a lot must expire after {answer['lasts']}")
        now = [(one["lot"], one["unit"], one["expires"], one["because"] or "can be held") for one in answer["units"]]
        table(("lot", "unit", "expires", "now"), now)


@app.command
def waiting_for_doses(*, json: Json = False) -> None:
    """Show who waits for a unit of each product, in the order in which units are offered, and why in that."""
    answer = asking(lambda c: c.get("/doses/waiting"))
    if json:
        as_json(answer)
        return
    rows = [
        (line["product"], one["number"], one["case"] or "not yours to see", one["since"], standing_in_line(one))
        for line in answer["products"]
        for one in line["waiting"]
    ]
    table(("product", "place", "case", "waits since", ""), rows)


@app.command
def supply_of_doses(*, json: Json = False) -> None:
    """Count the units of each product beside who waits for one, and how many are short, the most wanting first."""
    answer = asking(lambda c: c.get("/doses/forecast"))
    if json:
        as_json(answer)
        return
    names = ("waiting", "free", "coming", "held", "expire", "bound", "short", "short_later")
    rows = [(one["product"], *(one[name] for name in names)) for one in answer["products"]]
    table(("product", *(name.replace("_", " ") for name in names)), rows)


def standing_in_line(one: Mapping[str, Any]) -> str:
    """Return what beside the time decides a place."""
    said = (("out_of_turn", "let go first by a supervisor"), ("urgent", "urgent"), ("asked", "being asked for"))
    told = ", ".join(words for name, words in said if one.get(name))
    return f" ({told})" if told else ""


@app.command
def compare(case: str, *, json: Json = False) -> None:
    """Four kinds of products side by side by six factors, as evidence; no verdict and no rank."""
    answer = asking(lambda c: c.get(f"/cases/{case}/comparison"))
    if json:
        as_json(answer)
        return
    for row in answer["factors"]:
        rows = [
            (kind, one["known"] or "not known", one["source"], ", ".join(f"{r} {n}" for r, n in one["ways"].items()))
            for kind, one in row["kinds"].items()
        ]
        said = ", ".join(row["in_the_case"]) or "nothing recorded"
        table(("kind", "known", "source", "ways in the catalogue"), rows, f"{row['factor']} (in the case: {said})")
    say(answer["note"])
