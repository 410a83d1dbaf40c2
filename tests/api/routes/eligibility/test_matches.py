"""Matches over HTTP: the catalogue ranked for a case by what is known of it now, with every reason, and no answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
from fastapi import FastAPI

from api.run.wiring import Parts
from tests.api.conftest import Person, registered, signed_in
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_screening import DAY, HEART, PROTOCOL, protocol

UNTIL = "2126-01-01T00:00:00Z"


async def centre(people: Mapping[str, Person], *capabilities: str, abroad: bool = True) -> str:
    body = {
        "type": "RegisterCentre", "name": "Ward", "city": "Beijing", "country": "CN", "zone": "Asia/Shanghai",
        "languages": ["zh", "en"], "accepts_international": abroad, "capabilities": ["cell_therapy", *capabilities],
        "source": "list", "as_of": "2026-11-01",
    }  # fmt: skip
    made = await people["operator"].post("/centres", body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def site(people: Mapping[str, Person], stream: str, where: str, state: str = "open") -> None:
    body = {"type": "ConfirmSite", "centre": where, "state": state, "until": UNTIL, "by": "Dr Li"}
    done = await people["operator"].post(f"/protocols/{stream}/commands", body)
    assert done.is_success, done.text


async def found(people: Mapping[str, Person], case: str) -> dict[str, Any]:
    answer = await people["coordinator"].get(f"/cases/{case}/matches", limit=1000)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def of(body: dict[str, Any], stream: str, where: str) -> dict[str, Any]:
    return next(m for m in body["matches"] if (m["protocol"], m["centre"]) == (stream, where))


def said(line: dict[str, Any], name: str) -> str:
    return str(next(c["result"] for c in line["checks"] if c["name"] == name))


async def test_offers_are_ranked_by_what_is_known_and_each_says_why(people: Mapping[str, Person]) -> None:
    stream = await protocol(people, HEART)
    here, closed, home = await centre(people), await centre(people), await centre(people, abroad=False)
    for where, state in ((here, "open"), (closed, "full"), (home, "open")):
        await site(people, stream, where, state)
    case = (await people["coordinator"].open())["case"]
    body = await found(people, case)
    assert body["disease"] == {"code": "b_all", "from_words": True}
    lines = [of(body, stream, where) for where in (here, closed, home)]
    assert [line["standing"] for line in lines] == ["open", "excluded", "excluded"]
    assert (said(lines[1], "protocol"), said(lines[2], "international")) == ("no", "no")
    assert lines[0]["rank"] < lines[1]["rank"]
    for told in (
        {"analyte": "lvef", "value": "55", "unit": "%"},
        {"analyte": "antigen", "value": "positive", "target": "CD19", "method": "flow"},
    ):
        assert (await people["coordinator"].send(case, "RecordObservation", occurred=DAY, **told)).is_success
    await people["coordinator"].send(case, "DescribePatient", birth="1980", sex="female")
    after = of(await found(people, case), stream, here)
    assert (after["standing"], said(after, "antigen"), said(after, "criteria")) == ("nothing_against", "yes", "yes")
    assert "eligible" not in str(body).lower()


async def test_what_failed_with_the_patients_own_cells_excludes_them(people: Mapping[str, Person]) -> None:
    stream, where = await protocol(people), await centre(people)
    amended = {"type": "AmendProtocol", "registry": "NCT01", "title": "A trial", "product": "X", "targets": ["CD19"],
               "product_class": "autologous", "diseases": ["B-ALL"], "source": "page", "as_of": "2026-11-02",
               "label": "v2", "change": "own cells"}  # fmt: skip
    done = await people["operator"].post(f"/protocols/{stream}/commands", amended)
    assert done.is_success, done.text
    await site(people, stream, where)
    case = (await people["coordinator"].open())["case"]
    assert said(of(await found(people, case), stream, where), "own_cells") == "no_matter"
    told = {"kind": "autologous_car_t", "line": 3, "ended_because": "manufacture_failed"}
    assert (await people["coordinator"].send(case, "RecordTherapy", **told)).is_success
    body = await found(people, case)
    assert said(of(body, stream, where), "own_cells") == "no"
    assert {"protocol": stream, "centre": where} not in [
        {k: w[k] for k in ("protocol", "centre")} for w in body["next_ways"]
    ]


async def test_matches_are_for_those_who_may_see_what_they_rest_on(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    assert_problem(await people["auditor"].get(f"/cases/{case}/matches"), 403, "not_allowed")


async def choose(person: Person, case: str, kind: str, stream: str, where: str, **more: Any) -> httpx2.Response:
    return await person.send(case, kind, protocol=stream, centre=where, **more)


async def test_what_the_catalogue_excludes_takes_a_supervisor_with_a_reason(people: Mapping[str, Person]) -> None:
    """From the catalogue to the ledger: nothing watches a place before it is chosen; it is looked up all the same."""
    stream, here, full = await protocol(people), await centre(people), await centre(people)
    await site(people, stream, here)
    await site(people, stream, full, "full")
    mine, theirs = people["coordinator"], people["supervisor"]
    case = (await mine.open(imported=True))["case"]
    assert (await mine.send(case, "ImportFacts", stage="eligibility")).is_success
    refused = await choose(mine, case, "ChooseCentre", stream, full)
    assert_problem(refused, 409, "not_now")
    assert [e["pointer"] for e in refused.json()["errors"]] == ["#/protocol"]
    assert "protocol:full" in refused.json()["detail"]
    over = {"despite": "they keep a place for this patient", "rank": 2, "ranked": 2}
    assert_problem(await choose(mine, case, "ChooseExcludedCentre", stream, full, **over), 403, "not_allowed")
    assert (await mine.get(f"/cases/{case}")).json()["case"]["submissions"] == {}
    done = await choose(theirs, case, "ChooseExcludedCentre", stream, full, **over)
    assert done.is_success, done.text
    fine = await choose(mine, case, "ChooseCentre", stream, here, rank=1, ranked=2)
    assert fine.is_success, fine.text
    events = (await mine.get(f"/cases/{case}/events")).json()["events"]
    chosen = [one["data"] for one in events if one["type"] == "CentreChosen"]
    assert [(one["against"], one["rank"], one["ranked"]) for one in chosen] == [(["protocol:full"], 2, 2), ([], 1, 2)]
    assert chosen[0]["reason"] == over["despite"]


async def test_kinds_of_products_stand_side_by_side_without_a_verdict(people: Mapping[str, Person]) -> None:
    stream, where = await protocol(people), await centre(people)
    await site(people, stream, where)
    case = (await people["coordinator"].open())["case"]
    answer = await people["coordinator"].get(f"/cases/{case}/comparison")
    assert answer.status_code == 200, answer.text
    factors = {row["factor"]: row for row in answer.json()["factors"]}
    assert list(factors) == ["diagnosis", "prior_therapy", "urgency", "cell_quality", "antigen", "availability"]
    assert factors["diagnosis"]["in_the_case"] == ["b_all"]
    assert factors["diagnosis"]["kinds"]["allogeneic"]["ways"]["yes"] >= 1
    assert factors["cell_quality"]["kinds"]["in_vivo"] == {"known": None, "source": None, "ways": {}}
    assert "eligible" not in answer.text.lower()
    assert_problem(await people["auditor"].get(f"/cases/{case}/comparison"), 403, "not_allowed")


async def test_the_days_to_a_first_dose_stand_with_what_each_rests_on(
    people: Mapping[str, Person], app: FastAPI, here: Parts
) -> None:
    """A lot counts once a second person released it, and no longer once it is quarantined."""
    quality, releasing = people["quality"], await signed_in(app, await registered(here, "quality"))
    depletion = [{"drug": "fludarabine", "days": [-5, -4, -3]}]
    told = {**PROTOCOL, "product": "FD-1", "lymphodepletion": depletion, "criteria": []}
    stream = str((await people["operator"].post("/protocols", told)).json()["id"])
    where = await centre(people)
    await site(people, stream, where)
    case = (await people["coordinator"].open())["case"]
    lot = (await quality.post("/lots", {"product": "FD-1", "units": ["u1"], "expires": UNTIL})).json()["id"]

    async def first_dose() -> tuple[dict[str, Any], dict[str, Any]]:
        whole = of(await found(people, case), stream, where)["first_dose"]
        return whole, {one["part"]: one for one in whole["parts"]}

    before, parts = await first_dose()
    assert (before["unknown"], before["most_days"]) == (["bed", "dose"], None)
    assert parts["dose"] == {"part": "dose", "because": "no_unit", "least_days": None, "most_days": None}
    assert parts["lymphodepletion"] == {
        "part": "lymphodepletion", "because": "protocol", "least_days": 5, "most_days": 5,
    }  # fmt: skip
    assert parts["visa"]["because"] == "policy"
    assert (await releasing.post(f"/lots/{lot}/commands", {"type": "ReleaseLot"})).is_success
    after, parts = await first_dose()
    assert (parts["dose"]["because"], parts["dose"]["most_days"], after["unknown"]) == ("stock", 0, ["bed"])
    assert (after["known_most_days"], after["least_days"]) == (before["known_most_days"], 5)
    stopped = {"type": "QuarantineLot", "reason": "a doubt"}
    assert (await people["coordinator"].post(f"/lots/{lot}/commands", stopped)).is_success
    assert (await first_dose())[1]["dose"]["because"] == "no_unit"
