"""Makes a command of what a hospital says: a FHIR Task whose outputs are the fields of one command it may give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from activities.gateways import Answer
from domain.case.costs import CostLine
from domain.case.phases.arrangements import Slot
from domain.core import json_names
from domain.core.about import About
from domain.core.json_names import NamedTwice
from domain.core.shape import Shape, shape_of, shapes
from domain.core.when import When
from infra.hospitals import fhir_values
from infra.hospitals.codes import ABOUT, ANSWER_STATUS, CALLBACK, CASE, COMMAND, EFFECT, FIELD, SAYS
from infra.hospitals.fhir_map import Unmapped, checked, coded, identified, meant, stated

ABOUT_IT = {"submission", "alert", "resource", "arrangement", "shipment"}
"""Fields a hospital may leave out, because what it was asked about names them."""


class BadAnswer(Exception):
    """A callback that says nothing we can use; `reason` names the element at fault and repeats no value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def answer_of(body: bytes) -> Answer:
    """Return the one command a callback carries, as JSON whose values nobody has looked at yet. Raises BadAnswer."""
    made = _task(body)
    name = coded(made.get("businessStatus"), COMMAND)
    if len(meant(made.get("businessStatus"), COMMAND)) > 1:
        raise BadAnswer("businessStatus: says two different things")
    if name not in SAYS:
        raise BadAnswer("businessStatus: not a command hospitals may give")
    if made["status"] not in ANSWER_STATUS:
        raise BadAnswer("status: not one of an answer")
    callback = next((i.get("value", "") for i in made.get("identifier", []) if i.get("system") == CALLBACK), "")
    case = identified((made.get("for") or {}).get("identifier"), CASE)
    if not callback or not case:
        raise BadAnswer("identifier: a callback needs an id of its own and the case's")
    replied = (identified(r.get("identifier"), EFFECT) for r in made.get("basedOn", []))
    return Answer(callback, next((r for r in replied if r), None), case, {"type": name, **_fields(name, made)})


def _task(body: bytes) -> dict[str, Any]:
    try:
        read = json_names.loads(body)
    except NamedTwice as twice:
        raise BadAnswer(str(twice)) from None
    except (ValueError, RecursionError):
        raise BadAnswer("not JSON") from None
    if not isinstance(read, dict) or read.get("resourceType") != "Task":
        raise BadAnswer("not a FHIR Task")
    try:
        return checked(read)
    except Unmapped as error:
        raise BadAnswer(str(error)) from None


def _fields(name: str, made: Mapping[str, Any]) -> dict[str, Any]:
    """The command's fields from the outputs; what the request's own `about` names may be left out.

    A hospital speaks for the hospital, whatever it says.
    """
    kinds = shapes(SAYS[name])
    said: dict[str, list[Any]] = {}
    for output in made.get("output", []):
        word = coded(output.get("type"), FIELD)
        if word not in kinds:
            raise BadAnswer(f"output: {name} has no such field")
        said.setdefault(word, []).append(_value(word, kinds[word], output))
    about = identified(made.get("groupIdentifier"), ABOUT)
    for word in kinds.keys() & ABOUT_IT - said.keys() if about else ():
        said[word] = [About.of(about).id]
    if "party" in kinds:
        said["party"] = ["hospital"]
    if many := [word for word, values in said.items() if len(values) > 1 and not _listed(kinds[word])]:
        raise BadAnswer(f"output: {many[0]} is given twice")
    return {word: values if _listed(kinds[word]) else values[0] for word, values in said.items()}


def _value(word: str, shape: Shape, output: Mapping[str, Any]) -> object:
    try:
        if shape.inner is CostLine:
            return fhir_values.span(output)
        if shape.inner is Slot:
            return fhir_values.slot(output)
        return fhir_values.when(output) if word == "occurred" else fhir_values.plain(output)
    except (ValueError, KeyError, TypeError, OverflowError):
        raise BadAnswer(f"output: {word} has no usable value") from None


def task_of(
    callback: str, case: str, command: Mapping[str, Any], *, in_reply_to: str = "", about: str = ""
) -> dict[str, Any]:
    """Make the callback that says this command (JSON with its `type`), as a hospital would. Raises Unmapped."""
    name = str(command["type"])
    says = {word: value for word, value in command.items() if word != "type" and value not in (None, "")}
    made = {
        "resourceType": "Task",
        "identifier": [{"system": CALLBACK, "value": callback}],
        "basedOn": [{"identifier": {"system": EFFECT, "value": in_reply_to}}] if in_reply_to else [],
        "groupIdentifier": {"system": ABOUT, "value": about} if about else None,
        "status": "completed",
        "businessStatus": {"coding": [{"system": COMMAND, "code": name}]},
        "intent": "order",
        "for": {"type": "Patient", "identifier": {"system": CASE, "value": case}},
        "output": [output for word, value in says.items() for output in _outputs(name, word, value)],
    }
    return stated(made)


def _outputs(name: str, word: str, value: object) -> Iterable[dict[str, Any]]:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    shape = shapes(SAYS[name]).get(word)
    dated = shape is not None and "instant" in (shape.kind, shape.inner and shape_of(shape.inner).kind)
    for one in values:
        given = datetime.fromisoformat(one) if dated and isinstance(one, str) else one
        yield {"type": {"coding": [{"system": FIELD, "code": word}]}, **_element(given, shape)}


def _element(given: object, shape: Shape | None) -> dict[str, Any]:
    if shape is not None and shape.inner is CostLine and isinstance(given, Mapping):
        return fhir_values.range_of(given["low"], given.get("high"))
    if shape is not None and shape.inner is Slot and isinstance(given, Mapping):
        return fhir_values.period_of(*(_instant(given[end]) for end in ("starts", "ends")))
    return fhir_values.valued(_when(given) if isinstance(given, Mapping) else given)


def _instant(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _listed(shape: Shape) -> bool:
    """Whether a field holds several values."""
    return shape.kind in ("many", "lines", "several")


def _when(value: Mapping[str, Any]) -> When:
    bounds = (value.get("earliest"), value.get("latest"))
    earliest, latest = (datetime.fromisoformat(b) if isinstance(b, str) else b for b in bounds)
    return When(value["precision"], earliest, latest)
