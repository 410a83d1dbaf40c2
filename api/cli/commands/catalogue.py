"""`caravel lot|protocol|centre|person …`: the same commands for each, made from the catalogue's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from api.cli import papers
from api.cli.commands.loading import load_files
from api.cli.options import As, Json, Key
from api.cli.outcome import as_json, say, table
from api.cli.way import asking
from api.cli.words import command_of
from domain.catalogue.streams import CATALOGUE

LOADED = ("protocol", "centre")
LONG = ("criteria", "places", "tests", "excursions")
"""What a table has no room for; `show` and --json have it."""


def _app(prefix: str) -> App:
    app = App(name=prefix)
    known = {c.__name__: c for c in CATALOGUE[prefix].commands}

    @app.command(name="list")
    def entries(*, after: str = "", json: Json = False) -> None:
        """What there is."""
        answer = asking(lambda c: c.get(f"/{prefix}s", after=after))
        rows = answer[f"{prefix}s"]
        if json:
            as_json(answer)
            return
        names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in LONG]
        table(names, [[row.get(name) for name in names] for row in rows])

    @app.command
    def show(entry: str, *, json: Json = False) -> None:
        """One as it stands."""
        answer = asking(lambda c: c.get(f"/{prefix}s/{entry}"))
        if json:
            as_json(answer)
            return
        table(("field", "value"), list(answer[prefix].items()), entry)

    @app.command
    def send(entry: str, command: str, *fields: str, as_: As = "", key: Key = "", json: Json = False) -> None:
        """Give it a command, field by field: field=value."""
        body = command_of(known, command, fields)
        _recorded(asking(lambda c: c.post(f"/{prefix}s/{entry}/commands", body, key or None), person=as_), json=json)

    for opening in (name for name in known if name.startswith("Register")):
        _add_opening(app, prefix, opening, known)
    if prefix in LOADED:
        _add_loading(app, prefix)
    if prefix == "protocol":
        app.command(waiting)
    if prefix == "lot":
        app.command(papers.label)
        app.command(papers.custody)
    return app


def waiting(protocol: str, *, json: Json = False) -> None:
    """List who waits for a place, the first to be offered one first; and whose each place is, and why."""
    answer = asking(lambda c: c.get(f"/protocols/{protocol}/waiting"))
    if json:
        as_json(answer)
        return
    rows = [
        (w["number"], w["case"], "urgent" if w["urgent"] else "", w["since"], w["centre"]) for w in answer["waiting"]
    ]
    table(("", "case", "", "waits since", "only at"), rows, "waiting list")
    places = [(p["centre"], p["state"], p["case"], p["until"], _why(p["why"])) for p in answer["places"]]
    table(("centre", "place", "case", "answers until", "why this one"), places, "places")


def _why(why: Mapping[str, Any] | None) -> str:
    return f"{why['because']}; of {why['waiting']} who waited, {why['longer']} had waited longer" if why else ""


def _add_loading(app: App, prefix: str) -> None:
    """Add the command that takes whole files."""

    @app.command
    def load(
        *files: Path,
        dry_run: Annotated[bool, Parameter(negative="", help="show what would change, and record nothing")] = False,
        yes: Annotated[bool, Parameter(negative="", help="record without asking")] = False,
        as_: As = "",
        json: Json = False,
    ) -> None:
        """Load JSON files: show what they change and ask, then record it; a fault in one keeps all of them out."""
        load_files(prefix, files, dry_run=dry_run, yes=yes, person=as_, json=json)


def _add_opening(app: App, prefix: str, opening: str, known: Mapping[str, type[Any]]) -> None:
    """Add the command that begins another stream; desks have the one they have."""

    @app.command
    def register(*fields: str, as_: As = "", key: Key = "", json: Json = False) -> None:
        """Bring one in, field by field: field=value."""
        body = command_of(known, opening, fields)
        _recorded(asking(lambda c: c.post(f"/{prefix}s", body, key or None), person=as_), json=json)


protocol, centre, lot, person, desk, material, product, store = (_app(prefix) for prefix in CATALOGUE)


def changes(*, json: Json = False) -> None:
    """Show what waits for a second person, and what can be undone."""
    answer = asking(lambda c: c.get("/changes"))
    if json:
        as_json(answer)
        return
    names = ("stream", "name", "proposal", "state", "by", "says", "until")
    table(names, [[row[name] for name in names] for row in answer["changes"]])


def reviews(*, json: Json = False) -> None:
    """Show what has to be held against its source again, and sites that have to be asked again."""
    answer = asking(lambda c: c.get("/reviews"))
    if json:
        as_json(answer)
        return
    names = ("id", "name", "as_of", "reviewed_by", "review_due")
    table(names, [[row[name] for name in names] for row in answer["reviews"]])
    sites = ("protocol", "centre", "state", "since", "until")
    table(sites, [[row[name] for name in sites] for row in answer["sites"]])


def _recorded(answer: Mapping[str, Any], *, json: bool) -> None:
    if json:
        as_json(answer)
        return
    said = ", ".join(one["type"] for one in answer["recorded"]) or "nothing new"
    say(f"{answer['id']}  version {answer['version']}  {said}")


def rules(*, country: str = "", route: str = "", json: Json = False) -> None:
    """Show what the law of a country or of a protocol's route asks, where that was read, and what reads it here."""
    answer = asking(lambda c: c.get("/rules", country=country, route=route))
    if json:
        as_json(answer)
        return
    names = ("country", "name", "kind", "number", "unit", "about", "article", "source")
    table(names, [[row[name] or "" for name in names] for row in answer["rules"]], answer["note"])


def product_classes(*, json: Json = False) -> None:
    """Show what the class of a product changes: steps left out, what may fail, what is watched for, how it lasts."""
    answer = asking(lambda c: c.get("/product-classes"))
    if json:
        as_json(answer)
        return
    names = ("left_out", "may_fail", "watched", "lasting", "sources")
    rows = [[kind, *(_line(row[name]) for name in names)] for kind, row in answer["classes"].items()]
    table(("class", *names), rows)


def _line(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
