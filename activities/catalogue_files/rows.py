"""Turns a row of a file into the fields of a command, and knows which key of the file each field is from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.catalogue.protocols.classes import ProductClass

Tree = Mapping[str, Any]
WEEKLY = re.compile(r"once a week for (\d+) weeks")
CLASSES: Mapping[str, ProductClass] = {"CAR-NK": "car_nk", "autologous": "autologous", "allogeneic": "allogeneic"}
UNSOURCED = "no source was read: it is known by name only"
IN_WORDS = ("age", "performance", "ecog_max", "organ", "cns", "infection", "antigen", "hla", "eligibility_other",
            "timing", "gate_before_lymphodepletion", "gate_before_infusion")  # fmt: skip
"""What a row asks of a patient where it has no criteria as data: people read it."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """One entry of a file: where it stands, the fields it says, and `keys`: field → the file's key for it."""

    pointer: str
    fields: dict[str, Any]
    stream: str = ""
    label: str = ""
    change: str = ""
    sites: Any = ()
    keys: Mapping[str, str] = field(default_factory=dict)

    def at(self, name: str) -> str:
        """Return the pointer of what a field was made of; `name` may lead further in, as criteria/0/words."""
        first, _, rest = name.partition("/")
        return "/".join(part for part in (self.pointer, self.keys.get(first, first), rest) if part)


def own(row: dict[str, Any], pointer: str) -> FileRow:
    """Return a row of a file under the names that the command gives its fields, whatever the file called them."""
    rest = dict(row)
    stream, label, change = (str(rest.pop(name, "")) for name in ("stream", "label", "change"))
    return FileRow(pointer, rest, stream, label, change, rest.pop("sites", ()))


def is_published(row: Tree) -> bool:
    """Return whether it is a row as the project's list of trials has them."""
    return "product_type" in row and "sources" in row


def published(row: Tree, pointer: str, as_of: str) -> FileRow:
    """Return a row of such a list. Without criteria as data, or without a source, it is a draft.

    `as_of`: the day the list is as of, where it says none the day it is brought in.
    """
    other = [str(one) for one in _list(row.get("other_ids"))]
    registry = row.get("registry") or row.get("id") or (other[0] if other else "")
    sources = [str(source.get("ref", "")) for source in _list(row["sources"]) if isinstance(source, Mapping)]
    structured = "criteria" in row and bool(sources)
    made = {
        "registry": registry,
        "title": row.get("title"),
        "product": row.get("product"),
        "product_class": CLASSES.get(str(row["product_type"]).split(" ", maxsplit=1)[0], "not_said"),
        "targets": row.get("targets"),
        "diseases": row.get("diseases"),
        "phase": row.get("phase") or "",
        "centre": row.get("centre_stream") or "",
        "planned_infusions": planned_infusions(row.get("redosing")),
        "lymphodepletion_planned": lymphodepletion_planned(_list(row.get("lymphodepletion"))),
        "lymphodepletion": drugs(row.get("lymphodepletion")),
        "cell_source": row.get("cell_source") or "",
        "registry_status": row.get("status") or "",
        "criteria": row.get("criteria", list(_in_words(row))),
        "draft": not structured,
        "source": " | ".join(sources) or UNSOURCED,
        "as_of": as_of,
    }
    keys = {"registry": "id" if "id" in row else "registry", "product_class": "product_type", "centre": "centre_stream",
            "planned_infusions": "redosing", "source": "sources", "registry_status": "status"}  # fmt: skip
    return FileRow(pointer, made, stream=str(row.get("stream") or ""), keys=keys)


def _in_words(row: Tree) -> Any:  # noqa: ANN401 - criteria as a file has them
    for name in IN_WORDS:
        said = row.get(name)
        if said not in (None, "", [], {}):
            words = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
            yield {"id": name, "kind": "inclusion", "words": f"{name.replace('_', ' ')}: {words}"}


def _list(value: object) -> list[Any]:
    """The list it is; nothing where it is none."""
    return value if isinstance(value, list) else []


def drugs(regimen: object) -> Any:  # noqa: ANN401 - as the file has it, so that its fault is named
    """Return the drugs of a list of objects; anything else stays, and is refused as what it is."""
    if regimen is None:
        return []
    whole = isinstance(regimen, list) and all(isinstance(one, Mapping) for one in regimen)
    return [_drug(one) for one in _list(regimen)] if whole else regimen


def _drug(row: Tree) -> dict[str, Any]:
    dose, days = row.get("dose"), row.get("days")
    counted = [day for day in days if isinstance(day, int)] if isinstance(days, list) else []
    return {"drug": str(row.get("drug", "")), "dose": "" if dose is None else str(dose), "unit": row.get("unit") or "",
            "days": counted, "variant": str(row.get("variant") or row.get("regimen") or "")}  # fmt: skip


def planned_infusions(redosing: Any) -> int:  # noqa: ANN401 - JSON: text, object or null
    """Count the infusions the protocol plans for everybody; 1 where it plans more for some or says nothing."""
    if not isinstance(redosing, Mapping):
        return 1
    weekly = WEEKLY.search(str(redosing.get("schedule", "")))
    said = redosing.get("planned_infusions") or redosing.get("rounds") or (int(weekly[1]) if weekly else 1)
    return said if isinstance(said, int) else 1


def lymphodepletion_planned(regimen: list[Any]) -> bool | None:
    """Return whether everybody gets it (True) or nobody (False); None where the source does not say or arms differ."""
    given = {not str(row.get("drug")).startswith("none") for row in regimen if isinstance(row, Mapping)}
    return given.pop() if len(given) == 1 else None
