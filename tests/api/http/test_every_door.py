"""Whatever is personal may be known, masked, erased, or sealed with a key that is not here: every door says which.

Routes are those of the app itself: a new one is asked here, or says in `FILLED` what its parameters may be.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.http.access import belonging
from api.http.masking import sees
from api.ports import DevSignIn
from api.run.http_app import http_app
from api.run.wiring import Parts, parts
from domain.case.state import Case
from domain.catalogue.protocol import RegisterProtocol
from domain.core.personal import KEY_CLASSES
from domain.core.roles import Role
from domain.criteria.criterion import Comparison, Criterion
from domain.journey import COMMANDS
from domain.roles import Actor
from tests.api.cli.test_cli import Cli
from tests.api.conftest import HOST, NO_LIMIT, ROLES, SECRET, Person, settings, signed_in
from tests.api.console.conftest import ORIGIN, hidden
from tests.api.personal_cases import STEPS, canary, recorded
from tests.api.routes.test_documents import attach

pytestmark = pytest.mark.slow
LANGUAGES = {"en": ("[masked]", "[erased]", "[no key on this machine]"),
             "zh": ("[已隐去]", "[已删除]", "[此机器上没有密钥]"),
             "ar": ("[محجوب]", "[محذوف]", "[لا مفتاح على هذا الجهاز]")}  # fmt: skip
"""How each language says masked, erased, and that the key is not here."""
SCREENED = "protocol-screened"
"""A protocol that asks for what the cases were observed for."""
ASKS = RegisterProtocol(
    registry="X", title="t", product="p", product_class="allogeneic", targets=("CD19",), diseases=("B-ALL",),
    source="s", as_of=date(2026, 1, 1),
    criteria=(
        Criterion(id="age", kind="inclusion", words="adults",
                  ways=((Comparison(analyte="age", op=">=", value="18", unit="a"),),)),
        Criterion(id="creatinine", kind="inclusion", words="creatinine <=1.5 x ULN",
                  ways=((Comparison(analyte="creatinine", op="<=", value="1.5", unit="{ULN}"),),)),
    ),
)  # fmt: skip
ENDLESS = {"/stream"}
"""Streams of ids and versions, which never end."""


@dataclass(frozen=True)
class Told:
    """A case with canaries: its stream, an event of it, a document, the kinds of commands there are."""

    stream: str
    events: Sequence[str]
    document: str
    state: Case


@dataclass(frozen=True)
class Scene:
    """Two sets of the same cases, of which one is erased; an app with all keys, and one whose folder is empty."""

    here: Parts
    app: FastAPI
    live: Sequence[Told]
    gone: Sequence[Told]
    people: Mapping[str, Person]


@pytest.fixture(scope="module")
async def scene(here: Parts, app: FastAPI, people: Mapping[str, Person]) -> Scene:
    owner = people["coordinator"]
    await here.commands.record(CommandRequest(SCREENED, Meta("person-keeper", "operation"), ASKS))
    live = [await _told(here, owner, step, "live") for step in STEPS]
    gone = [await _told(here, owner, step, "gone") for step in STEPS]
    for one in gone:
        for key_class in KEY_CLASSES:
            await here.keys.destroy(one.stream, key_class)
    return Scene(here, app, live, gone, people)


async def _told(here: Parts, owner: Person, step: str, mark: str) -> Told:
    stream = await recorded(here, step, mark, owner.id, "asia")
    attached = await attach(owner, stream)
    state, facts, _ = await here.commands.case(stream)
    named = attached.json()["document"] if attached.status_code == 201 else "0" * 64
    return Told(stream, [facts[0].id, facts[-1].id], named, state)


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


def reads(app: FastAPI) -> list[APIRoute]:
    """Every address that is only read."""
    found = [one for one in _routes(app.routes) if "GET" in (one.methods or ())]
    assert len(found) > 40
    return [one for one in found if one.path not in ENDLESS]


def _routes(routes: Iterable[Any]) -> Iterator[APIRoute]:
    for one in routes:
        if isinstance(one, APIRoute):
            yield one
        yield from _routes(getattr(getattr(one, "original_router", None), "routes", ()))


FILLED: Mapping[str, Any] = {
    "case": lambda one: [one.stream],
    "protocol": lambda _: [SCREENED],
    "event": lambda one: one.events,
    "name": lambda one: [one.document],
    "command": lambda _: [command.__name__ for command in COMMANDS],
    "stream": lambda one: [one.stream],
    "version": lambda _: ["1"],
    "entry": lambda one: [one.state.owner],
    "check": lambda _: ["none"],
    "token": lambda _: ["none"],
    "centre": lambda _: ["centre-none"],
    "submission": lambda one: [*one.state.submissions][:1] or ["none"],
    "arrangement": lambda one: [*one.state.arrangements][:1] or ["none"],
    "digest": lambda _: ["none"],
    "recall": lambda _: ["recall-none"],
    "of": lambda one: [one.stream],
    "upload": lambda _: ["none"],
    "number": lambda _: ["1"],
}
"""What may stand for a parameter of an address, for one case."""
ASKED: Mapping[str, Mapping[str, Any]] = {
    "/lots/{entry}/custody": {"unit": "none"},
    "/cases/{case}/diff": {"from": "1"},
    "/console/audit/event": {"stream": "", "version": "1"},
    "/audit/consistency": {"first": "1", "second": "2"},
    "/audit/cases/{case}/evidence": {"wait": "0", "level": "full"},
}
"""What an address has to be asked with."""


def addresses(route: APIRoute, one: Told) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every address of a route for that case; where a moment can be asked for, for one too."""
    paths = [route.path]
    for name in re.findall(r"{(\w+)}", route.path):
        paths = [path.replace(f"{{{name}}}", value) for path in paths for value in FILLED[name](one)]
    asked = ASKED.get(route.path, {})
    taken = {p.name for one in (route.dependant, *route.dependant.dependencies) for p in one.query_params}
    moments = {"known_at"} if route.path == "/console/" else taken & {"known_at", "as_of"}
    for path in paths:
        yield path, asked
        for moment in sorted(moments):
            yield path, {**asked, moment: str(one.state.stage_since)}


def of_cases(route: APIRoute) -> bool:
    return "{case}" in route.path


async def answers(app: FastAPI, who: Person, cases: Sequence[Told]) -> list[tuple[str, Told | None, httpx2.Response]]:
    """What somebody is answered at every address: lists once, and what is of a case for each."""
    found: list[tuple[str, Told | None, httpx2.Response]] = []
    for route in reads(app):
        for one in cases if of_cases(route) else cases[:1]:
            for path, query in addresses(route, one):
                if "/do/" in path and (who.id != one.state.owner or one not in cases[-1:]):
                    continue  # forms are many: those of one case, for who may give most of them
                answer = await who.http.get(path, params=query)
                found.append((f"{path} {query}", one if of_cases(route) else None, answer))
    return found


def visible(role: str, who: Person, one: Told) -> frozenset[str]:
    return frozenset(sees(Actor(who.id, Role(role), "asia"), belonging(one.state)))


@pytest.mark.parametrize("role", ROLES)
async def test_no_door_fails_or_says_what_it_should_not(scene: Scene, role: str) -> None:
    who, opened = scene.people[role], set[str]()
    for address, one, answer in await answers(scene.app, who, [*scene.gone, *scene.live]):
        assert answer.status_code < 500, (address, answer.text[:400])
        text = _readable(answer)
        assert "Canary-gone" not in text, address
        told = {key_class for key_class in KEY_CLASSES if canary(key_class, "live") in text}
        assert told <= visible(role, who, one or scene.live[0]), (address, told)
        opened |= told
    assert opened == visible(role, who, scene.live[0]), "the control: what may be seen is seen somewhere"


def _readable(answer: httpx2.Response) -> str:
    return answer.content.decode(errors="replace").replace("&#216;", "Ø").replace("\\u00d8", "Ø")


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
        assert "Canary" not in _readable(answer).replace("Atlantic/Canary", "a zone of that name"), address


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
