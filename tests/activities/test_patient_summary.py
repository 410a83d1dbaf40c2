"""The summary of a case [criteria.ips-out]: FHIR R4, by the guide's stated rules, silence said, and readable by us."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from activities.patient_summary.document import patient_summary
from api.results.fhir_bundle import read_bundle
from domain.case.phases.findings import SectionName, Statement, StatementKind
from domain.case.state import Case
from domain.core.errors import Refused
from domain.core.personal import ERASED
from domain.core.when import When
from domain.stages.intake.inquiry import StateDiagnosis
from domain.stages.records.observing import DescribePatient, RecordTherapy
from domain.stages.records.results import ImportResults, Result
from domain.stages.records.summary import SECTIONS
from tests.activities.ips_rules import broken
from tests.domain.course import start
from tests.drawing import draws

AT = datetime(2026, 11, 30, 9, tzinfo=UTC)
DAY = When.on(datetime(2026, 1, 5, tzinfo=UTC).date())


def told(*statements: Statement, **more: Any) -> ImportResults:
    return ImportResults(form="fhir", statements=statements, bundle="urn:uuid:7", **more)


def one(kind: StatementKind, section: SectionName, **more: Any) -> Statement:
    return Statement(kind=kind, section=section, entry=3, **{"text": f"a {kind} <&>", **more})


def section(bundle: dict[str, Any], code: str) -> dict[str, Any]:
    listed = bundle["entry"][0]["resource"]["section"]
    return next(s for s in listed if s["code"]["coding"][0]["code"] == code)


FULL = (
    start("opened")
    .tell(DescribePatient("1980-03-02", "female"))
    .tell(StateDiagnosis("Burkitt lymphoma", disease="burkitt"))
)
FULL.tell(RecordTherapy(kind="allogeneic_transplant", name="from a sister", line=2, best_response="stable"))
FULL.tell(RecordTherapy(kind="autologous_car_t", target="CD19", ended_because="manufacture_failed"))
FULL.tell(told(
    one("condition", "problems", text="Asthma", status="active, confirmed", began="1999", detail="mild"),
    one("condition", "past_illness", text="Gout", ended="2020-01", status="resolved"),
    one("allergy", "allergies", code="http://snomed.info/sct|764146007", status="active", detail="high; Anaphylaxis"),
    Statement(kind="medication", section="medications", entry=1, said="none_known"),
    one("immunization", "immunizations", began="2021-05-01", status="completed"),
    one("device", "devices"), one("finding", "social_history", detail="Never smoked"), one("procedure", "procedures"),
    one("plan", "plan_of_care"), one("directive", "advance_directives"), one("alert", "alerts"),
    results=(Result(analyte="haemoglobin", value="9.5", unit="g/dL", occurred=DAY, laboratory="Lab A"),
             Result(analyte="ecog", value="1", occurred=DAY), Result(analyte="hbsag", value="negative", occurred=DAY)),
))  # fmt: skip


@pytest.mark.parametrize("case", [start("opened").case, FULL.case], ids=["nothing known", "much known"])
def test_it_is_fhir_and_keeps_the_guides_rules(case: Case) -> None:
    bundle = patient_summary(case, AT)
    assert broken(bundle) == []
    assert json.loads(json.dumps(bundle)) == bundle


def test_silence_and_nothing_known_are_said_in_mandatory_sections() -> None:
    silent = patient_summary(start("opened").case, AT)
    for code in ("11450-4", "48765-2", "10160-0"):
        assert section(silent, code)["emptyReason"]["coding"][0]["code"] == "unavailable"
    assert section(patient_summary(FULL.case, AT), "10160-0")["emptyReason"]["coding"][0]["code"] == "nilknown"


def test_what_is_known_stands_in_its_section_with_its_source() -> None:
    bundle = patient_summary(FULL.case, AT)
    by_url = {e["fullUrl"]: e["resource"] for e in bundle["entry"]}
    listed = {
        s["code"]["coding"][0]["code"]: [by_url[e["reference"]] for e in s.get("entry", ())]
        for s in bundle["entry"][0]["resource"]["section"]
    }
    assert [r["code"]["text"] for r in listed["11450-4"]] == ["Asthma", "Burkitt lymphoma"]
    assert listed["11450-4"][0]["note"] == [{"text": "mild; Told in urn:uuid:7, entry 3"}]
    assert listed["11348-0"][0]["clinicalStatus"]["coding"][0]["code"] == "resolved"
    assert [r["code"]["text"] for r in listed["47519-4"]] == [
        "a procedure <&>", "allogeneic transplant: from a sister", "autologous car t",
    ]  # fmt: skip
    assert [r["status"] for r in listed["47519-4"]] == ["unknown", "completed", "not-done"]
    assert [r.get("valueQuantity", {}).get("value") for r in listed["30954-2"]] == [9.5, None, None]
    assert listed["18776-5"] == []
    assert "a plan &lt;&amp;&gt;" in section(bundle, "18776-5")["text"]["div"]


def test_a_summary_of_ours_is_read_here_without_a_fault_and_brings_the_same_words() -> None:
    read = read_bundle(json.dumps(patient_summary(FULL.case, AT)).encode())
    assert read.wrong == []
    words = {str(s.text) for _, s in read.statements if s.said == "stated"}
    assert {"Asthma", "Gout", "Burkitt lymphoma", "a device <&>", "a immunization <&>"} <= words
    assert [s.said for _, s in read.statements if s.kind == "medication"] == ["none_known"]
    assert {(r.analyte, r.value) for _, r in read.results} >= {("haemoglobin", "9.5"), ("ecog", "1")}


def test_the_same_facts_make_the_same_document() -> None:
    assert patient_summary(FULL.case, AT) == patient_summary(FULL.case, AT)
    assert patient_summary(FULL.case, AT)["identifier"] != patient_summary(FULL.case, AT.replace(hour=10))["identifier"]


def test_what_is_erased_is_not_in_it_and_a_nameless_one_is_none() -> None:
    case = FULL.case
    gone = {
        name: replace(s, statements=tuple(replace(t, text=ERASED, code=ERASED, detail=ERASED) for t in s.statements))
        for name, s in case.summaries.items()
    }
    bundle = patient_summary(replace(case, summaries=gone, birth=ERASED, disease="", diagnosis=ERASED), AT)
    assert broken(bundle) == []
    assert "Asthma" not in json.dumps(bundle)
    assert case.patient
    people = {**case.people, case.patient.id: replace(case.patient, name=ERASED)}
    with pytest.raises(Refused, match="cannot be read"):
        patient_summary(replace(case, people=people), AT)


Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize("change", [
    lambda b: b.pop("timestamp"), lambda b: b["entry"][0]["resource"].pop("status"),
    lambda b: b["entry"][1]["resource"].update(birthDate="yesterday"),
])  # fmt: skip
def test_the_control_what_is_no_fhir_or_breaks_a_rule_is_found(change: Change) -> None:
    whole = copy.deepcopy(patient_summary(FULL.case, AT))
    change(whole)
    with pytest.raises((ValidationError, KeyError)):
        broken(whole)


@pytest.mark.parametrize(("change", "rule"), [
    (lambda b: section(b, "48765-2").pop("entry"), "48765-2: entries, or the reason"),
    (lambda b: b["entry"][0]["resource"]["section"].pop(0), "the mandatory ones always"),
    (lambda b: b["entry"].append(b["entry"][-1]), "each fullUrl once"),
    (lambda b: b["entry"][1]["resource"].pop("birthDate"), "a birth date or that it is unknown"),
])  # fmt: skip
def test_the_control_each_rule_can_break(change: Change, rule: str) -> None:
    whole = copy.deepcopy(patient_summary(FULL.case, AT))
    change(whole)
    assert any(rule in said for said in broken(whole))


KINDS: tuple[StatementKind, ...] = (
    "condition", "allergy", "medication", "procedure", "immunization", "device", "finding", "plan", "directive",
    "alert",
)  # fmt: skip
# Whatever can be stated: a NUL is refused before it is.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    str.strip
)
STATEMENTS = st.lists(
    st.builds(
        Statement,
        kind=st.sampled_from(KINDS),
        section=st.sampled_from(SECTIONS),
        entry=st.integers(1, 99),
        said=st.sampled_from(("stated", "none_known", "not_said")),
        text=TEXT,
        code=st.sampled_from(("", "http://snomed.info/sct|1", "x|y")),
        status=st.sampled_from(("", "active", "resolved, confirmed", "refuted", "banana")),
        detail=st.sampled_from(("", "much")),
        began=st.sampled_from(("", "1999", "2001-02", "2001-02-03", "2001-02-03T04:05:06Z")),
        ended=st.sampled_from(("", "2020")),
    ),
    max_size=8,
)


@example([Statement(kind="immunization", section="immunizations", entry=1, said="stated", text="BCG")])
@draws(60)
@given(STATEMENTS)
def test_whatever_was_said_the_summary_is_fhir_and_keeps_the_rules(statements: list[Statement]) -> None:
    case = start("opened").tell(told(*statements, birth="1980")).case
    bundle = patient_summary(case, AT)
    assert broken(bundle) == []
    assert read_bundle(json.dumps(bundle).encode()).wrong == []
