"""A case is taken home: by those who may, at three levels, and proven there; nothing personal in a regulator's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from api.run.sealing import signing_keys
from api.run.wiring import Parts
from infra.audit.package.container import unpack
from tests.api.cli.test_cli import Cli, cli
from tests.api.conftest import CANARY, Person
from tests.api.routes.history.test_audit import seal
from tests.api.routes.test_commands import assert_problem
from tests.infra.audit.package.made import both

__all__ = ["cli"]
pytestmark = pytest.mark.slow


async def taken(person: Person, case: str, level: str, wait: int = 0) -> bytes:
    answer = await person.get(f"/audit/cases/{case}/evidence", level=level, wait=wait)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    return answer.content


async def opened(coordinator: Person) -> str:
    case: str = (await coordinator.open())["case"]
    note = await coordinator.send(case, "AddNote", kind="note", text=f"<script>alert(1)</script> {CANARY}")
    assert note.status_code == 200, note.text
    return case


async def test_a_regulator_gets_nothing_personal_and_all_of_the_proof(
    coordinator: Person, people: Mapping[str, Person], here: Parts
) -> None:
    case = await opened(coordinator)
    await seal(here)
    content = await taken(people["auditor"], case, "regulator")
    key = signing_keys(here.settings).known()[0]
    found = both(content, key)
    assert (found.outcome, found.manifest and found.manifest.case) == ("verified", case)
    assert found.withheld > 0
    parts = unpack(content)
    everything = b"".join(parts.values())
    for telling in (CANARY, "canary@example.org", "canary", "Asia/Kolkata", '"IN"', "ciphertext"):
        assert telling.encode() not in everything.replace(parts["verify.py"], b""), telling
    rows = await here.ledger.events(case)
    given = {line["version"]: line for line in map(json.loads, parts["events.jsonl"].splitlines())}
    for row in rows:
        for number, name in enumerate(("data", "sealed", "meta")):
            salt = row.salts[16 * number : 16 * number + 16].hex()
            assert (salt.encode() in everything) == ("salt" in given[row.version][name])
    assert "digest" in given[1]["data"]
    assert any("text" in one["data"] for one in given.values())


async def test_the_full_one_opens_names_for_those_who_may_and_never_keys(
    coordinator: Person, supervisor: Person, people: Mapping[str, Person], here: Parts
) -> None:
    case = await opened(coordinator)
    await seal(here)
    full, masked = await taken(supervisor, case, "full"), await taken(people["auditor"], case, "full")
    clinical = await taken(supervisor, case, "clinical")
    reports = [unpack(one)["report.html"].decode() for one in (full, clinical, masked)]
    assert [CANARY in one for one in reports] == [True, False, False]
    assert ["B-ALL" in one for one in reports] == [True, True, False]
    for content in (full, clinical, masked):
        assert both(content, *signing_keys(here.settings).known()).outcome == "verified"
        secrets = [key.secret for key in (await here.keys.for_opening(case)).values() if key]
        assert secrets
        assert not [one for one in secrets if one in content or one.hex().encode() in content]


class Page(HTMLParser):
    """What a page would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "action", "data")]


async def test_the_report_needs_no_server_and_runs_nothing(
    coordinator: Person, supervisor: Person, here: Parts
) -> None:
    case = await opened(coordinator)
    await seal(here)
    parts = unpack(await taken(supervisor, case, "full"))
    text = parts["report.html"].decode()
    page = Page(text)
    assert not page.tags & {"script", "img", "link", "iframe", "form", "object"}
    assert all(link.startswith("#v") for link in page.links)
    assert "&lt;script&gt;" in text
    assert "url(" not in text
    assert text.count("rests on <a") == text.count("<br>rule ") > 0, "what follows by itself says what it rests on"
    rules = json.loads(parts["rules.json"])
    assert rules
    assert all(one["meaning"] and one["policies"] and one["rule"] in text for one in rules)
    shapes = json.loads(parts["schemas.json"])
    assert {f"{e['type']}-{e['schema_version']}" for e in map(json.loads, parts["events.jsonl"].splitlines())} == set(
        shapes
    )
    assert re.search(rf'"{re.escape(case)}"', parts["manifest.json"].decode())


async def test_what_is_not_sealed_yet_is_waited_for_or_said(
    coordinator: Person, people: Mapping[str, Person], here: Parts
) -> None:
    case = await opened(coordinator)
    await seal(here)
    await coordinator.send(case, "AddNote", kind="note", text="one more")
    content = await taken(people["auditor"], case, "regulator")
    key = signing_keys(here.settings).known()[0]
    assert both(content, key).unproven == ("not_sealed",)
    assert b"no checkpoint covered" in unpack(content)["report.html"]
    await seal(here)
    assert both(await taken(people["auditor"], case, "regulator", 5), key).outcome == "verified"


async def test_who_may_take_one(coordinator: Person, people: Mapping[str, Person]) -> None:
    case = await opened(coordinator)
    for role, person in people.items():
        answer = await person.get(f"/audit/cases/{case}/evidence", wait=0)
        allowed = role in ("supervisor", "quality", "auditor", "operator")
        assert answer.status_code == (200 if allowed else 403), role
    auditor = people["auditor"]
    assert_problem(await auditor.get(f"/audit/cases/{case}/evidence", level="all"), 422, "invalid")
    assert_problem(await auditor.get(f"/audit/cases/{case}/evidence", wait=10_000), 422, "invalid")
    assert_problem(await auditor.get("/audit/cases/case-nobody/evidence"), 404, "not_found")


async def test_from_the_command_line_to_a_clean_machine(
    cli: Cli, coordinator: Person, here: Parts, tmp_path: Path
) -> None:
    case = await opened(coordinator)
    await seal(here)
    file = tmp_path / "package.zip"
    said = await cli("audit", "export", case, "--out", str(file), "--wait", "0")
    assert said.code == 0, said.err
    assert (await cli("audit", "verify", str(file))).code == 0
    away = {"CARAVEL_HOME": str(tmp_path / "elsewhere"), "CARAVEL_DATABASE_URL": ""}
    assert (await cli("audit", "verify", str(file), **away)).code == 3
    key = (await cli("audit", "keys")).out.splitlines()[0]
    assert (await cli("audit", "verify", str(file), "--key", key, **away)).code == 0
    verifier = tmp_path / "verify.py"
    verifier.write_bytes(unpack(file.read_bytes())["verify.py"])
    alone = [sys.executable, "-I", "-S", str(verifier), str(file), "--key", key]
    done = subprocess.run(alone, capture_output=True, text=True, timeout=60, check=True)  # noqa: ASYNC221 - a program of a second
    assert done.stdout.endswith("VERIFIED\n")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    broken = await cli("audit", "verify", str(file), "--json")
    assert (broken.code, broken.json["outcome"]) == (1, "broken")
    assert (await cli("audit", "verify", str(tmp_path / "none.zip"))).code == 2
