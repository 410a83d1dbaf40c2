"""What every door, page and command line says where something is erased, or its key is not on this machine.

The cases and the addresses are those of `test_every_door.py`.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from fastapi import FastAPI

from api.ports import DevSignIn
from api.run.http_app import http_app
from api.run.wiring import parts
from tests.api.cli.test_cli import Cli
from tests.api.conftest import HOST, NO_LIMIT, ROLES, SECRET, settings, signed_in
from tests.api.console.conftest import ORIGIN, hidden
from tests.api.http.conftest import Scene
from tests.api.http.test_every_door import answers, readable
from tests.api.personal_cases import canary

pytestmark = pytest.mark.slow
LANGUAGES = {"en": ("[masked]", "[erased]", "[no key on this machine]"),
             "zh": ("[已隐去]", "[已删除]", "[此机器上没有密钥]"),
             "ar": ("[محجوب]", "[محذوف]", "[لا مفتاح على هذا الجهاز]")}  # fmt: skip
"""How each language says masked, erased, and that the key is not here."""


@pytest.fixture(scope="module")
async def keyless(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """The same ledger and documents from a machine that has the list of destroyed keys, and no key."""
    own, home = scene.here.settings, tmp_path_factory.mktemp("empty")
    shutil.copy2(own.destroyed_keys, home)
    elsewhere = settings(own.database_url.get_secret_value(), home, documents=own.document_folder.as_uri())
    async with parts(elsewhere, connections=4) as there:
        app = http_app(there, dev=DevSignIn(SECRET, frozenset({HOST})), limits=NO_LIMIT)
        async with app.router.lifespan_context(app):
            yield app


REFUSES = "start again"
"""What a form says where nothing can be recorded."""


@pytest.mark.parametrize("role", ROLES)
async def test_without_the_keys_no_door_fails_or_says_anything(scene: Scene, keyless: FastAPI, role: str) -> None:
    who = await signed_in(keyless, scene.people[role].id)
    for address, _, answer in await answers(keyless, who, scene.live[-1:]):
        says = REFUSES if re.match("/console/open|.*/do/", address) else "away" if "/readyz" in address else "no_key"
        says = "not on this machine" if re.match("/console/cases/[^/]+/documents/", address) else says
        away = answer.status_code == 503 and says in answer.text
        assert answer.status_code < 500 or away, (address, answer.text[-900:])
        assert "Canary" not in readable(answer).replace("Atlantic/Canary", "a zone of that name"), address


async def test_a_worklist_says_each_state_by_its_name(scene: Scene, keyless: FastAPI) -> None:
    for app, states in ((scene.app, ("live", "erased")), (keyless, ("no_key", "erased"))):
        for role, hidden_too in (("supervisor", False), ("auditor", True)):
            who = await signed_in(app, scene.people[role].id)
            body = (await who.get("/cases", limit=200)).json()["cases"]
            for cases, state in ((scene.live, states[0]), (scene.gone, states[1])):
                [line] = [row for row in body if row["id"] == cases[0].stream]
                live = {"masked": "identity"} if hidden_too else canary("identity", "live")
                assert line["patient"] == (live if state == "live" else {state: True})


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_say_each_state_in_every_language(scene: Scene, keyless: FastAPI, language: str) -> None:
    masked, erased, no_key = LANGUAGES[language]
    live, gone = scene.live[0].stream, scene.gone[0].stream
    for app, role, case, word in (
        (scene.app, "supervisor", gone, erased),
        (scene.app, "auditor", live, masked),
        (scene.app, "auditor", gone, erased),
        (keyless, "supervisor", live, no_key),
        (keyless, "supervisor", gone, erased),
    ):
        who = await signed_in(app, scene.people[role].id)
        who.http.cookies.set("caravel_language", language)
        for part in ("", "/timeline", "/facts"):
            text = (await who.get(f"/console/cases/{case}{part}")).text
            assert word in text, (role, case, part)
            assert [one for one in LANGUAGES[language] if one in text] == [word], (role, part)


async def test_the_search_finds_the_living_alone(scene: Scene, keyless: FastAPI) -> None:
    found = {}
    for name, app in (("here", scene.app), ("keyless", keyless)):
        who = await signed_in(app, scene.people["supervisor"].id)
        csrf = hidden((await who.get("/console/")).text)["csrf"]
        answer = await who.http.post("/console/search", data={"q": "Canary", "csrf": csrf}, headers={"Origin": ORIGIN})
        assert answer.status_code == 200
        found[name] = {one.stream for one in (*scene.live, *scene.gone) if one.stream in answer.text}
    assert found == {"here": {one.stream for one in scene.live}, "keyless": set()}


COMMANDS_THAT_READ: Sequence[Sequence[str]] = (
    ("case", "show", "CASE"),
    ("case", "show", "CASE", "--as-of", "2100-01-01T00:00:00Z"),
    ("case", "timeline", "CASE"),
    ("case", "diff", "CASE", "--from", "1"),
    ("case", "why", "CASE", "1"),
    ("case", "list", "--limit", "200"),
    ("audit", "export", "CASE", "--format", "cloudevents", "--open", "--out", "FILE"),
    ("audit", "export", "CASE", "--format", "fhir", "--out", "FILE"),
    ("audit", "export", "CASE", "--format", "xes", "--out", "FILE"),
    ("audit", "export", "CASE", "--level", "full", "--wait", "0", "--out", "FILE"),
    ("audit", "whatif"),
)
TELL = ("show", "timeline", "list", "export")
"""Those of them that always tell something personal, and so have to say why they do not."""


@pytest.mark.parametrize("words", COMMANDS_THAT_READ, ids=" ".join)
async def test_the_command_line_says_each_state(
    scene: Scene, keyless: FastAPI, tmp_path: Path, words: Sequence[str]
) -> None:
    here, elsewhere = scene.here.settings, keyless.state.service.documents.spool.parent
    shown = {}
    for state, one, home in (
        ("known", scene.live[-1], here.home),
        ("erased", scene.gone[-1], here.home),
        ("no key", scene.live[-1], elsewhere),
    ):
        cli = Cli({"CARAVEL_DATABASE_URL": here.database_url.get_secret_value(), "CARAVEL_HOME": str(home)})
        file = tmp_path / state
        said = await cli(*({"CASE": one.stream, "FILE": str(file)}.get(word, word) for word in words))
        assert said.code == 0, said.err
        shown[state] = said.out + (_exported(file) if file.exists() else "")
    assert "Canary-gone" not in "".join(shown.values())
    assert "Canary" not in shown["no key"]
    if words[1] in TELL and not {"fhir", "xes"} & set(words):
        assert "Canary-live" in shown["known"], "the control"
        assert "erased" in shown["erased"]
        assert re.search("no_?( )?key", shown["no key"])


def _exported(file: Path) -> str:
    if file.read_bytes()[:2] != b"PK":
        return file.read_text()
    with zipfile.ZipFile(file) as package:
        return package.read("report.html").decode()


STEERING = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202eesrever\u2066\r\x7f"


async def test_the_command_line_sends_nothing_that_steers_a_terminal(scene: Scene) -> None:
    coordinator, here = scene.people["coordinator"], scene.here.settings
    case = (await coordinator.open(diagnosis=f"Mallory {STEERING}"))["case"]
    told = await coordinator.send(case, "AddNote", kind="note", text=f"before{STEERING}[red]after")
    assert told.status_code == 200
    cli = Cli({"CARAVEL_DATABASE_URL": here.database_url.get_secret_value(), "CARAVEL_HOME": str(here.home)})
    for words in (("timeline", case), ("show", case), ("list",), ("diff", case, "--from", "1"), ("why", case, "1")):
        said = await cli("case", *words)
        assert said.code == 0, said.err
        assert {one for one in said.out if one != "\n" and not one.isprintable()} == set(), words
    timeline, read = await cli("case", "timeline", case), await cli("case", "timeline", case, "--json")
    assert {one for one in read.out if one != "\n" and not one.isprintable()} == set()
    assert r"\u202eesrever" in timeline.out, "shown as what it is"
    events = json.loads(read.out)
    assert f"before{STEERING}[red]after" in [event["data"].get("text") for event in events], "programs get it as it is"


async def test_an_answer_of_the_api_cannot_steer_a_terminal(scene: Scene) -> None:
    here = scene.here.settings
    cli = Cli({"CARAVEL_DATABASE_URL": here.database_url.get_secret_value(), "CARAVEL_HOME": str(here.home)})
    refused = await cli("case", "send", scene.live[0].stream, "AddNote", "kind=note", f"{STEERING}=1")
    assert refused.code != 0
    assert not [one for one in refused.err if one != "\n" and not one.isprintable()]
