"""Cases as an event log for process mining: XES 2.0 (IEEE 1849-2016), a trace a case, lifecycle and org extensions.

`time:timestamp` is when it was recorded, which never goes back; when it happened stands beside it. An effect or
obligation is one activity that goes through the standard's transactional life.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from infra.exports.cloudevents import instant
from infra.ledger.encoding.stored import Stored

EXTENSIONS = {
    "Concept": "concept",
    "Time": "time",
    "Lifecycle": "lifecycle",
    "Organizational": "org",
}
TRANSITION: Mapping[str, str] = {
    "EffectRequested": "schedule",
    "EffectDelivered": "complete",
    "EffectRefused": "ate_abort",
    "EffectUnknown": "unknown",
    "EffectPutOff": "suspend",
    "EffectWithdrawn": "withdraw",
    "ObligationOpened": "schedule",
    "ObligationMet": "complete",
    "ObligationMissed": "ate_abort",
    "ObligationWithdrawn": "withdraw",
    "ObligationRedated": "reassign",
}
"""Event type → lifecycle:transition; everything else has happened when it is recorded: complete."""
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<log xes.version="2.0" xes.features="" xmlns="http://www.xes-standard.org/">\n'
TAIL = "</log>\n"


def header(log: str) -> str:
    """Return the file's beginning, before the trace of the first case: log, extensions, classifiers."""
    parts = [
        ET.Element("extension", name=name, prefix=prefix, uri=f"http://www.xes-standard.org/{prefix}.xesext")
        for name, prefix in EXTENSIONS.items()
    ]
    trace, event = ET.Element("global", scope="trace"), ET.Element("global", scope="event")
    _put(trace, "string", "concept:name", "")
    for name, value in (("concept:name", ""), ("lifecycle:transition", "complete"), ("org:resource", "")):
        _put(event, "string", name, value)
    _put(event, "date", "time:timestamp", "1970-01-01T00:00:00Z")
    classes = ET.Element("classifier", name="Activity", keys="concept:name lifecycle:transition")
    named = ET.Element("string", key="concept:name", value=log)
    model = ET.Element("string", key="lifecycle:model", value="standard")
    return HEAD + "".join(_text(one) for one in (*parts, trace, event, classes, named, model))


def opening(stream: str) -> str:
    """Write the beginning of a trace, which is one case."""
    return "<trace>\n" + _text(ET.Element("string", key="concept:name", value=_safe(stream)))


CLOSING = "</trace>\n"


class CaseTrace:
    """The events of one case, in order: remembers what each effect and obligation is called."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}

    def event(self, row: Stored) -> str:
        """Write one event of a trace as XML."""
        data, meta = json.loads(row.data), json.loads(row.meta)
        made = ET.Element("event")
        for name, value in self._activity(row, data).items():
            _put(made, "string", name, value)
        _put(made, "date", "time:timestamp", instant(row.recorded_at))
        _put(made, "string", "org:resource", meta["actor"])
        if meta.get("why"):
            _put(made, "string", "caravel:rule", meta["why"]["rule"])
        for name, when in (("earliest", row.occurred.earliest), ("latest", row.occurred.latest)):
            if when:
                _put(made, "date", f"caravel:occurred_{name}", instant(when))
        _put(made, "string", "caravel:event", row.id)
        _put(made, "int", "caravel:position", str(row.position))
        return _text(made)

    def _activity(self, row: Stored, data: Mapping[str, Any]) -> dict[str, str]:
        instance = data.get("effect") or data.get("obligation") if row.type in TRANSITION else None
        if not instance:
            return {"concept:name": row.type, "lifecycle:transition": "complete"}
        if kind := data.get("kind"):
            self._kinds[instance] = kind
        return {
            "concept:name": self._kinds.get(instance, row.type),
            "concept:instance": instance,
            "lifecycle:transition": TRANSITION[row.type],
            "caravel:type": row.type,
        }


def _put(parent: ET.Element, kind: str, key: str, value: str) -> None:
    ET.SubElement(parent, kind, key=key, value=_safe(value))


def _safe(text: str) -> str:
    """Without what XML cannot hold."""
    return NO_XML.sub("\ufffd", text)


def _text(element: ET.Element) -> str:
    return ET.tostring(element, encoding="unicode") + "\n"
