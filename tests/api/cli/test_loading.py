"""Files of protocols from the command line: looked at, agreed to, recorded; a fault in one keeps all out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.run.wiring import Parts
from tests.activities.catalogue_files.files import OWN, STUDY
from tests.api.cli.test_cli import Cli

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cli(here: Parts) -> Cli:
    dsn = here.settings.database_url.get_secret_value()
    return Cli({"CARAVEL_DATABASE_URL": dsn, "CARAVEL_HOME": str(here.settings.home)})


async def test_files_are_looked_at_agreed_to_and_recorded(cli: Cli, tmp_path: Path) -> None:
    own, study, bad = (tmp_path / name for name in ("own.json", "study.json", "bad.json"))
    own.write_text(json.dumps(OWN))
    study.write_text(json.dumps(STUDY))
    bad.write_text('{\n "registry": "NCT9",\n "as_of": "soon"\n}')
    kept_out = await cli("protocol", "load", str(own), str(bad), "--yes")
    assert kept_out.code == 2
    assert f"{bad}: as_of: line 3: must be a day" in kept_out.err
    assert "protocol-nct90000001" not in (await cli("protocol", "list", "--json")).out, "nothing half stored"
    looked = await cli("protocol", "load", str(own), str(study), "--dry-run")
    assert looked.code == 0, looked.err
    assert looked.out.count("registered") == 2
    nobody = await cli("protocol", "load", str(own))
    assert (nobody.code, "--yes" in nobody.err) == (2, True)
    recorded = await cli("protocol", "load", str(own), str(study), "--yes")
    assert recorded.code == 0, recorded.err
    shown = await cli("protocol", "show", "protocol-nct90000002", "--json")
    assert shown.json["protocol"]["description"]["draft"] is True  # type: ignore[index]
    again = await cli("protocol", "load", str(own), str(study), "--yes", "--json")
    assert [one["what"] for one in again.json["entries"]] == ["unchanged", "unchanged"]  # type: ignore[attr-defined]
    missing = await cli("centre", "load", str(tmp_path / "nowhere.json"))
    assert (missing.code, "cannot be read" in missing.err) == (2, True)


async def test_what_is_stale_is_listed(cli: Cli, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text(json.dumps({**OWN, "registry": "NCT90000055", "as_of": "2020-01-01"}))
    assert (await cli("protocol", "load", str(old), "--yes")).code == 0
    listed = await cli("reviews", "--json")
    assert "protocol-nct90000055" in [one["id"] for one in listed.json["reviews"]]  # type: ignore[attr-defined]
    assert "protocol-nct90000055" in (await cli("reviews")).out
    doctor = await cli("doctor")
    assert "reviews due" in doctor.out
