"""Forms made from commands: what is asked, what is kept when something is refused, and nothing carried out twice."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI

from activities.command_codec import TOLD
from api.console.forms.fields import Input, Maker
from api.console.text.texts import Texts
from api.http.command_json import CASE
from api.http.form_parse import OF_A_FILE, form_parse, takes_file
from api.http.problems import Problem
from api.run.wiring import Parts
from domain.core.personal import Identity
from domain.core.shape import shape_of
from domain.core.when import When
from domain.journey import COMMANDS
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Browser, browsing, hidden
from tests.domain.any_command import MAKE
from tests.domain.course import start

KOLKATA = ZoneInfo("Asia/Kolkata")


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Everything:
    """Every shape. `who` is somebody, `length` counts from today."""

    who: Identity
    colour: Colour
    kind: Literal["a", "b"]
    number: int
    at: datetime
    day: date
    length: timedelta
    sure: bool
    perhaps: bool | None = None
    occurred: When | None = None
    kinds: tuple[Literal["x", "y"], ...] = ()
    names: tuple[str, ...] = ()
    times: tuple[When, ...] = ()
    note: str = ""
    type: Literal["Everything"] = "Everything"


def test_a_command_nobody_has_seen_before_has_a_form() -> None:
    made = {one.name: one for one in Maker(Texts("en"), {}, None, {}, zone="Asia/Kolkata").inputs(Everything)}
    kinds = {name: one.kind for name, one in made.items()}
    assert kinds == {
        "who": "text", "colour": "choice", "kind": "choice", "number": "number", "at": "instant", "day": "date",
        "length": "hours", "sure": "check", "perhaps": "choice", "occurred": "when", "kinds": "many", "names": "lines",
        "times": "nested", "note": "area",
    }  # fmt: skip
    hints = {name: one.hint for name, one in made.items() if one.hint}
    assert hints == {"at": "time in Asia/Kolkata", "names": "one on each line"}, "no docstring is a text of a form"
    assert [one.name for one in made["times"].parts[0].parts] == ["times.0.precision", "times.0.first", "times.0.last"]


def test_what_is_typed_becomes_the_command() -> None:
    typed = [
        ("who", "Asha"), ("colour", "red"), ("kind", "b"), ("number", " 7 "), ("at", "2026-03-01T09:30"),
        ("day", "2026-03-02"), ("length", "36"), ("perhaps", "false"), ("occurred.precision", "day"),
        ("occurred.first", "2026-03-01T23:59"), ("kinds", "x"), ("kinds", "y"), ("names", "one\n\n two "),
        ("times.1.precision", "instant"), ("times.1.first", "2026-01-01T00:00"),
    ]  # fmt: skip
    tree = form_parse(Everything, typed, KOLKATA)
    assert tree["at"] == "2026-03-01T04:00:00+00:00", "nine thirty in Kolkata"
    assert tree["occurred"]["earliest"] == "2026-02-28T18:30:00+00:00", "the day where it was seen"
    assert tree["times"] == [
        {"precision": "instant", "earliest": "2025-12-31T18:30:00+00:00", "latest": "2025-12-31T18:30:00+00:00"}
    ]
    assert (tree["sure"], tree["perhaps"], tree["length"]) == (False, False, "PT36H")
    assert (tree["kinds"], tree["names"]) == (["x", "y"], ["one", "two"])
    assert "note" not in tree


def test_every_field_that_cannot_be_read_is_named() -> None:
    typed = [("number", "many"), ("at", "soon"), ("occurred.precision", "day"), ("length", "long")]
    with pytest.raises(Problem) as caught:
        form_parse(Everything, typed, UTC)
    assert {f.pointer for f in caught.value.faults} == {"#/number", "#/at", "#/occurred/first", "#/length"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_every_command_can_be_given_by_a_form(command: type[Any]) -> None:
    """What the inputs hold for a command, read back, is that command."""
    sample = MAKE[command](start("infused"), 7)
    tree = json.loads(CASE.adapter.dump_json(sample))
    signed = {"by": tree["by"]} if tree.get("by") else {}
    signed |= {name: tree.pop(name) for name in OF_A_FILE if name in tree} if takes_file(command) else {}
    back = form_parse(command, _typed(tree), UTC)
    again = CASE.adapter.validate_json(json.dumps({**signed, **back}))
    assert CASE.adapter.dump_json(again) == CASE.adapter.dump_json(sample)
    names = _names(Maker(Texts("en"), {}, _typed(tree), {}).inputs(command))
    assert {name for name, _ in _typed(tree)} <= names


def _names(inputs: Any) -> set[str]:
    return (
        {one.name for one in inputs}
        | {name for one in inputs for name in _names(one.parts)}
        | {f"{one.name}.type" for one in inputs if isinstance(one, Input) and one.kind == "one_of"}
    )


def _typed(tree: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in tree.items():
        pairs += (
            []
            if (name == "type" and not above) or (name == "by" and tree["type"] not in TOLD)
            else _pairs(f"{above}{name}", value)
        )
    return pairs


def _pairs(name: str, value: Any) -> list[tuple[str, str]]:
    if value is None or value is False or value == "":
        return []
    if isinstance(value, dict) and "precision" in value:
        ends = [(f"{name}.first", value.get("earliest")), (f"{name}.last", value.get("latest"))]
        precision = (f"{name}.precision", value["precision"])
        return [precision, *((n, end.replace("Z", "")) for n, end in ends if end)]
    if isinstance(value, dict):
        return _typed(value, f"{name}.")
    if isinstance(value, list):
        nested = any(isinstance(one, dict) for one in value)
        each = [(f"{name}.{n}" if nested else name, one) for n, one in enumerate(value)]
        return [pair for n, one in each for pair in _pairs(n, one)]
    text = "true" if value is True else str(value)
    return [(name, text.removesuffix("Z") if re.match(r"\d{4}-\d\d-\d\dT", text) else text)]


def test_the_shapes_of_all_commands_are_known() -> None:
    assert shape_of(str | None).optional
    assert shape_of(Identity).kind == "text"


@pytest.mark.slow
async def test_a_form_is_sent_once_and_says_what_it_brought(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open()
    path = f"/console/cases/{opened['case']}/do/ReplyToFamily"
    form = hidden((await mei.get(path)).text)
    first = await mei.post(path, **form, channel="call", note="spoke with the mother")
    assert "Recorded: Family answered" in first.text
    again = await mei.post(path, **form, channel="call", note="spoke with the mother")
    assert "recorded before" in again.text
    events = (await coordinator.get(f"/cases/{opened['case']}/events")).json()["events"]
    assert [e["type"] for e in events].count("FamilyAnswered") == 1
    other = await mei.post(path, **form, channel="mail", note="other words")
    assert other.status_code == 422
    assert "sent already" in other.text
    assert "other words" in other.text, "what was typed is kept"
    assert hidden(other.text)["key"] != form["key"]


@pytest.mark.slow
async def test_a_refused_form_keeps_what_was_typed_and_points_to_the_field(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open()
    path = f"/console/cases/{opened['case']}/do/ChangeContact"
    page = (await mei.get(path)).text
    person = re.search(r'<select id="f-person".*?<option value="([^"]{8,})"', page, re.DOTALL)
    assert person is not None
    typed = {"person": person[1], "mail": "new@example.org", "phone": "", "zone": "Nowhere/Land", "language": "hi"}
    refused = await mei.post(path, **hidden(page), **typed)
    assert refused.status_code == 422
    assert 'href="#f-zone"' in refused.text
    assert 'id="f-zone-d"' in refused.text
    assert "no such time zone" in refused.text
    assert 'value="new@example.org"' in refused.text
    assert 'aria-invalid="true"' in refused.text
    mended = await mei.post(path, **hidden(refused.text), **{**typed, "zone": "Asia/Kolkata"})
    assert "Recorded:" in mended.text


@pytest.mark.slow
async def test_facts_by_others_are_shown_before_a_form_counts(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open()
    path = f"/console/cases/{opened['case']}/do/AddNote"
    form = hidden((await mei.get(path)).text)
    await coordinator.send(opened["case"], "AddNote", kind="call", text="the father called")
    stale = await mei.post(path, **form, kind="note", text="my own words")
    assert stale.status_code == 412
    assert "the father called" in stale.text
    assert "my own words" in stale.text
    sent = await mei.post(path, **hidden(stale.text), kind="note", text="my own words")
    assert "Recorded: Note added" in sent.text


@pytest.mark.slow
async def test_automatic_events_do_not_make_a_page_stale(mei: Browser, coordinator: Person, here: Parts) -> None:
    opened = await coordinator.open()
    path = f"/console/cases/{opened['case']}/do/AddNote"
    await coordinator.send(opened["case"], "RequestRecord", kind="pathology")
    form = hidden((await mei.get(path)).text)
    await _engine_says(here, opened["case"])
    sent = await mei.post(path, **form, kind="note", text="still good")
    assert "Recorded: Note added" in sent.text


async def _engine_says(here: Parts, case: str) -> None:
    from activities.command_handler import CommandRequest  # noqa: PLC0415
    from activities.ports import Meta  # noqa: PLC0415 - only this control needs it
    from domain.stages.anytime.outcomes import RecordOutcome  # noqa: PLC0415

    state, _, _ = await here.commands.case(case)
    assert state.effects
    outcome = RecordOutcome(next(iter(state.effects)), 1, "delivered", "r-1")
    await here.commands.record(CommandRequest(case, Meta("engine", "operation"), outcome))


@pytest.mark.slow
async def test_a_session_that_ends_in_the_middle_loses_nothing(app: FastAPI, here: Parts, coordinator: Person) -> None:
    opened = await coordinator.open()
    person = await registered(here, "coordinator")
    mei = await browsing(app, person)
    path = f"/console/cases/{opened['case']}/do/AddNote"
    form = hidden((await mei.get(path)).text)
    await mei.post("/console/sign-out", csrf=form["csrf"])
    ended = await mei.post(path, **form, kind="note", text="long and precious")
    assert ended.status_code == 401
    assert "precious" not in ended.text, "sealed: whoever sits down next cannot read it"
    kept = hidden(ended.text)["kept"]
    stranger = await browsing(app, await registered(here, "coordinator"))
    assert (await stranger.post("/console/kept", kept=kept)).status_code == 403
    again = await mei.post("/console/sign-in", person=person, kept=kept)
    filled = await mei.post("/console/kept", kept=hidden(again.text)["kept"])
    assert "long and precious" in filled.text
    assert hidden(filled.text)["key"] == form["key"]
    events = (await coordinator.get(f"/cases/{opened['case']}/events")).json()["events"]
    assert "NoteAdded" not in [e["type"] for e in events], "nothing was sent by signing in"
    sent = await mei.post(path, **hidden(filled.text), kind="note", text="long and precious")
    assert "Recorded: Note added" in sent.text


@pytest.mark.slow
async def test_a_form_of_an_earlier_session_is_looked_at_again(app: FastAPI, here: Parts, coordinator: Person) -> None:
    opened = await coordinator.open()
    person = await registered(here, "coordinator")
    path = f"/console/cases/{opened['case']}/do/AddNote"
    mei = await browsing(app, person)
    form = hidden((await mei.get(path)).text)
    later = await browsing(app, person)
    answer = await later.post(path, **form, kind="note", text="typed before")
    assert answer.status_code == 403
    assert "typed before" in answer.text
    other = await browsing(app, await registered(here, "coordinator"))
    foreign = await other.post(path, **form, kind="note", text="typed before")
    assert foreign.status_code == 403
    assert "typed before" not in foreign.text


@pytest.mark.slow
async def test_a_case_is_opened_and_its_number_shown(mei: Browser) -> None:
    page = (await mei.get("/console/open")).text
    typed = {"country": "IN", "zone": "Asia/Kolkata", "patient_name": "Asha Rao", "language": "hi", "triage": "other"}
    wrong = await mei.post("/console/open", **hidden(page), **{**typed, "country": "India"})
    assert wrong.status_code == 422
    assert 'href="#f-country"' in wrong.text
    done = await mei.post("/console/open", **hidden(wrong.text), **typed)
    assert "Recorded: Case opened" in done.text
    assert "Asha Rao" in done.text


@pytest.mark.slow
async def test_a_correction_starts_from_what_stands(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open()
    told = await coordinator.send(opened["case"], "ReportDeath", cause="sepsis")
    fact = told.json()["recorded"][0]["id"]
    path = f"/console/cases/{opened['case']}/do/CorrectFact"
    page = (await mei.get(f"{path}?fact={fact}")).text
    assert 'value="sepsis"' in page or ">sepsis<" in page
    form = hidden(page)
    assert form["correction.type"] == "ReportDeath"
    typed = {"fact": fact, "correction.cause": "cardiac", "reason": "misheard"}
    done = await mei.post(path, **{**form, **typed})
    assert "Recorded: Fact corrected" in done.text


@pytest.mark.slow
async def test_what_may_not_be_done_says_so_before_and_after(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open()
    path = f"/console/cases/{opened['case']}/do/SignGate"
    page = (await mei.get(path)).text
    assert "taken at: Lymphodepletion" in page
    answer = await mei.post(path, **hidden(page), clinician="Dr X")
    assert answer.status_code in (403, 409, 422)
    assert "This could not be recorded" in answer.text
