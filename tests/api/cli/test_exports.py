"""Exports from the command line: complete, resumable, with nothing personal unless it was asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock
from xml.etree import ElementTree as ET

import asyncpg
import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle

from api.run.wiring import Parts
from infra.exports import reading
from tests.api.cli.test_cli import Cli, cli
from tests.api.conftest import CANARY, Person

__all__ = ["cli"]
pytestmark = pytest.mark.slow
SPACE = "{http://www.xes-standard.org/}"


@pytest.fixture
async def case(coordinator: Person) -> str:
    opened: str = (await coordinator.open())["case"]
    await coordinator.send(opened, "AddNote", kind="note", text=CANARY)
    return opened


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


async def test_one_case_in_every_format(cli: Cli, case: str, here: Parts, tmp_path: Path) -> None:
    rows = await here.ledger.events(case)
    for name in ("cloudevents", "fhir", "xes"):
        said = await cli("audit", "export", case, "--format", name, "--out", str(tmp_path / name))
        assert said.code == 0, said.err
        text = (tmp_path / name).read_text()
        assert CANARY not in text
        assert "ciphertext" not in text
    assert [one["streamversion"] for one in lines(tmp_path / "cloudevents")] == [row.version for row in rows]
    bundle = Bundle.model_validate_json((tmp_path / "fhir").read_text())
    assert len(bundle.entry or ()) == len(rows)
    log = ET.parse(tmp_path / "xes").getroot()
    (trace,) = log.iter(f"{SPACE}trace")
    assert len(list(trace.iter(f"{SPACE}event"))) == len(rows)


async def test_everything_in_order_and_on_from_where_it_was_cut(
    cli: Cli, case: str, coordinator: Person, here: Parts, tmp_path: Path
) -> None:
    for name, key in (("cloudevents", "sequence"), ("fhir", "id")):
        file = tmp_path / name
        words = ("audit", "export", "--all", "--format", name, "--out", str(file), "--resume")
        with mock.patch.object(reading, "PAGE", 3):
            assert (await cli(*words)).code == 0
        whole = file.read_text()
        file.write_text(whole[: len(whole) // 2])
        await coordinator.send(case, "AddNote", kind="note", text="one more")
        assert (await cli(*words)).code == 0
        found = [int(one[key].removeprefix("caravel-")) for one in lines(file)]
        assert found == list(range(1, await here.ledger.head() + 1))
        assert file.read_text().startswith(whole)
    for line in lines(tmp_path / "fhir"):
        AuditEvent.model_validate(line)


async def test_a_file_of_something_else_is_left_alone(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "mine"
    file.write_text("not ours\n")
    assert (await cli("audit", "export", "--all", "--format", "fhir", "--out", str(file), "--resume")).code == 1
    assert file.read_text() == "not ours\n"


async def test_every_case_is_a_trace(cli: Cli, case: str, here: Parts, tmp_path: Path) -> None:
    file = tmp_path / "all.xes"
    assert (await cli("audit", "export", "--all", "--format", "xes", "--out", str(file))).code == 0
    log = ET.parse(file).getroot()
    names = [trace[0].attrib["value"] for trace in log.iter(f"{SPACE}trace")]
    assert case in names
    assert len(names) == len(set(names))
    newest = await here.ledger.head()
    assert (
        await cli("audit", "export", "--all", "--format", "xes", "--after", str(newest), "--out", str(file))
    ).code == 0
    assert not list(ET.parse(file).getroot().iter(f"{SPACE}trace"))


async def test_personal_fields_only_when_asked_for(cli: Cli, case: str, tmp_path: Path) -> None:
    file = tmp_path / "opened"
    words = ("audit", "export", case, "--format", "cloudevents", "--out", str(file))
    assert (await cli(*words, "--open")).code == 0
    assert CANARY in file.read_text()
    assert (await cli(*words)).code == 0
    assert CANARY not in file.read_text()
    assert (await cli("audit", "export", case, "--format", "xes", "--open")).code == 2


async def test_who_took_events_is_history(cli: Cli, case: str, people: Mapping[str, Person], tmp_path: Path) -> None:
    for words in ((case, "--open"), ("--all",)):
        said = await cli("audit", "export", *words, "--format", "cloudevents", "--out", str(tmp_path / "x"))
        assert said.code == 0, said.err
    looks = (await people["auditor"].get(f"/cases/{case}/looks")).json()["looks"]
    taken = [sorted(one["opened"]) for one in looks if one["what"] == "export, cloudevents"]
    assert sorted(taken) == [[], ["clinical", "identity", "trace"]]


async def test_a_gap_is_no_export(cli: Cli, case: str, here: Parts, tmp_path: Path) -> None:
    admin = await asyncpg.connect(here.settings.database_url.get_secret_value())
    await admin.execute("alter table event disable trigger all")
    await admin.execute("update event set position = -position where position = 3")
    said = await cli("audit", "export", "--all", "--format", "cloudevents", "--out", str(tmp_path / "x"))
    await admin.execute("update event set position = 3 where position = -3")
    await admin.execute("alter table event enable always trigger event_is_append_only")
    await admin.close()
    assert said.code == 1
    assert "position 3 is not there" in said.err


async def test_what_cannot_be_exported_is_said(cli: Cli, case: str) -> None:
    assert (await cli("audit", "export")).code == 2
    assert (await cli("audit", "export", case, "--all", "--format", "xes")).code == 2
    assert (await cli("audit", "export", "--all")).code == 2
    assert (await cli("audit", "export", "case-nobody", "--format", "xes")).code == 1
    assert (await cli("audit", "export", case, "--format", "fhir", "--resume")).code == 1
