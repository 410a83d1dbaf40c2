"""`caravel case …`: open, send, look, explain."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from importlib import import_module
from mimetypes import guess_type
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from cyclopts import App, Parameter

from api.cli.options import As, Json, Key
from api.cli.outcome import REFUSED, CommandFailed, as_json, in_words, say, table
from api.cli.way import LARGE, Caravel, asking, pieces, running
from api.cli.ways import say_ways
from api.cli.words import command_of
from domain.journey import COMMANDS

app = App(name="case", help="Cases: open, send commands, look, explain.")


@app.command(name="open")
def open_case(*fields: str, as_: As = "", key: Key = "", json: Json = False) -> None:
    """Open a case: country=IN language=hi zone=Asia/Kolkata patient_name=… and any field of OpenCase."""
    body = _given("OpenCase", fields)
    _recorded(asking(lambda c: c.post("/cases", body, key or None), person=as_), json=json)


@app.command
def send(case: str, command: str, *fields: str, as_: As = "", key: Key = "", json: Json = False) -> None:
    """Give a case any command: case send CASE HoldBed ref=B7 until=2027-01-01T17:00:00Z."""
    body = _given(command, fields)
    _recorded(asking(lambda c: c.post(f"/cases/{case}/commands", body, key or None), person=as_), json=json)


@app.command
def attach(
    case: str, file: Path, *, item: str = "", language: str = "", as_: As = "", key: Key = "", json: Json = False
) -> None:
    """Store a file, encrypted, as a document of the case; --item: a record asked for.

    PDF, JPEG, PNG, HEIC, TIFF, DICOM (a ZIP of a series too) and DOCX are taken, by content, whatever the name says.
    What is larger than 8 MiB goes on after a cut, also when the same command is given again.
    """
    headers = {
        "Content-Type": guess_type(file.name)[0] or "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
        **({"Idempotency-Key": key} if key else {}),
    }
    asked = {"item": item, "language": language}

    async def sent(c: Caravel) -> Any:  # noqa: ANN401 - JSON
        if (await asyncio.to_thread(file.stat)).st_size > LARGE:
            return await c.upload(case, file, headers, **asked)
        return await c.send(f"/cases/{case}/documents", pieces(file), headers, **asked)

    _recorded(asking(sent, person=as_), json=json)


@app.command
def erase(
    case: str,
    *,
    reason: str = "",
    confirm: bool = False,
    withdraw: bool = False,
    keep: str = "trace",
    stops: str = "nothing",
    note: str = "",
    as_: As = "",
    key: Key = "",
    json: Json = False,
) -> None:
    """Order that a person is forgotten (--reason), confirm it as somebody else (--confirm), or take it back.

    Args:
        case: The case.
        reason: no_longer_needed, consent_withdrawn, objection, unlawful or legal_obligation.
        confirm: Agree to the order that stands; the keys are destroyed.
        withdraw: Take back the order that stands.
        keep: trace, or trace_and_clinical where the law keeps the medical record.
        stops: follow_up, where the follow-up is open and ends with this.
        note: A few words; they are erased with the rest.
        as_: In whose name, where there is no API to sign in to.
        key: Idempotency key.
        json: For programs.
    """
    if [bool(reason), confirm, withdraw].count(True) != 1:
        raise CommandFailed(REFUSED, "say one of --reason …, --confirm, --withdraw")

    async def tell(caravel: Caravel) -> Any:  # noqa: ANN401 - JSON
        body = {"type": "OrderErasure", "reason": reason, "keep": keep, "stops": stops, "note": note}
        if not reason:
            stands = (await caravel.get(f"/cases/{case}"))["case"]["erasure"] or {"order": ""}
            body = {"type": "ConfirmErasure" if confirm else "WithdrawErasure", "order": stands["order"]}
        return await caravel.post(f"/cases/{case}/commands", body, key or None)

    _recorded(asking(tell, person=as_), json=json)


def _given(command: str, fields: Sequence[str]) -> Mapping[str, Any]:
    """The command as JSON. Only who gives one waits for all of them to be imported."""
    return command_of({one.__name__: one for one in COMMANDS}, command, fields)


def _recorded(answer: Mapping[str, Any], *, json: bool) -> None:
    if json:
        as_json(answer)
        return
    again = " (was recorded before)" if answer["repeated"] else ""
    say(f"{answer['case']}  {answer['number']}  stage {answer['stage']}  version {answer['version']}{again}")
    for one in answer["recorded"]:
        say(f"  recorded {one['type']}  {one['id']}")
    for other in answer.get("same_person", ()):
        say(f"  same person: {other['number']} ({other['kind']})")
    if due := answer["next"]:
        say(f"  next: {due['debtor']} owes {due['kind']} by {due['due']}")
    say_ways(answer)


@app.command
def show(case: str, *, known_at: datetime | None = None, as_of: datetime | None = None, json: Json = False) -> None:
    """A case as it stands or was known at an instant; with --as-of, which dated facts held at another."""
    moment = {"known_at": known_at and zoned(known_at), "as_of": as_of and zoned(as_of)}
    answer = asking(lambda c: c.get(f"/cases/{case}", **moment))
    if json:
        as_json(answer)
        return
    if as_of is not None:
        _held(answer)
        return
    state = answer["case"]
    rows = [(name, value) for name, value in state.items() if value not in ("", None, [], {}, False)]
    table(
        ("field", "value"), [(n, v) for n, v in rows if n not in ("effects", "obligations", "sources")], state["number"]
    )
    say("allowed now: " + ", ".join(answer["allowed"]))
    say_ways(answer)


def _held(answer: Mapping[str, Any]) -> None:
    rows = [
        (f["standing"], f["occurred"]["earliest"], f["occurred"]["latest"], f["type"], _short(f["data"]), f["id"])
        for f in answer["facts"]
    ]
    table(("", "not before", "not after", "fact", "what", "id"), rows, f"as of {answer['as_of']}")


@app.command
def diff(case: str, from_: Annotated[str, Parameter(name="--from")], to: str = "", *, json: Json = False) -> None:
    """What changed between two versions of a case, or between what was known at two instants; --to empty = now."""
    answer = asking(lambda c: c.get(f"/cases/{case}/diff", **{"from": from_, "to": to or None}))
    if json:
        as_json(answer)
        return
    first, last = answer["from"], answer["to"]
    say(f"version {first['version']}, stage {first['stage']}  to  version {last['version']}, stage {last['stage']}")
    moved = [(o["kind"], o["debtor"], *_both(o["state"]), *_both(o["due"])) for o in answer["obligations"]]
    table(("owed", "from", "was", "is", "was due", "is due"), moved)
    table(("field", "was", "is"), [(name, *_both(values)) for name, values in answer["state"].items()])
    table(
        ("no", "event", "by", "what"), [(e["version"], e["type"], _by(e), _short(e["data"])) for e in answer["events"]]
    )


def _both(change: Mapping[str, Any]) -> tuple[Any, Any]:
    """A field that changed as a whole, or the entries of it that did."""
    if set(change) == {"from", "to"}:
        return change["from"], change["to"]
    was, now = ({key: value[side] for key, value in change.items()} for side in ("from", "to"))
    return was, now


@app.command
def timeline(case: str, *, json: Json = False) -> None:
    """Everything recorded of a case, in order; what followed by itself names its rule."""
    events = asking(lambda c: _all(c, f"/cases/{case}/events", "events"))
    if json:
        as_json(events)
        return
    rows = [(e["version"], e["recorded_at"][:19], e["type"], _by(e), _short(e["data"]), e["id"]) for e in events]
    table(("no", "recorded (UTC)", "event", "by", "what", "id"), rows)


def _by(event: Mapping[str, Any]) -> str:
    return f"rule {event['why']['rule']}" if event["why"] else str(event["actor"])


def _short(data: Mapping[str, Any]) -> str:
    said = [f"{name}={in_words(value)}" for name, value in data.items() if value]
    return ", ".join(said)[:120]


@app.command
def agenda(case: str, *, known_at: datetime | None = None, json: Json = False) -> None:
    """Who owes what until when, and what is asked of the world now."""
    answer = asking(lambda c: c.get(f"/cases/{case}/agenda", known_at=known_at and zoned(known_at)))
    if json:
        as_json(answer)
        return
    rows = [
        (o["due"], o["kind"], o["debtor"], o["creditor"], o["next_step_at"], o["id"]) for o in answer["obligations"]
    ]
    table(("due", "what", "from", "to", "next step", "id"), rows, f"stage {answer['stage']}")
    table(("effect", "state", "about", "id"), [(e["kind"], e["state"], e["about"], e["id"]) for e in answer["effects"]])


@app.command
def checklist(case: str, *, known_at: datetime | None = None, json: Json = False) -> None:
    """Which documents a case needs, how each stands, and who owes the next step."""
    answer = asking(lambda c: c.get(f"/cases/{case}/checklist", known_at=known_at and zoned(known_at)))
    if json:
        as_json(answer)
        return
    rows = [
        (one["kind"], one["state"], one["owes"] or "", one["because"], ", ".join(one["troubles"]))
        for one in answer["lines"]
    ]
    table(("document", "state", "owed by", "because of", "not in order"), rows, case)
    say(_dossier(drawn_up=answer["drawn_up"], outstanding=answer["outstanding"]))


def _dossier(*, drawn_up: bool, outstanding: bool) -> str:
    if not drawn_up:
        return "no list was drawn up: DrawUpChecklist asks for everything on it, and the dossier waits for it then"
    return "the dossier waits for what is outstanding" if outstanding else "nothing on the list is outstanding"


@app.command
def screen(case: str, protocol: str, *, known_at: datetime | None = None, json: Json = False) -> None:
    """How the criteria of a protocol stand for a case, and what to obtain next. The hospital decides."""
    answer = asking(lambda c: c.get(f"/cases/{case}/screening/{protocol}", known_at=known_at and zoned(known_at)))
    if json:
        as_json(answer)
        return
    rows = [
        (_stands(one), "must be" if one["kind"] == "inclusion" else "must not be", one["words"], one["id"])
        for one in answer["criteria"]
    ]
    table(("stands", "", "in the source's words", "criterion"), rows, f"{protocol}, as of {answer['as_of']}")
    if (age := answer["reviewed"]) and age["stale"]:
        say(f"the protocol was to be reviewed by {age['review_due'][:10]}: it may say something else by now")
    if answer["draft"]:
        say("the protocol is a draft: what stands there in words only is for a person to read")
    if number := answer["counts"]:
        say(f"{number['not_met']} not met, {number['open']} unknown, of {number['all']}; the hospital decides")
    gaps = [
        (one["analyte"], one["target"], ", ".join(one["methods"]), one["lacks"], one["criteria"])
        for one in answer["next"]
    ]
    table(("to obtain", "antigen", "by", "because", "may settle"), gaps)


@app.command
def costs(case: str, *, known_at: datetime | None = None, json: Json = False) -> None:
    """What the treatment may cost: the estimate beside the hospital's price, line by line."""
    answer = asking(lambda c: c.get(f"/cases/{case}/costs", known_at=known_at and zoned(known_at)))
    if json:
        as_json(answer)
        return
    rows = [(one["kind"], _item(one["estimated"]), _item(one["quoted"]), _over(one["over"])) for one in answer["lines"]]
    told = [f"{name} in {known['currency']}" for name in ("estimate", "quote") if (known := answer[name])]
    table(("line", "estimate", "quote", "against the estimate"), rows, ", ".join(told))


@app.command
def slip(
    case: str,
    *,
    arrives: date | None = None,
    infusion: date | None = None,
    known_at: datetime | None = None,
    json: Json = False,
) -> None:
    """What does not hold if the patient arrives, or once there is infused, on that day; Move… asks for it."""
    asked = {"arrives": arrives and arrives.isoformat(), "infusion_day": infusion and infusion.isoformat()}
    answer = asking(lambda c: c.get(f"/cases/{case}/slip", **asked, known_at=known_at and zoned(known_at)))
    if json:
        as_json(answer)
        return
    rows = [
        (one["step"], one["until"] or one["why"], one["needed"], in_words(one["mend"]), one["to"],
         in_words(one["lost"] or ""), _moving(one), _at_stake(one), "asked for" if one["asked"] else "")
        for one in answer["steps"]
    ]  # fmt: skip
    known = ", ".join(f"{_item({**one, 'trial': False})} {one['currency']}" for one in answer["sums"])
    day = "arrives" if "arrives" in answer else "infusion_day"
    title = f"{in_words(day)} {answer[day]}, planned {answer['planned']}; moving costs {known or 'not known'}"
    columns = ("step", "until", "needed until", "what mends it", "asked of", "lost", "moving costs", "its price", "")
    table(columns, rows, title)


def _at_stake(one: Mapping[str, Any]) -> str:
    return f"{_item(one['price'])} {one['price']['currency']}" if one["price"] else "not known"


def _moving(one: Mapping[str, Any]) -> str:
    cost = one["cost"]
    if cost is None:
        return f"not known: ask {in_words(one['ask'])}"
    until = f"nothing until {cost['free_until']}, then " if cost["then"] else ""
    return f"{until}{_item({**(cost['then'] or cost), 'trial': False})} {cost['currency']}"


def _item(item: Mapping[str, Any] | None) -> str:
    if item is None:
        return ""
    amount = f"{item['low']:,} - {item['high']:,}" if item["low"] != item["high"] else f"{item['low']:,}"
    return f"{amount} (borne by the trial)" if item["trial"] else amount


def _over(over: int | None) -> str:
    return "" if over is None else f"{over:+,}" if over else "within"


def _stands(one: Mapping[str, Any]) -> str:
    computed = in_words(one["result"])
    return f"{one['read']} (read by a person; computed: {computed})" if one.get("read") else computed


@app.command
def why(case: str, event: str, *, json: Json = False) -> None:
    """Why an event was recorded, by its id or its number in the timeline; down to what people said."""
    answer = asking(lambda c: c.get(f"/cases/{case}/why/{event}"))
    if json:
        as_json(answer)
        return
    _explain(answer["event"], answer["because"], 0)
    if then := answer["shown_then"]:
        say(f"decided at stage {then['stage']}, version {then['version']}, with these facts told:")
        table(("no", "fact", "id"), [(f["version"], f["type"], f["id"]) for f in then["facts"]])


def _explain(event: Mapping[str, Any], because: list[Any], depth: int) -> None:
    say(f"{'  ' * depth}{event['type']}  {event['recorded_at'][:19]}  by {_by(event)}  {event['id']}")
    for one in because:
        _explain(one, one["because"], depth + 1)


@app.command(name="list")
def list_cases(
    *,
    stage: str | None = None,
    owner: str | None = None,
    team: str | None = None,
    centre: str | None = None,
    overdue: bool | None = None,
    urgent: bool | None = None,
    q: str | None = None,
    known_at: datetime | None = None,
    limit: int = 50,
    json: Json = False,
) -> None:
    """The worklist, by what is due next, now or as it was shown at an instant."""
    given = {
        "stage": stage,
        "owner": owner,
        "team": team,
        "centre": centre,
        "overdue": overdue,
        "urgent": urgent,
        "q": q,
        "known_at": known_at and zoned(known_at),
    }
    answer = asking(lambda c: c.get("/cases", limit=limit, **given))
    if json:
        as_json(answer)
        return
    names = ("number", "stage", "next_due", "next_kind", "next_debtor", "patient", "owner", "urgent", "id")
    table(names, [[one[name] for name in names] for one in answer["cases"]])


@app.command
def kick(case: str) -> None:
    """Wake the loop of a case now; harmless, and only on the machine that reaches Temporal and the database."""
    running(import_module("api.cli.here").nudged(case))
    say(f"nudged {case}")


async def _all(caravel: Caravel, path: str, name: str) -> list[Any]:
    """Every page."""
    found: list[Any] = []
    after = None
    while True:
        page = await caravel.get(path, after=after)
        found += page[name]
        after = page["next"]
        if after is None:
            return found


def zoned(instant: datetime) -> str:
    """Return an instant with its zone; the one of this machine where it was typed without."""
    return (instant if instant.tzinfo else instant.astimezone()).isoformat()
