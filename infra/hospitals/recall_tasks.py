"""Says a recall in FHIR: a Task for a Group of patients and one product for each unit, and its acknowledgement.

The same doors as for cases: `task`, `request_of`, `answer_of` and `task_of` take what is of a recall themselves and
hand on what is of a case.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from activities.gateways import Answer, Request
from domain.recalls.recall import PREFIX
from infra.hospitals import answers, fhir_map
from infra.hospitals.answers import BadAnswer
from infra.hospitals.codes import ABOUT, CALLBACK, CASE, CENTRE, COMMAND, EFFECT, FIELD, KIND
from infra.hospitals.fhir_map import Unmapped, checked, coded, identified, stated

RECALL = "urn:caravel:recall"
LOT = "urn:caravel:lot:"
"""Begins the system of a unit's identifier; the lot's id follows."""
FATE = "urn:caravel:unit-fate"
ACKNOWLEDGES = "AcknowledgeRecall"
WORDS: Mapping[str, str] = {
    "ask_acknowledgement": "A recall concerns these patients and units: keep the units apart, and acknowledge",
    "remind_acknowledgement": "A recall concerns these patients and units; your acknowledgement is still awaited",
    "ask_acknowledgement_drill": "A drill of a recall: touch nothing, and acknowledge",
    "remind_acknowledgement_drill": "A drill of a recall: your acknowledgement is still awaited",
}
"""Kind → what the Task says in plain words."""


def task(request: Request) -> dict[str, Any]:
    """Return the Task a hospital is sent. Raises Unmapped for what our tables have no row for."""
    if not request.case.startswith(PREFIX):
        return fhir_map.task(request)
    if request.kind not in WORDS:
        raise Unmapped(f"hospitals are not sent {request.kind}")
    units = [_unit(n, one) for n, one in enumerate(request.body["units"])]
    told = [("patients", "#patients"), *(("unit", f"#{one['id']}") for one in units)]
    return stated({
        "resourceType": "Task",
        "identifier": [{"system": EFFECT, "value": request.effect}],
        "groupIdentifier": {"system": ABOUT, "value": request.about},
        "status": "requested",
        "intent": "order",
        "priority": "routine" if request.kind.endswith("_drill") else "stat",
        "code": {"coding": [{"system": KIND, "code": request.kind}], "text": WORDS[request.kind]},
        "for": _recall(request.case),
        "owner": {"identifier": {"system": CENTRE, "value": request.centre}},
        "contained": [_notice(request), _patients(request.body["cases"]), *units],
        "focus": {"reference": "#focus"},
        "input": [{"type": {"text": what}, "valueReference": {"reference": where}} for what, where in told],
    })  # fmt: skip


def _recall(name: str) -> dict[str, Any]:
    return {"type": "Group", "identifier": {"system": RECALL, "value": name}}


def _notice(request: Request) -> dict[str, Any]:
    said = {"resourceType": "Communication", "id": "focus", "status": "completed"}
    return {**said, "subject": {"reference": "#patients"}, "payload": [{"contentString": WORDS[request.kind]}]}


def _patients(cases: Sequence[str]) -> dict[str, Any]:
    members = [{"entity": {"type": "Patient", "identifier": {"system": CASE, "value": case}}} for case in cases]
    return {"resourceType": "Group", "id": "patients", "type": "person", "actual": True, "member": members}


def _unit(number: int, unit: Mapping[str, Any]) -> dict[str, Any]:
    """One unit; it is available to the hospital unless it was infused."""
    return {
        "resourceType": "BiologicallyDerivedProduct",
        "id": f"unit-{number}",
        "productCategory": "cells",
        "status": "unavailable" if unit["infused"] else "available",
        "identifier": [{"system": f"{LOT}{unit['lot']}", "value": unit["unit"]}],
    }


def request_of(body: Mapping[str, Any], centre: str) -> Request:
    """Read a Task of ours as a hospital does. Raises Unmapped for a Task that is not one."""
    kind, recall = coded(body.get("code"), KIND), identified((body.get("for") or {}).get("identifier"), RECALL)
    if not recall or kind not in WORDS:
        return fhir_map.request_of(body, centre)
    made = checked(body)
    products = [one for one in made["contained"] if one["resourceType"] == "BiologicallyDerivedProduct"]
    units = [{**_named(one["identifier"][0]), "infused": one["status"] == "unavailable"} for one in products]
    [group] = [one for one in made["contained"] if one["resourceType"] == "Group"]
    cases = [one["entity"]["identifier"]["value"] for one in group["member"]]
    effect = next(one["value"] for one in made["identifier"] if one.get("system") == EFFECT)
    about = identified(made.get("groupIdentifier"), ABOUT)
    return Request(effect, kind, recall, about, "hospital", centre, {"cases": cases, "units": units})


def _named(identifier: Mapping[str, Any]) -> dict[str, str]:
    return {"lot": str(identifier["system"]).removeprefix(LOT), "unit": str(identifier["value"])}


def answer_of(body: bytes) -> Answer:
    """Return the one command a callback carries, as JSON whose values nobody has looked at yet. Raises BadAnswer."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise BadAnswer("not JSON") from None
    if not isinstance(read, dict) or coded(_mapping(read.get("businessStatus")), COMMAND) != ACKNOWLEDGES:
        return answers.answer_of(body)
    try:
        made = checked(read)
    except Unmapped as error:
        raise BadAnswer(str(error)) from None
    callback = next((i.get("value", "") for i in made.get("identifier", []) if i.get("system") == CALLBACK), "")
    recall = identified((made.get("for") or {}).get("identifier"), RECALL)
    if not callback or not recall.startswith(PREFIX):
        raise BadAnswer("identifier: a callback needs an id of its own and the recall's")
    replied = (identified(r.get("identifier"), EFFECT) for r in made.get("basedOn", []))
    return Answer(callback, next((r for r in replied if r), None), recall, _said(made.get("output", [])))


def _mapping(value: object) -> Mapping[str, Any]:
    known = value if isinstance(value, dict) else {}
    codings = known.get("coding", [])
    return known if isinstance(codings, list) and all(isinstance(one, dict) for one in codings) else {}


def _said(outputs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = {"type": ACKNOWLEDGES, "units": []}
    for output in outputs:
        word = coded(output["type"], FIELD)
        if word == "units" and isinstance(output.get("valueIdentifier"), dict):
            fate = coded(output["type"], FATE)
            said["units"].append({**_whole(output["valueIdentifier"]), "fate": fate})
        elif word in ("said_by", "note") and isinstance(output.get("valueString"), str):
            said[word] = output["valueString"]
        else:
            raise BadAnswer(f"output: {ACKNOWLEDGES} has no such field, or it has no usable value")
    return said


def _whole(identifier: Mapping[str, Any]) -> dict[str, str]:
    if not str(identifier.get("system", "")).startswith(LOT) or not identifier.get("value"):
        raise BadAnswer("output: a unit is named by the identifier it came with")
    return _named(identifier)


def task_of(
    callback: str, case: str, command: Mapping[str, Any], *, in_reply_to: str = "", about: str = ""
) -> dict[str, Any]:
    """Make the callback that says this command (JSON with its `type`), as a hospital would. Raises Unmapped."""
    if command["type"] != ACKNOWLEDGES:
        return answers.task_of(callback, case, command, in_reply_to=in_reply_to, about=about)
    words = [
        {"type": {"coding": [{"system": FIELD, "code": word}]}, "valueString": command[word]}
        for word in ("said_by", "note")
        if command.get(word)
    ]
    units = [
        {
            "type": {"coding": [{"system": FIELD, "code": "units"}, {"system": FATE, "code": one["fate"]}]},
            "valueIdentifier": {"system": f"{LOT}{one['lot']}", "value": one["unit"]},
        }
        for one in command.get("units", ())
    ]
    return stated({
        "resourceType": "Task",
        "identifier": [{"system": CALLBACK, "value": callback}],
        "basedOn": [{"identifier": {"system": EFFECT, "value": in_reply_to}}] if in_reply_to else [],
        "groupIdentifier": {"system": ABOUT, "value": about} if about else None,
        "status": "completed",
        "businessStatus": {"coding": [{"system": COMMAND, "code": ACKNOWLEDGES}]},
        "intent": "order",
        "for": _recall(case),
        "output": [*words, *units],
    })  # fmt: skip
