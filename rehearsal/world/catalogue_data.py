"""The real trials and centres in data/ as commands for an empty catalogue: stream → command, in file order."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from activities.catalogue_files.rows import CLASSES, drugs, lymphodepletion_planned, planned_infusions
from domain.catalogue.centre import RegisterCentre
from domain.catalogue.product import depletion_of
from domain.catalogue.protocol import RegisterProtocol
from domain.catalogue.protocols.classes import ProductClass
from domain.criteria.criterion import criterion_of
from rehearsal.world.dose_levels import cell_doses

DATA = Path(__file__).with_name("data")
PROTOCOLS, CENTRES, COURSES = DATA / "protocols.json", DATA / "centres.json", DATA / "courses.json"


class CatalogueDataInvalid(ValueError):
    """A data file cannot be used; the message names the entry."""


def centres(path: Path = CENTRES) -> Mapping[str, RegisterCentre]:
    """Return every centre of the file. One not known to accept patients from abroad counts as one that does not."""
    return {row["stream"]: _centre(row) for row in _rows(path, "centres")}


def protocols(path: Path = PROTOCOLS) -> Mapping[str, RegisterProtocol]:
    """Return every protocol of the file that has a source, with the criteria it states [criteria.adults]."""
    read = json.loads(path.read_text(encoding="utf-8"))
    as_of = date.fromisoformat(read["brought_in"])
    return {row["stream"]: _protocol(row, as_of) for row in _rows(path, "protocols")}


def _rows(path: Path, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))[name]
    streams = [row["stream"] for row in rows]
    if doubled := {stream for stream in streams if streams.count(stream) > 1}:
        raise CatalogueDataInvalid(f"{path.name}: {', '.join(sorted(doubled))} stands there twice")
    return rows


def _centre(row: Mapping[str, Any]) -> RegisterCentre:
    return RegisterCentre(
        name=row["name"],
        city=row["city"],
        country=row["country"],
        zone=row["zone"],
        languages=tuple(row["languages"]),
        accepts_international=row["accepts_international"],
        capabilities=tuple(row["capabilities"]),
        source=row["source"],
        as_of=date.fromisoformat(row["as_of"]),
    )


def _protocol(row: Mapping[str, Any], as_of: date) -> RegisterProtocol:
    return RegisterProtocol(
        registry=row["registry"] or row["other_ids"][0],
        title=row["title"],
        product=row["product"],
        product_class=product_class(row["product_type"]),
        targets=tuple(row["targets"]),
        diseases=tuple(row["diseases"]),
        phase=row["phase"] or "",
        centre=row["centre_stream"] or "",
        planned_infusions=planned_infusions(row["redosing"]),
        lymphodepletion_planned=lymphodepletion_planned(row["lymphodepletion"]),
        lymphodepletion=tuple(map(depletion_of, drugs(row["lymphodepletion"]))),
        criteria=tuple(map(criterion_of, row["criteria"])),
        doses=cell_doses(row.get("dose_levels")),
        source=" | ".join(source["ref"] for source in row["sources"]),
        as_of=as_of,
    )


def product_class(product_type: str) -> ProductClass:
    """Return the class of a product by the first word of its type; ValueError for a new one."""
    found = CLASSES.get(product_type.split(" ", maxsplit=1)[0])
    if found is None:
        raise CatalogueDataInvalid(f"protocols: no product class for {product_type}")
    return found
