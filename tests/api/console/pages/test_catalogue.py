"""Pages of protocols and centres: what they are, how they stand where, how old that is, and what is for a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.activities.catalogue_files.files import OWN, STUDY
from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden
from tests.api.routes.register.test_loading import CENTRE, load

STREAM, DRAFT, HOSPITAL = "protocol-nct90000001", "protocol-nct90000002", "centre-never-seen-hospital"
UNTIL = (datetime.now(UTC) + timedelta(days=20)).replace(microsecond=0).isoformat()


@pytest.fixture
async def filled(people: Mapping[str, Person]) -> None:
    """A protocol with two sites, of which one has ended, a draft, and a centre; all as of long ago but one."""
    keeper = people["operator"]
    sites = [{"centre": HOSPITAL, "state": "open", "since": "2026-11-01", "until": UNTIL, "by": "Dr Li"}]
    own: Any = {**OWN, "sites": sites, "edits": ["TRAC"], "as_of": "2020-01-01"}
    for kind, said in (("centres", {"centres": [CENTRE]}), ("protocols", {"protocols": [own]}), ("protocols", STUDY)):
        answer = await load(keeper, kind, said)
        assert answer.status_code == 200, answer.text
    named = {"type": "NameInvestigator", "centre": HOSPITAL, "name": "Dr Wu", "mail": "wu@site.example",
             "answers_within": 3}  # fmt: skip
    assert (await keeper.post(f"/protocols/{STREAM}/commands", named)).is_success


@pytest.mark.usefixtures("filled")
async def test_a_list_says_what_each_is_how_it_stands_and_what_is_stale(browsers: Mapping[str, Browser]) -> None:
    protocols = (await browsers["coordinator"].get("/console/protocols")).text
    assert f"/console/protocols/{STREAM}" in protocols
    assert "Never Seen Hospital" in protocols
    for words in ("Review is due", ">Draft<", ">Open<", ">Not known<"):
        assert words in protocols
    centres = (await browsers["coordinator"].get("/console/centres")).text
    assert "Never Seen Hospital" in centres
    assert "not known whether it takes patients from abroad" in centres


@pytest.mark.usefixtures("filled")
async def test_one_protocol_shows_criteria_sites_who_answers_and_versions(
    browsers: Mapping[str, Browser], people: Mapping[str, Person]
) -> None:
    page = (await browsers["coordinator"].get(f"/console/protocols/{STREAM}")).text
    for words in ("18 years or older", "TRAC", "Dr Wu", "wu@site.example", "answers within 3 working days",
                  "To be reviewed since", "sponsor&#39;s synopsis"):  # fmt: skip
        assert words in page, words
    assert "for a person to read" not in page
    auditors = (await browsers["auditor"].get(f"/console/protocols/{STREAM}")).text
    assert "Dr Wu" not in auditors
    draft = (await browsers["coordinator"].get(f"/console/protocols/{DRAFT}")).text
    for words in ("This is a draft", "for a person to read", "relapsed after two lines", "Renji Hospital, Shanghai"):
        assert words in draft, words
    assert (await browsers["coordinator"].get("/console/protocols/protocol-none")).status_code == 404


@pytest.mark.usefixtures("filled")
async def test_who_keeps_the_catalogue_records_how_it_stands_and_nobody_else_does(
    browsers: Mapping[str, Browser], people: Mapping[str, Person]
) -> None:
    keeper, other = browsers["operator"], browsers["coordinator"]
    path = f"/console/protocols/{STREAM}"
    given = hidden((await keeper.get(path)).text)
    form = {"centre": HOSPITAL, "state": "full", "by": "the office", "until": UNTIL[:10]}
    answer = await keeper.post(f"{path}/sites", csrf=given["csrf"], nonce=given["nonce"], **form)
    assert answer.status_code == 200, answer.text
    assert ">Full<" in answer.text
    [site] = (await people["coordinator"].get(f"/protocols/{STREAM}")).json()["protocol"]["sites"]
    assert (site["lease"]["state"], site["confirmed_by"], site["investigator"]) == ("full", "the office", "Dr Wu")
    assert "Record how it stands" not in (await other.get(path)).text
    csrf = await other.csrf()
    assert (await other.post(f"{path}/sites", csrf=csrf, nonce="x", **form)).status_code == 403
    again = hidden((await keeper.get(path)).text)
    wrong = await keeper.post(f"{path}/sites", csrf=again["csrf"], nonce="y", **{**form, "until": "soon"})
    assert wrong.status_code == 422
    assert "choose a day" in wrong.text
