"""Every event can be said in CloudEvents, FHIR and XES, by the rules of each, and nothing sealed is in any of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from domain.core.when import When
from infra.exports import cloudevents, fhir_audit, xes
from infra.ledger.encoding.stored import Stored
from tests.infra.ledger.encoding.sampling import kept_samples, stored

LOG = "caravel/here"
META = {"actor": "staff-7", "purpose": "care_coordination", "on_behalf_of": "centre-1", "causation": "event-0"}
WHY = {
    "rule": "visa_ends",
    "rule_version": 2,
    "policy": "sha256:00",
    "computed_for": "2026-01-02T00:00:00Z",
    "rests_on": [],
}
AT = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)


def row(name: str = "CaseOpened-1", **more: Any) -> Stored:
    kept = stored(kept_samples()[name])
    return replace(kept, **{"meta": json.dumps(META), "hash": bytes(32), "position": 7, **more})


def test_a_cloud_event_has_what_the_standard_asks_for() -> None:
    made = cloudevents.cloud_event(row(meta=json.dumps({**META, "why": WHY})), LOG)
    assert {"specversion", "id", "source", "type"} <= made.keys()
    assert made["specversion"] == "1.0"
    attributes = made.keys() - {"data"}
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in attributes)
    assert all(isinstance(made[name], str | int) and made[name] != "" for name in attributes)
    assert made["time"] == "2026-01-02T03:04:05.000006Z"
    assert (made["causation"], made["rule"], made["ruleversion"]) == ("event-0", "visa_ends", 2)
    assert cloudevents.position(made) == 7


def test_sequences_sort_as_text_like_positions() -> None:
    told = [cloudevents.cloud_event(row(position=n), LOG)["sequence"] for n in (1, 9, 10, 99, 10**9)]
    assert told == sorted(told)


@pytest.mark.parametrize("name", sorted(kept_samples()))
def test_every_event_ever_released_can_be_said_and_stays_sealed(name: str) -> None:
    one = row(name)
    said = json.dumps(cloudevents.cloud_event(one, LOG))
    audit = fhir_audit.audit_event(one, LOG)
    AuditEvent.model_validate(audit)
    event = ET.fromstring(xes.CaseTrace().event(one))
    assert event.tag == "event"
    for text in (said, json.dumps(audit), ET.tostring(event, encoding="unicode")):
        assert "ciphertext" not in text
    assert cloudevents.position(json.loads(said)) == fhir_audit.position(audit) == 7


def test_what_somebody_opened_is_given_in_place_of_marks() -> None:
    made = cloudevents.cloud_event(row(), LOG, {"patient_name": "somebody"})
    assert made["data"] == {"patient_name": "somebody"}


def test_fhir_says_who_for_whom_what_for_and_both_clocks() -> None:
    span = When.between(AT - timedelta(days=2), AT - timedelta(days=1))
    found = fhir_audit.audit_event(row(occurred=span), LOG)
    assert found["action"] == "C"
    assert [one["requestor"] for one in found["agent"]] == [True, False]
    codes = [one["code"] for one in found["agent"][0]["purposeOfUse"][0]["coding"]]
    assert codes == ["care_coordination", "COC"]
    assert found["recorded"] > found["period"]["end"] > found["period"]["start"]
    assert "period" not in fhir_audit.audit_event(row(occurred=When.unknown()), LOG)
    by_rule = fhir_audit.audit_event(row(meta=json.dumps({"actor": "engine", "why": WHY}), version=2), LOG)
    assert (by_rule["action"], by_rule["agent"][0]["requestor"]) == ("U", False)


def test_a_look_is_a_read_of_every_case_seen() -> None:
    data = json.dumps({"what": "worklist", "cases": ["case-1", "case-2"], "opened": []})
    found = fhir_audit.audit_event(row(type="CasesSeen", stream="looks-p", data=data), LOG)
    AuditEvent.model_validate(found)
    assert found["action"] == "R"
    assert [one["what"]["identifier"]["value"] for one in found["entity"]] == ["case-1", "case-2"]


def event(type_: str, **data: Any) -> Stored:
    return row(type=type_, data=json.dumps(data))


def told(trace: xes.CaseTrace, one: Stored) -> dict[str, str]:
    return {item.attrib["key"]: item.attrib["value"] for item in ET.fromstring(trace.event(one))}


def test_an_effect_is_one_activity_with_a_life() -> None:
    trace = xes.CaseTrace()
    asked = told(trace, event("EffectRequested", effect="e-1", kind="hold_bed", about="x"))
    done = told(trace, event("EffectDelivered", effect="e-1", attempt=1))
    assert (asked["concept:name"], asked["lifecycle:transition"]) == ("hold_bed", "schedule")
    assert (done["concept:name"], done["lifecycle:transition"]) == ("hold_bed", "complete")
    assert asked["concept:instance"] == done["concept:instance"] == "e-1"
    step = told(trace, event("ObligationStepTaken", obligation="o-1", step=0, late=False))
    assert (step["concept:name"], step["lifecycle:transition"]) == ("ObligationStepTaken", "complete")


STANDARD = {
    "schedule", "assign", "withdraw", "reassign", "start", "suspend", "resume", "pi_abort", "ate_abort", "complete",
    "autoskip", "manualskip", "unknown",
}  # fmt: skip


def test_the_life_is_the_one_of_the_standard() -> None:
    assert set(xes.TRANSITION.values()) <= STANDARD


def test_a_whole_log_is_well_formed_whatever_stands_in_an_id() -> None:
    odd = row(meta=json.dumps({"actor": 'a<b>&"\u0001\ud7ff'}))
    text = xes.header(LOG) + xes.opening("case-<1>") + xes.CaseTrace().event(odd) + xes.CLOSING + xes.TAIL
    log = ET.fromstring(text)
    space = "{http://www.xes-standard.org/}"
    assert (log.tag, log.attrib["xes.version"]) == (f"{space}log", "2.0")
    assert {one.attrib["prefix"] for one in log.iter(f"{space}extension")} == {"concept", "time", "lifecycle", "org"}
    resource = next(
        one for one in log.iter(f"{space}string") if one.attrib["key"] == "org:resource" and "a<" in one.attrib["value"]
    )
    assert resource.attrib["value"] == 'a<b>&"\ufffd\ud7ff'
    used = {one.tag.removeprefix(space) for one in log.iter()}
    assert used <= {"log", "extension", "global", "classifier", "string", "date", "int", "trace", "event"}
