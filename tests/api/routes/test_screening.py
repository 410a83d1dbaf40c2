"""Criteria over HTTP: loaded as they are written, held against what was recorded, masked, and never an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.console.text.texts import Texts
from tests.api.conftest import Person
from tests.api.routes.test_commands import assert_problem

ULN = {"analyte": "bilirubin", "op": "<=", "value": "2", "unit": "{ULN}"}
LIVER = {"id": "bilirubin", "kind": "inclusion", "words": "total bilirubin <=2 x ULN", "ways": [[ULN]]}
HEART = {
    "id": "lvef",
    "kind": "inclusion",
    "words": "LVEF >=50%",
    "ways": [[{"analyte": "lvef", "op": ">=", "value": "50", "unit": "%"}]],
}
ORGANS = {"id": "organs", "kind": "inclusion", "words": "adequate, values not in source"}
PROTOCOL = {
    "type": "RegisterProtocol", "registry": "NCT01", "title": "A trial", "product": "X", "product_class": "allogeneic",
    "targets": ["CD19"], "diseases": ["B-ALL"], "source": "registry page", "as_of": "2026-11-01",
}  # fmt: skip
DAY = {"precision": "day", "earliest": "2026-01-05T00:00:00Z", "latest": "2026-01-05T23:59:59Z"}


async def protocol(people: Mapping[str, Person], *criteria: Any) -> str:
    made = await people["operator"].post("/protocols", {**PROTOCOL, "criteria": criteria})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def test_each_criterion_stands_with_its_ground_and_with_what_would_settle_it(
    people: Mapping[str, Person],
) -> None:
    stream = await protocol(people, LIVER, HEART, ORGANS)
    case = (await people["coordinator"].open())["case"]
    told = {"analyte": "bilirubin", "value": "2.6", "unit": "mg/dL", "limit": "20", "limit_unit": "umol/L"}
    recorded = await people["coordinator"].send(case, "RecordObservation", occurred=DAY, **told)
    assert recorded.is_success, recorded.text
    body = (await people["coordinator"].get(f"/cases/{case}/screening/{stream}")).json()
    liver, heart, organs = body["criteria"]
    assert (liver["result"], liver["words"]) == ("not_met", "total bilirubin <=2 x ULN")
    assert [(o["observed"]["value"], o["observed"]["unit"]) for o in liver["rests_on"]] == [("2.6", "mg/dL")]
    assert (heart["result"], [n["lacks"] for n in heart["needs"]]) == ("unknown", ["nothing_observed"])
    assert (organs["result"], [n["lacks"] for n in organs["needs"]]) == ("unknown", ["not_in_source"])
    assert body["counts"] == {"not_met": 1, "open": 2, "all": 3}
    assert body["next"] == [
        {"lacks": "nothing_observed", "analyte": "lvef", "target": "", "methods": [], "criteria": 1}
    ]
    assert "eligible" not in str(body).lower()


async def test_what_is_clinical_is_for_those_who_may_see_it(people: Mapping[str, Person]) -> None:
    stream = await protocol(people, LIVER)
    case = (await people["coordinator"].open())["case"]
    await people["coordinator"].send(case, "DescribePatient", birth="1980", sex="female")
    body = (await people["auditor"].get(f"/cases/{case}/screening/{stream}")).json()
    assert body["criteria"] == [
        {"id": "bilirubin", "kind": "inclusion", "words": LIVER["words"], "result": {"masked": "clinical"}}
    ]
    assert (body["counts"], body["next"]) == (None, [])
    assert "1980" not in (await people["auditor"].get(f"/cases/{case}")).text


async def test_bad_input_is_named(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    assert_problem(await people["coordinator"].get(f"/cases/{case}/screening/protocol-none"), 404, "not_found")
    said = {"analyte": "lvef", "unit": "%", "occurred": DAY}
    refused = await people["coordinator"].send(case, "RecordObservation", value="0.55", **said)
    assert_problem(refused, 422, "invalid")
    assert refused.json()["errors"][0]["pointer"] == "#/value"
    for criterion, words in (
        ({**LIVER, "ways": [[{**ULN, "op": "=>"}]]}, "must be '<'"),
        ({**LIVER, "ways": [[{**ULN, "analyte": "sodium"}]]}, "criterion bilirubin: sodium is not observed"),
        ({**LIVER, "kindness": "x"}, "is not a field of this command"),
    ):
        answer = await people["operator"].post("/protocols", {**PROTOCOL, "criteria": [criterion]})
        assert_problem(answer, 422, "invalid")
        assert words in answer.text, answer.text


def test_no_word_of_the_page_gives_an_answer() -> None:
    assert Texts("en")("criteria.lead") == "Nothing here is an answer; the hospital decides."
