"""Files of protocols and centres over HTTP: shown first, recorded whole, every fault by its line."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import httpx2

from tests.activities.catalogue_files.files import OWN, STUDY
from tests.api.conftest import Person
from tests.api.routes.test_commands import assert_problem

CENTRE = {
    "name": "Never Seen Hospital", "city": "Pune", "country": "IN", "zone": "Asia/Kolkata", "languages": ["en"],
    "accepts_international": None, "capabilities": ["cell_therapy"], "source": "its page", "as_of": "2026-11-01",
}  # fmt: skip


async def load(person: Person, kind: str, said: Any, *, dry_run: bool = False) -> httpx2.Response:
    body = said if isinstance(said, bytes) else json.dumps(said, indent=1).encode()
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/json"}
    return await person.http.post(f"/{kind}/load", content=body, headers=headers, params={"dry_run": dry_run})


async def what(person: Person, kind: str, said: Any, *, dry_run: bool = False) -> list[tuple[str, str]]:
    answer = await load(person, kind, said, dry_run=dry_run)
    assert answer.status_code == 200, answer.text
    return [(one["id"], one["what"]) for one in answer.json()["entries"]]


async def test_a_file_is_shown_first_and_recorded_once(people: Mapping[str, Person]) -> None:
    keeper, said = people["operator"], {"protocols": [OWN], "about": "seen nowhere before"}
    stream = "protocol-nct90000001"
    assert await what(keeper, "protocols", said, dry_run=True) == [(stream, "registered")]
    assert_problem(await keeper.get(f"/protocols/{stream}"), 404, "not_found")
    assert await what(keeper, "protocols", said) == [(stream, "registered")]
    assert await what(keeper, "protocols", said) == [(stream, "unchanged")]
    one = (await keeper.get(f"/protocols/{stream}")).json()["protocol"]
    assert (one["description"]["title"], one["number"]) == (OWN["title"], 1)
    amended = {"protocols": [{**OWN, "phase": "2", "as_of": "2026-11-02"}]}
    answer = (await load(keeper, "protocols", amended)).json()["entries"][0]
    assert answer["changes"] == [{"field": "phase", "was": "", "becomes": "2"}]
    one = (await keeper.get(f"/protocols/{stream}")).json()["protocol"]
    assert (one["description"]["phase"], one["number"]) == ("2", 2)
    assert_problem(await load(keeper, "protocols", said), 422, "invalid")


async def test_an_amendment_names_the_open_cases_it_touches(people: Mapping[str, Person]) -> None:
    keeper, said = people["operator"], {**OWN, "registry": "NCT90000007"}
    [(stream, _)] = await what(keeper, "protocols", {"protocols": [said]})
    await what(keeper, "centres", {"centres": [{**CENTRE, "name": "Touched Hospital"}]})
    case = (await people["coordinator"].open(imported=True))["case"]
    amended = {"protocols": [{**said, "phase": "2"}]}
    before = (await load(keeper, "protocols", amended, dry_run=True)).json()["entries"][0]
    imported = await people["coordinator"].send(case, "ImportFacts", stage="eligibility")
    assert imported.is_success, imported.text
    chosen = await people["coordinator"].send(case, "ChooseCentre", centre="centre-touched-hospital", protocol=stream)
    assert chosen.is_success, chosen.text
    after = (await load(keeper, "protocols", amended, dry_run=True)).json()["entries"][0]
    assert (before["open_cases"], after["open_cases"]) == ([], [case])


async def test_a_study_record_is_a_draft_that_is_shown_and_opened_nowhere(people: Mapping[str, Person]) -> None:
    [(stream, told)] = await what(people["supervisor"], "protocols", STUDY)
    assert told == "registered"
    shown = (await people["coordinator"].get(f"/protocols/{stream}")).json()["protocol"]["description"]
    assert (shown["draft"], shown["locations"][0]["status"]) == (True, "RECRUITING")
    case = (await people["coordinator"].open())["case"]
    screened = (await people["coordinator"].get(f"/cases/{case}/screening/{stream}")).json()
    assert screened["draft"] is True
    text = next(one for one in screened["criteria"] if one["id"] == "eligibility_text")
    assert (text["result"], text["needs"][0]["lacks"]) == ("unknown", "not_in_source")
    opened = {"type": "ConfirmProtocolOpen", "until": "2030-01-01T00:00:00Z", "by": "Dr Li"}
    assert_problem(await people["operator"].post(f"/protocols/{stream}/commands", opened), 409, "not_now")


async def test_a_fault_keeps_the_whole_file_out_and_names_its_line(people: Mapping[str, Person]) -> None:
    keeper, good = people["operator"], {**OWN, "registry": "NCT90000011"}
    answer = await load(keeper, "protocols", {"protocols": [good, {**OWN, "registry": "NCT90000012", "as_of": "soon"}]})
    assert_problem(answer, 422, "invalid")
    [fault] = answer.json()["errors"]
    assert fault["pointer"] == "#/protocols/1/as_of"
    assert fault["detail"].startswith("line ")
    assert_problem(await keeper.get("/protocols/protocol-nct90000011"), 404, "not_found")
    broken = await load(keeper, "protocols", b'{\n "protocols": [\n  {]\n}')
    assert broken.json()["errors"][0]["detail"].startswith("line 3: is not JSON here")
    late = {**good, "registry": "NCT90000013", "sites": [
        {"centre": "centre-renji", "state": "open", "until": "2020-01-01T00:00:00Z", "by": "Dr Li"}]}  # fmt: skip
    refused = await load(keeper, "protocols", {"protocols": [good, late]})
    assert "that lies in the past" in refused.json()["errors"][0]["detail"], "what a rule refuses is said before too"
    assert_problem(await keeper.get("/protocols/protocol-nct90000011"), 404, "not_found")


async def test_centres_are_loaded_amended_and_kept_from_whoever_does_not_keep_them(
    people: Mapping[str, Person],
) -> None:
    said = {"centres": [CENTRE]}
    assert_problem(await load(people["coordinator"], "centres", said), 403, "not_allowed")
    stream = "centre-never-seen-hospital"
    assert await what(people["operator"], "centres", said) == [(stream, "registered")]
    assert await what(people["operator"], "centres", said) == [(stream, "unchanged")]
    moved = {"centres": [{**CENTRE, "city": "Mumbai", "as_of": "2026-11-20"}]}
    assert await what(people["operator"], "centres", moved) == [(stream, "amended")]
    reached = {"centres": [{**moved["centres"][0], "mail": "desk@never.example"}]}
    assert await what(people["operator"], "centres", reached) == [(stream, "amended")]
    waits = (await people["supervisor"].get("/changes")).json()["changes"]
    assert [one["state"] for one in waits if one["stream"] == stream] == ["waits"], "a second person confirms it"
    one = (await people["operator"].get(f"/centres/{stream}")).json()["centre"]
    assert (one["city"], one["mail"]) == ("Mumbai", "")


async def test_another_centre_whose_id_comes_out_the_same_is_not_taken_for_it(people: Mapping[str, Person]) -> None:
    keeper, first = people["operator"], {**CENTRE, "name": "Same Letters Hospital"}
    stream = "centre-same-letters-hospital"
    assert await what(keeper, "centres", {"centres": [first]}) == [(stream, "registered")]
    for other in ({"name": "Same Letters (Hospital)"}, {"country": "CN", "zone": "Asia/Shanghai"}):
        refused = await load(keeper, "centres", {"centres": [{**first, **other}]})
        assert_problem(refused, 422, "invalid")
        assert "as `stream`" in refused.json()["errors"][0]["detail"]
    renamed = {**first, "name": "Same Letters (Hospital)", "stream": stream}
    assert await what(keeper, "centres", {"centres": [renamed]}, dry_run=True) == [(stream, "amended")], "the control"


async def test_a_site_is_at_a_centre_the_catalogue_has(people: Mapping[str, Person]) -> None:
    keeper = people["operator"]
    [(stream, _)] = await what(keeper, "centres", {"centres": [{**CENTRE, "name": "Site Hospital"}]})
    site = {"state": "open", "until": "2099-01-01T00:00:00Z", "by": "Dr Li"}
    protocol = {**OWN, "registry": "NCT90000055"}
    refused = await load(keeper, "protocols", {**protocol, "sites": [{**site, "centre": "centre-nobody"}]})
    assert_problem(refused, 422, "invalid")
    [fault] = refused.json()["errors"]
    assert (fault["pointer"], "load it first" in fault["detail"]) == ("#/sites/0/centre", True)
    assert await what(keeper, "protocols", {**protocol, "sites": [{**site, "centre": stream}]}, dry_run=True)
