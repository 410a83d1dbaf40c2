"""From a donor to every patient and back, over HTTP; the database's walk against the pure one."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.command_handler import CommandRequest
from activities.ports import Append, Meta
from api.run.wiring import Parts
from domain.core.fact import Draft
from domain.doses.genealogy import reach
from domain.doses.linking import MaterialLinked, MaterialUnlinked
from domain.doses.lot import ReleaseLot
from domain.doses.unit import CommitUnit, HoldUnit, UseUnit
from infra.ids import fresh_id
from infra.reads.genealogy import GenealogyQueries
from tests.api.conftest import Person
from tests.api.routes.test_commands import assert_problem

EXPIRES = "2031-01-01T00:00:00Z"
MARK = uuid.uuid4().hex[:6].upper()
CODES = {name: f"{name}-{MARK}" for name in ("donor", "bag", "bank", "line", "run", "lv")}
DIN = "A9999251234569"


async def material(quality: Person, kind: str, code: str, *made_of: str, **told: Any) -> str:
    body = {"type": "RegisterMaterial", "kind": kind, "code": code, "made_of": list(made_of), **told}
    answer = await quality.post("/materials", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def lot(quality: Person, *units: str, **told: Any) -> str:
    answer = await quality.post("/lots", {"product": f"CAR-{MARK}", "units": units, "expires": EXPIRES, **told})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def told(person: Person, stream: str, type_: str, **fields: Any) -> Any:
    answer = await person.post(f"/{stream.split('-', maxsplit=1)[0]}s/{stream}/commands", {"type": type_, **fields})
    assert answer.is_success, answer.text
    return answer.json()


async def traced(person: Person, of: str, **more: Any) -> Any:
    answer = await person.post("/genealogy/trace", {"of": of, **more})
    assert answer.is_success, answer.text
    return answer.json()


@pytest.fixture(scope="module")
async def family(people: Mapping[str, Person], here: Parts) -> Mapping[str, str]:
    """A donor and a vector run, two batches of both, one that only names the donor, and a patient who got a dose."""
    quality = people["quality"]
    found = {"donor": await material(quality, "donor", CODES["donor"])}
    await told(quality, found["donor"], "RecordDonorConsent", use="donation")
    found["donation"] = await material(quality, "donation", DIN, found["donor"])
    found["bag"] = await material(quality, "starting_material", CODES["bag"], found["donation"], source="adult_donor")
    found["bank"] = await material(quality, "cell_bank", CODES["bank"], found["bag"], edits=["TRAC", "B2M"])
    found["line"] = await material(quality, "producer_line", CODES["line"], what="HEK293T")
    suspension = {"platform": "suspension", "volume_l": 50.0, "titre": 2e8, "titre_unit": "TU/mL", "yielded": 4e12}
    found["run"] = await material(quality, "vector_run", CODES["run"], found["line"], **suspension)
    found["lv"] = await material(
        quality, "vector_lot", CODES["lv"], found["run"], vector="lentiviral", integrating=True
    )
    found["one"], found["two"] = await lot(quality, "a1", "a2"), await lot(quality, "b1")
    for batch in (found["one"], found["two"]):
        for parent in (found["bank"], found["lv"]):
            await told(quality, batch, "LinkMaterial", parent=parent)
    found["named"] = await lot(quality, "c1", donor=CODES["donor"].lower())
    found["other"] = await lot(quality, "d1", donor=f"other-{MARK}")
    found["case"] = (await people["coordinator"].open())["case"]
    await here.commands.record(CommandRequest(found["one"], Meta("person-releases"), RELEASE))
    until = datetime.now(UTC) + timedelta(days=9)
    for command in (
        HoldUnit(found["case"], f"e-{MARK}", until),
        CommitUnit("a1", found["case"]),
        UseUnit("a1", found["case"]),
    ):
        await here.commands.record(CommandRequest(found["one"], Meta("engine"), command))
    return found


RELEASE = ReleaseLot("person-releases")


@pytest.mark.parametrize("start", ["donor", "donation", "bag", "bank", "line", "run", "lv"])
async def test_from_any_material_to_every_unit_and_patient(
    people: Mapping[str, Person], family: Mapping[str, str], start: str
) -> None:
    for of in (family[start], {**CODES, "donation": DIN[:13]}[start]):
        answer = await traced(people["quality"], of)
        lots = {family["one"], family["two"]} | ({family["named"]} if start == "donor" else set())
        assert {one["lot"] for one in answer["units"]} == lots
        assert answer["only_written"] == ([family["named"]] if start == "donor" else [])
        assert {(one["unit"], one["state"]) for one in answer["units"] if one["lot"] == family["one"]} == {
            ("a1", "used"),
            ("a2", "in_stock"),
        }
        [patient] = answer["patients"]
        assert (patient["case"], patient["units"][0]["unit"]) == (family["case"], "a1")
        assert patient["number"]


async def test_from_a_patient_back_to_donor_and_vector(people: Mapping[str, Person], family: Mapping[str, str]) -> None:
    answer = await traced(people["quality"], family["one"])
    kinds = {one["kind"]: one["code"] for one in answer["materials"]}
    assert kinds["donor"] == CODES["donor"]
    assert {kinds["vector_lot"], kinds["vector_run"], kinds["producer_line"]} == {
        CODES[n] for n in ("lv", "run", "line")
    }
    assert len(answer["made_of"]) == 7


async def test_as_it_was_known_before(people: Mapping[str, Person], family: Mapping[str, str]) -> None:
    quality = people["quality"]
    late = await lot(quality, "e1")
    before = (await traced(quality, CODES["lv"]))["as_known_at"]
    linked = await told(quality, late, "LinkMaterial", parent=family["lv"])
    between = (await traced(quality, CODES["lv"]))["as_known_at"]
    await told(quality, late, "UnlinkMaterial", parent=family["lv"], reason="another bag")

    async def lots(**more: Any) -> set[str]:
        return {one["id"] for one in (await traced(quality, CODES["lv"], **more))["lots"]}

    assert linked
    assert late not in await lots()
    assert late in await lots(known_at=between)
    assert late not in await lots(known_at=before)
    long_ago = await quality.post("/genealogy/trace", {"of": CODES["lv"], "known_at": "2020-01-01T00:00:00Z"})
    assert (long_ago.json()["units"], long_ago.json()["materials"]) == ([], [])
    assert_problem(await quality.post("/genealogy/trace", {"of": CODES["lv"], "known_at": "yesterday"}), 422, "invalid")


async def test_a_code_is_registered_once_however_it_is_written(people: Mapping[str, Person], family: Any) -> None:
    assert family
    again = {"type": "RegisterMaterial", "kind": "donor", "code": f" {CODES['donor'].lower()} "}
    assert_problem(await people["supervisor"].post("/materials", again), 409, "already")


async def test_codes_are_for_quality_and_stand_open_nowhere(
    people: Mapping[str, Person], family: Mapping[str, str], here: Parts
) -> None:
    for role in ("coordinator", "reviewer", "auditor", "operator", "translator"):
        assert_problem(await people[role].post("/genealogy/trace", {"of": CODES["lv"]}), 403, "not_allowed")
        shown = await people[role].get(f"/materials/{family['donor']}")
        assert CODES["donor"] not in shown.text + (await people[role].get(f"/materials/{family['donor']}/events")).text
    assert_problem(await people["quality"].post("/genealogy/trace", {"of": "nothing"}), 404, "not_found")
    assert_problem(await people["quality"].post("/genealogy/trace", {}), 404, "not_found")
    kept = await here.ledger.pool.fetch(
        "select data, meta, sealed from event union all select state, '', '' from source"
    )
    assert CODES["donor"] not in str([tuple(row) for row in kept])
    looks = await people["quality"].get(f"/cases/{family['case']}/looks")
    assert "genealogy" in looks.text


async def test_the_database_walks_random_genealogies_as_the_pure_function_does(here: Parts) -> None:
    chance, queries = random.Random(7), GenealogyQueries(here.ledger.pool, here.keys)
    for graph in range(12):
        names = [f"lot-g{MARK}{graph}n{n}" for n in range(8)]
        edges, versions = set[tuple[str, str]](), dict.fromkeys(names, 0)
        moments = []
        for _ in range(20):
            child, parent = chance.choice(names), chance.choice(names)
            linked = (child, parent) in edges
            event = MaterialUnlinked(parent, "x") if linked else MaterialLinked(parent)
            edges ^= {(child, parent)}
            facts = await here.ledger.append(Append(child, versions[child], [Draft(event, fresh_id())], Meta("test")))
            versions[child] += 1
            moments.append((facts[0].at, frozenset(edges)))
        for known_at, then in (*chance.sample(moments, 4), (None, frozenset(edges))):
            start = chance.sample(names, 2)
            for way in ("made_into", "made_of"):
                walked = await queries.reach(start, way, known_at)
                assert set(walked) == reach(then, start, way)
                assert len(walked) == len(set(walked))


async def test_a_code_that_only_lots_were_registered_with_finds_them(people: Mapping[str, Person], family: Any) -> None:
    answer = await traced(people["quality"], f"OTHER {MARK}".replace(" ", "-"))
    assert (answer["of"], [one["unit"] for one in answer["units"]]) == ([family["other"]], ["d1"])


async def test_of_a_case_what_its_patient_got(people: Mapping[str, Person], family: Mapping[str, str]) -> None:
    """Nothing was infused as far as the case knows, and its number is one as well as its id."""
    case = (await people["quality"].get(f"/cases/{family['case']}")).json()["case"]
    for of in (family["case"], case["number"]):
        assert_problem(await people["quality"].post("/genealogy/trace", {"of": of}), 404, "not_found")
    assert_problem(await people["quality"].post("/genealogy/trace", {"of": "case-none"}), 404, "not_found")
