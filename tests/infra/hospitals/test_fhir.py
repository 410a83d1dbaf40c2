"""What we say in FHIR and what we read in it: valid R4B, our code sets, closed tables, nothing personal in errors."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import pytest
from fhir.resources.R4B.task import Task
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from activities.command_codec import CASE, Unreadable
from activities.gateways import Request
from domain.core.fact import Command
from domain.core.policy import Party
from domain.core.when import When
from domain.journey import WANTS
from infra.hospitals import fhir_values
from infra.hospitals.answers import BadAnswer, answer_of, task_of
from infra.hospitals.codes import ASKED, SAYS
from infra.hospitals.fhir_map import Unmapped, request_of, task

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


def request(kind: str = "submit_dossier", **body: Any) -> Request:
    return Request("effect-1", kind, "case-1", "submission-1/1", "hospital", "centre-1", body, ["ab" * 32, "cd" * 32])


def says(command: dict[str, Any], **changes: Any) -> bytes:
    made = task_of("callback-1", "case-1", command, in_reply_to="effect-1", about="submission-1/1")
    return json.dumps({**made, **changes}).encode()


def refused(body: bytes) -> str:
    with pytest.raises(BadAnswer) as bad:
        answer_of(body)
    return bad.value.reason


def unreadable(body: bytes) -> str:
    with pytest.raises(Unreadable) as bad:
        CASE.parse(answer_of(body).command, "centre-1")
    return " ".join(f"{fault.pointer} {fault.detail}" for fault in bad.value.faults)


def test_two_answers_in_one_and_a_name_that_stands_twice_are_none() -> None:
    letter = {"type": "IssueLetter", "ref": "L-7"}
    both = json.loads(says(letter))["businessStatus"]["coding"]
    two = [*both, {**both[0], "code": "DeclinePatient"}]
    assert "two different things" in refused(says(letter, businessStatus={"coding": two}))
    assert answer_of(says(letter, businessStatus={"coding": [*both, *both]})).command["type"] == "IssueLetter"
    twice = says(letter).replace(b'"resourceType": "Task"', b'"resourceType": "Patient", "resourceType": "Task"')
    assert "twice" in refused(twice)


def test_every_effect_for_a_hospital_has_its_row() -> None:
    asked = {row.kind for row in WANTS if row.to is Party.HOSPITAL} | {"remind", "escalate"}
    assert set(ASKED) == asked - {
        "reserve_dose",
        "release_dose",
        "mark_unit_used",
        "mark_unit_destroyed",
        "erase_case",
        "tell_waiting_list",
        "tell_cohort",
    }  # on the lots' and protocols' own streams


def test_the_page_for_hospitals_names_every_kind_and_command_and_no_other() -> None:
    page = (Path(__file__).parents[3] / "docs" / "fhir.md").read_text()
    kinds = [kind for row in re.findall(r"^\| `[A-Z].*?\| (.*) \|$", page, re.MULTILINE) for kind in row.split(", ")]
    assert sorted(set(kinds)) == sorted(ASKED)
    commands = re.findall(r"Commands a hospital may give: (.*)\.", page)[0].split(", ")
    assert sorted(commands) == sorted(SAYS)


@pytest.mark.parametrize("kind", sorted(ASKED))
def test_every_request_is_a_valid_task_with_its_focus_and_documents(kind: str) -> None:
    made = task(request(kind, protocol="protocol-1", arrives=date(2026, 3, 2), until=AT, days=70))
    Task.model_validate(made)
    assert made["identifier"] == [{"system": "urn:caravel:effect", "value": "effect-1"}]
    assert made["contained"][0]["resourceType"] == ASKED[kind].focus
    assert [r["masterIdentifier"]["value"] for r in made["contained"][1:]] == ["ab" * 32, "cd" * 32]
    read = request_of(json.loads(json.dumps(made)), "centre-1")
    assert (read.effect, read.kind, read.case, read.about) == ("effect-1", kind, "case-1", "submission-1/1")
    assert read.body == {"protocol": "protocol-1", "arrives": "2026-03-02", "until": "2026-03-01T08:00:00Z", "days": 70}
    assert read.documents == ["ab" * 32, "cd" * 32]


@pytest.mark.parametrize("body", [{"hat_size": 7}, {"text": ["a"]}, {"until": AT.replace(tzinfo=None)}, {"text": None}])
def test_what_has_no_word_is_not_sent(body: dict[str, Any]) -> None:
    with pytest.raises(Unmapped) as unmapped:
        task(request(**body))
    assert "7" not in str(unmapped.value)


def test_a_kind_hospitals_are_not_sent() -> None:
    with pytest.raises(Unmapped):
        task(request("request_record"))


def sample(command: type[Any]) -> dict[str, Any]:
    """A value for every field of a command, by its type."""
    by_type: dict[object, Any] = {str: "x", int: 3, bool: True, datetime: AT.isoformat(), date: "2026-03-02"}
    hints = get_type_hints(command)
    said: dict[str, Any] = {"type": command.__name__}
    for f in fields(command):
        hint = hints[f.name]
        if f.name == "occurred":
            said[f.name] = {"precision": "day", "earliest": "2026-03-01T00:00:00+00:00"}
            said[f.name]["latest"] = "2026-03-01T23:59:59.999999+00:00"
        elif "CostLine" in str(hint):
            said[f.name] = {"low": 2, "high": 5}
        elif "arrangements.Slot" in str(hint):
            said[f.name] = [{"starts": AT.isoformat(), "ends": (AT + timedelta(hours=1)).isoformat()}]
        elif f.name != "type" and "Literal" in str(hint):
            first = next(a for a in _literals(hint))
            said[f.name] = [first] if get_origin(hint) is tuple else first
        elif f.name != "type":
            one = next(v for t, v in by_type.items() if t is hint or t in getattr(hint, "__args__", ()))
            said[f.name] = [one] if get_origin(hint) is tuple else one
    return said


def _literals(hint: Any) -> list[str]:
    inner = hint.__args__[0] if get_origin(hint) is tuple else hint
    return list(inner.__args__)


@pytest.mark.parametrize("name", sorted(SAYS))
def test_every_command_of_the_table_survives_the_way_there_and_back(name: str) -> None:
    command = sample(SAYS[name])
    answer = answer_of(says(command))
    assert (answer.callback, answer.in_reply_to, answer.case) == ("callback-1", "effect-1", "case-1")
    adapter: TypeAdapter[Command] = TypeAdapter(SAYS[name])
    said = command | ({"party": "hospital"} if "party" in command else {})
    assert adapter.validate_python(answer.command) == adapter.validate_python(said)


def test_an_answer_without_the_optional_fields() -> None:
    for name, command in SAYS.items():
        needed = {f.name for f in fields(command) if f.default is MISSING}
        answer_of(says({k: v for k, v in sample(command).items() if k in needed | {"type"}}))
        assert name


@pytest.mark.parametrize(
    "given", [{"valueRange": {"low": {"value": 1.5}}}, {"valueRange": {"low": {}}}, {"valueInteger": 5}]
)
def test_a_line_of_costs_that_is_no_range_of_whole_numbers(given: dict[str, Any]) -> None:
    said = {"type": {"coding": [{"system": "urn:caravel:field", "code": "monitoring"}]}, **given}
    assert "monitoring" in refused(says({"type": "GiveQuote", "currency": "USD"}, output=[said]))


def test_the_submission_is_known_from_what_was_asked() -> None:
    assert answer_of(says({"type": "AcceptPatient", "clinician": "Dr A"})).command["submission"] == "submission-1"


def test_a_reason_to_accept_over_what_is_not_met_comes_with_the_acceptance() -> None:
    said = says({"type": "AcceptPatient", "clinician": "Dr A", "despite": "a fracture"})
    assert answer_of(said).command["despite"] == "a fracture"


@pytest.mark.parametrize(
    "name", ["RecordOutcome", "MoveOn", "OpenCase", "GiveConsent", "CorrectFact", "AcceptQuote", ""]
)
def test_a_hospital_says_nothing_outside_its_table(name: str) -> None:
    status = {"coding": [{"system": "urn:caravel:command", "code": name}]}
    assert "businessStatus" in refused(says({"type": "AdmitPatient", "ref": "E1"}, businessStatus=status))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"status": "draft"}, "status"),
        ({"identifier": []}, "identifier"),
        ({"for": {"identifier": {"system": "urn:other", "value": "x"}}}, "identifier"),
        ({"resourceType": "Patient"}, "Task"),
        ({"output": [{"type": {"text": "ref"}, "valueString": "E1"}]}, "no such field"),
        ({"unknownElement": 1}, "unknownElement"),
    ],
)
def test_what_is_not_an_answer_is_named(changes: dict[str, Any], word: str) -> None:
    assert word in refused(says({"type": "AdmitPatient", "ref": "E1"}, **changes))


def output(word: str, **value: Any) -> dict[str, Any]:
    return {"type": {"coding": [{"system": "urn:caravel:field", "code": word}]}, **value}


def test_wrong_values_are_refused_without_being_repeated() -> None:
    bed = {"type": "HoldBed", "ref": "B1", "until": AT.isoformat()}

    def until(**value: str) -> bytes:
        return says(bed, output=[output("ref", valueString="B1"), output("until", **value)])

    for value in ({"valueString": "Mrs Secret"}, {"valueDate": "2026-03-01"}):
        assert unreadable(until(**value)) == "#/until must be an instant with a zone, as 2026-11-21T09:00:00Z"
    assert refused(until(valueDateTime="2026-03-01T10:00:00")) == "not a Task of R4B: output.1.valueDateTime"
    twice = [output("ref", valueString="B1"), output("ref", valueString="B2")]
    assert "twice" in refused(says(bed, output=twice))
    assert unreadable(says(bed, output=[output("ref", valueString="B1")])) == "#/until is required"


def occurred(**value: Any) -> Any:
    command = {"type": "ReportDeath"}
    return answer_of(says(command, output=[output("occurred", **value)])).command["occurred"]


def test_uncertain_dates_stay_as_uncertain_as_they_were_told() -> None:
    adapter = TypeAdapter(When)
    assert adapter.validate_python(occurred(valueDate="2026-03-05")) == When.on(date(2026, 3, 5))
    assert adapter.validate_python(occurred(valueDateTime=AT.isoformat())) == When.at(AT)
    assert adapter.validate_python(occurred(valueCode="unknown")) == When.unknown()
    month = adapter.validate_python(occurred(valueDate="2024-02"))
    assert (month.precision, month.earliest, month.latest) == (
        "bound", When.on(date(2024, 2, 1)).earliest, When.on(date(2024, 2, 29)).latest,
    )  # fmt: skip
    before = adapter.validate_python(occurred(valuePeriod={"end": "2026-03-05"}))
    assert (before.earliest, before.latest) == (None, When.on(date(2026, 3, 5)).latest)


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_noise_is_refused_and_never_crashes(noise: bytes) -> None:
    refused(noise)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
PARTS = ("output", "identifier", "for", "businessStatus", "basedOn", "groupIdentifier", "status")


@given(st.sampled_from(PARTS), JSON)
def test_a_task_with_anything_in_it_is_read_or_refused(part: str, noise: object) -> None:
    body = says({"type": "AdmitPatient", "ref": "E1"}, **{part: noise})
    with contextlib.suppress(BadAnswer):
        answer_of(body)


def test_values_fhir_has_no_word_for() -> None:
    with pytest.raises(ValueError, match="no FHIR value"):
        fhir_values.valued(b"")
