"""Says what a protocol is, as its source said it, and what of that cases note; refuses what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from domain.case.costs import LineKind
from domain.catalogue.product import Access, Depletion, Location
from domain.catalogue.protocols.classes import ProductClass
from domain.catalogue.protocols.escalation import Escalation, require_possible
from domain.core.codes import MOST_DAYS
from domain.core.errors import Reason, require
from domain.core.planned_check import PlannedCheck, require_kept
from domain.criteria.criterion import Criterion, require_sound
from domain.criteria.dosing import CellDose, require_dosable
from domain.criteria.redosing import RedosingCriteria, require_askable
from domain.law.countries import ROUTES, Route

MOST_YEARS = 50
"""No protocol follows for longer."""
MOST_INFUSIONS = 100
"""No protocol plans more; a number with more figures is a slip of the pen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Says what a protocol is, as its source said on `as_of`. `centre` is a centre's stream where there is only one.

    `planned_infusions` counts those planned for everybody; `lymphodepletion_planned` None = the source does not say.
    `access`: how a patient comes to the product. `draft`: what its source asks stands there in words only, so nobody is
    sent there. `locations` and `registry_status` are a registry's word, not a centre's. `route`: the law it runs under;
    `research_items`: the lines of a price that are the research itself; `concerns_offspring`: its effects may pass on.
    `vector_integrates` None, `follow_up_years` 0 = the source does not say; `visit_days` count from the infusion,
    as do the days of `monitoring`: none = the source does not say; so `redosing`, what is asked before another dose,
    and `doses`, the cells of one infusion. `escalation`: the dose levels of a trial that has several.
    """

    registry: str
    title: str
    product: str
    product_class: ProductClass
    targets: tuple[str, ...]
    diseases: tuple[str, ...]
    phase: str = ""
    centre: str = ""
    planned_infusions: int = 1
    lymphodepletion_planned: bool | None = None
    criteria: tuple[Criterion, ...] = ()
    access: Access = "trial"
    draft: bool = False
    cell_source: str = ""
    edits: tuple[str, ...] = ()
    vector: str = ""
    lymphodepletion: tuple[Depletion, ...] = ()
    locations: tuple[Location, ...] = ()
    registry_status: str = ""
    route: Route = "not_said"
    research_items: tuple[LineKind, ...] = ()
    concerns_offspring: bool = False
    vector_integrates: bool | None = None
    follow_up_years: int = 0
    visit_days: tuple[int, ...] = ()
    monitoring: tuple[PlannedCheck, ...] = ()
    redosing: RedosingCriteria | None = None
    doses: tuple[CellDose, ...] = ()
    escalation: Escalation | None = None
    source: str
    as_of: date


def checked(c: Description) -> dict[str, Any]:
    """Return the fields of a description that can be. Raises Refused."""
    for name in ("registry", "title", "product", "diseases", "source", *(() if c.draft else ("targets",))):
        require(getattr(c, name), Reason.INVALID, "this is never empty", name)
    require(c.planned_infusions > 0, Reason.INVALID, "at least one infusion is planned", "planned_infusions")
    require(c.planned_infusions <= MOST_INFUSIONS, Reason.INVALID, f"at most {MOST_INFUSIONS}", "planned_infusions")
    near = all(abs(day) <= MOST_DAYS for drug in c.lymphodepletion for day in drug.days)
    require(near, Reason.INVALID, "days count from the infusion, day 0; none is years away", "lymphodepletion")
    _require_follow_up(c)
    require_kept(c.monitoring)
    require_askable(c.redosing, c.targets, c.planned_infusions)
    require_dosable(c.doses)
    require_possible(c.escalation)
    require(not c.centre or c.centre.startswith("centre-"), Reason.INVALID, "not the id of a centre", "centre")
    fits = c.route not in ROUTES or c.access in ROUTES[c.route].access
    require(fits, Reason.INVALID, f"under that law nobody comes to a product by way of {c.access}", "route")
    require_sound(c.criteria)
    return described(c)


def _require_follow_up(c: Description) -> None:
    """Refuse what nobody could follow: too many years, days out of order or past the end."""
    most = MOST_YEARS if c.follow_up_years == 0 else c.follow_up_years
    require(0 <= c.follow_up_years <= MOST_YEARS, Reason.INVALID, f"from 0 to {MOST_YEARS} years", "follow_up_years")
    ordered = list(c.visit_days) == sorted({day for day in c.visit_days if 0 < day <= most * 366})
    require(ordered, Reason.INVALID, "days after the infusion in order, each once, none after the end", "visit_days")


def described(c: Description) -> dict[str, Any]:
    """Return the fields of a description by name, of whatever says one."""
    return {f.name: getattr(c, f.name) for f in fields(Description)}


def noted_of(told: Description | None) -> Mapping[str, Any]:
    """Return what cases note of a description; what it does not say is left out, as in rows of before."""
    return {**_asked(told), **_by_days(told), **_followed(told), **_made(told)}


def _asked(description: Description | None) -> Mapping[str, Any]:
    """The criteria, where there are any: rows written before there could be are still as they should be."""
    return {"criteria": description.criteria} if description and description.criteria else {}


def _by_days(description: Description | None) -> Mapping[str, Any]:
    """The drugs of lymphodepletion of which the source names the days; left out where there are none."""
    planned = tuple(drug for drug in (description.lymphodepletion if description else ()) if drug.days)
    return {"lymphodepletion": planned} if planned else {}


def _followed(told: Description | None) -> Mapping[str, Any]:
    """What is said of follow-up; left out where nothing is, as in rows of before."""
    if told is None:
        return {}
    said: dict[str, Any] = {
        "follow_up_years": told.follow_up_years,
        "visit_days": told.visit_days,
        "monitoring": told.monitoring,
    }
    if told.redosing:
        said["redosing"] = told.redosing
    found: dict[str, Any] = {name: value for name, value in said.items() if value}
    return found if told.vector_integrates is None else {**found, "vector_integrates": told.vector_integrates}


def _made(told: Description | None) -> Mapping[str, Any]:
    """The product, its class and doses where they are said, and that no lymphodepletion is planned where that is so."""
    if told is None:
        return {}
    said: dict[str, Any] = {"product": told.product}
    if told.doses:
        said["doses"] = told.doses
    if told.product_class != "not_said":
        said["product_class"] = told.product_class
    return {**said, "depletion_planned": False} if told.lymphodepletion_planned is False else said
