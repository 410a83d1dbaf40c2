"""Results and matches from the command line: each fault with its line, all or nothing, and ways with their reasons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.run.wiring import Parts
from tests.activities.ips_rules import broken
from tests.api.cli.test_cli import INQUIRY, Cli
from tests.api.conftest import registered
from tests.api.results.bundles import CREATININE, bundle
from tests.api.results.summaries import WHOLE, sent
from tests.infra.health_links.sharing import FHIR, encrypted, link, sharing

pytestmark = pytest.mark.slow
TABLE = "Test;Result;Units;Drawn\nHb;9,5;g/dL;05.01.2026\nHb;900;g/dL;06.01.2026\n"
MAPPING = {
    "columns": {"analyte": "Test", "value": "Result", "unit": "Units", "occurred": "Drawn"},
    "analytes": {"Hb": "haemoglobin"}, "dates": "%d.%m.%Y", "decimal": ",", "delimiter": ";",
}  # fmt: skip


@pytest.fixture(scope="module")
async def cli(here: Parts) -> Cli:
    await registered(here, "coordinator")  # somebody in whose team cases are opened
    dsn = here.settings.database_url.get_secret_value()
    return Cli(
        {"CARAVEL_DATABASE_URL": dsn, "CARAVEL_HOME": str(here.settings.home), "CARAVEL_ENDPOINTS_ALLOWED": "127.0.0.1"}
    )


async def test_a_laboratorys_table_and_a_bundle(cli: Cli, tmp_path: Path) -> None:
    lab, mapping, sent = tmp_path / "lab.csv", tmp_path / "lab-mapping.json", tmp_path / "bundle.json"
    lab.write_text(TABLE)
    mapping.write_text(json.dumps(MAPPING))
    sent.write_bytes(bundle(CREATININE))
    case = str((await cli("case", "open", *INQUIRY, "--json")).json["case"])
    refused = await cli("case", "results", case, str(lab), "--mapping", str(mapping))
    assert refused.code == 2, refused.out
    assert "line 3, value: is not plausible" in refused.err
    tried = await cli("case", "results", case, str(lab), "--mapping", str(mapping), "--skip-faults", "--dry-run")
    assert "1 could be taken; nothing was recorded" in tried.out, tried.err
    assert (await cli("case", "observations", case, "--json")).json["observations"] == []
    taken = await cli("case", "results", case, str(lab), "--mapping", str(mapping), "--skip-faults")
    assert "1 taken, 0 known already, 1 not taken" in taken.out, taken.err
    assert (await cli("case", "results", case, str(sent))).code == 0
    shown = (await cli("case", "observations", case)).out
    assert "haemoglobin" in shown
    assert "creatinine" in shown
    assert (await cli("case", "results", case, str(tmp_path / "lab.pdf"))).code == 2


async def test_matches(cli: Cli) -> None:
    case = str((await cli("case", "open", *INQUIRY, "diagnosis=r/r B-ALL", "--json")).json["case"])
    shown = await cli("case", "match", case)
    assert shown.code == 0, shown.err
    assert "disease: b_all (read from the words of the diagnosis" in shown.out
    assert "the hospital decides" in shown.out
    assert (await cli("case", "match", case, "--json")).json["of"] == 0


async def test_a_health_link_and_what_it_said(cli: Cli, tmp_path: Path) -> None:
    case = str((await cli("case", "open", *INQUIRY, "--json")).json["case"])
    async with sharing(passcode="canary-4711") as far:
        files = [
            {"contentType": FHIR, "embedded": encrypted(sent(WHOLE))},
            {"contentType": "application/smart-health-card"},
        ]
        text, passcode = tmp_path / "link.txt", tmp_path / "passcode.txt"
        text.write_text(link(far.shares("manifest", {"files": files}), flag="P") + "\n")
        passcode.write_text("canary-0\n")
        wrong = await cli("case", "link", case, str(text), "--passcode", str(passcode))
        assert (wrong.code, "4 more tries" in wrong.err) == (2, True), wrong.err
        passcode.write_text("canary-4711\n")
        taken = await cli("case", "link", case, str(text), "--passcode", str(passcode))
        assert "8 statements taken, 0 known already" in taken.out, taken.err
        assert "not read: application/smart-health-card" in taken.out
        assert "canary" not in wrong.out + wrong.err + taken.out + taken.err
    listed = (await cli("case", "summary", case)).out
    assert "medications: not said" in listed
    assert "Penicillin" in listed
    out = tmp_path / "ips.json"
    written = await cli("case", "ips", case, str(out))
    assert "entries" in written.out, written.err
    assert broken(json.loads(out.read_text())) == []
