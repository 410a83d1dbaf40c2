"""The data files: every entry becomes a command the catalogue takes, with its source, and nothing remembered is in."""

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from activities.catalogue_files.rows import lymphodepletion_planned, planned_infusions
from domain.catalogue.centre import CentreRegistered
from domain.catalogue.protocol import ProtocolRegistered
from domain.catalogue.streams import decide, fold
from infra.policy.calendars import CALENDARS, read_calendars
from rehearsal.world.catalogue_data import (
    CENTRES,
    COURSES,
    DATA,
    PROTOCOLS,
    CatalogueDataInvalid,
    centres,
    product_class,
    protocols,
)
from tests.domain.catalogue.steps import AROUND

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SEED = {
    "Chinese Academy of Medical Sciences and National Cancer Center",
    "Fudan University Shanghai Cancer Center",
    "Renji Hospital",
    "Ruijin Hospital",
    "Peking University Cancer Hospital",
    "Sun Yat-sen University Cancer Center",
    "Great Ormond Street Hospital",
}


def entries(path: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))[name]
    return rows


@pytest.mark.parametrize("stream", protocols())
def test_every_protocol_is_a_command_the_catalogue_takes(stream: str) -> None:
    command = protocols()[stream]
    [draft] = decide(stream, fold(stream, []), command, NOW, lambda: "id", AROUND)
    assert isinstance(draft.event, ProtocolRegistered)
    assert draft.event.source
    assert not command.centre or command.centre in centres()


@pytest.mark.parametrize("stream", centres())
def test_every_centre_is_a_command_the_catalogue_takes_and_has_working_days(stream: str) -> None:
    command = centres()[stream]
    [draft] = decide(stream, fold(stream, []), command, NOW, lambda: "id", AROUND)
    assert isinstance(draft.event, CentreRegistered)
    assert command.country in read_calendars(CALENDARS.read_bytes())


def test_no_entry_is_left_out_and_ids_are_the_registrys() -> None:
    rows = entries(PROTOCOLS, "protocols")
    assert list(protocols()) == [row["stream"] for row in rows]
    assert len(rows) == 23
    assert all(row["stream"] == f"protocol-{row['registry'].lower()}" for row in rows if row["registry"])
    assert list(centres()) == [row["stream"] for row in entries(CENTRES, "centres")]


SAID = ("eligibility_other", "hla", "gate_before_lymphodepletion", "gate_before_infusion")


@pytest.mark.parametrize("row", entries(PROTOCOLS, "protocols"), ids=lambda row: row["stream"])
def test_what_a_source_asks_in_words_stands_in_a_criterion(row: dict[str, Any]) -> None:
    """Each clause is in the words of a criterion, at least with what it is about: numbers and long words."""
    words = " ".join(one["words"] for one in row["criteria"])
    for name in SAID:
        said = row.get(name) or []
        for clause in said if isinstance(said, list) else said.split(";"):
            missing = [one for one in re.findall(r"[\w.+-]*\d[\w.%-]*|[A-Za-z]{6,}", clause) if one not in words]
            assert not missing, clause


def test_the_guides_hospitals_are_there_and_the_cities_it_names_without_a_hospital() -> None:
    known = centres().values()
    assert {centre.name for centre in known} >= SEED
    unnamed = {centre.city for centre in known if centre.source.endswith("no hospital named")}
    assert unnamed == {"Beijing", "Shanghai", "Guangzhou", "Tianjin"}


def test_planned_infusions_are_those_planned_for_everybody() -> None:
    several = {stream: c.planned_infusions for stream, c in protocols().items() if c.planned_infusions != 1}
    assert several == {"protocol-nct05950334": 3, "protocol-nct05667155": 3, "protocol-nct05008575": 3}
    assert planned_infusions({"planned": "second infusion on day 35 for a subset"}) == 1
    assert planned_infusions({"schedule": "once a week for 4 weeks at each level"}) == 4
    unsaid: list[Any] = [None, "single dose", {}]
    assert [planned_infusions(redosing) for redosing in unsaid] == [1, 1, 1]


def test_lymphodepletion_not_seen_is_not_taken_for_none() -> None:
    flu, none = {"drug": "fludarabine"}, {"drug": "none (regimen B)"}
    cases: list[tuple[list[Any], bool | None]] = [([flu], True), ([none], False), ([], None), ([flu, none], None)]
    assert [lymphodepletion_planned(regimen) for regimen, _ in cases] == [expected for _, expected in cases]


def test_product_classes() -> None:
    assert {c.product_class for c in protocols().values()} == {"autologous", "allogeneic", "car_nk"}
    with pytest.raises(CatalogueDataInvalid, match="tumour vaccine"):
        product_class("tumour vaccine")


def test_what_was_only_remembered_is_not_here_and_nothing_points_outside_the_repository() -> None:
    for path in DATA.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not [word for word in ("memory_unverified", "../shared", "/shared/") if word in text], path.name
    assert [row["registry"] for row in entries(PROTOCOLS, "unsourced")] == ["NCT04637763"]
    assert "protocol-nct04637763" not in protocols()


def test_courses_are_facts_with_their_sources() -> None:
    courses = entries(COURSES, "courses")
    assert len(courses) == 32
    assert all(course["sources"] and course["events"] and course["patient"] for course in courses)
    assert len({course["patient"] for course in courses}) == len(courses)


def test_an_entry_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    rows = entries(CENTRES, "centres")
    (tmp_path / "centres.json").write_text(json.dumps({"centres": [rows[0], rows[0]]}), encoding="utf-8")
    with pytest.raises(CatalogueDataInvalid, match=rows[0]["stream"]):
        centres(tmp_path / "centres.json")


def test_facts_are_dated() -> None:
    assert all(centre.as_of <= NOW.date() for centre in centres().values())
    assert {c.as_of for c in protocols().values()} == {date(2026, 11, 22)}
