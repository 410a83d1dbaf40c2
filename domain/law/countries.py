"""The rules of countries as rows, each with its source [countries.rows]; whatever is done about one reads its row.

A row says what was read and where. `article` is empty where nobody has read the article itself, only what others write
of it. Nothing here is legal advice: a row is a question for counsel before a patient depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Route = Literal[
    "not_said", "cn_order_818", "cn_translated", "cn_drug_trial", "us_individual_patient", "eu_compassionate_use",
    "eu_named_patient", "eu_hospital_exemption", "approved_use",
]  # fmt: skip
"""The law under which a patient comes to a product [countries.routes]; `not_said` = unknown, a question to ask."""
HospitalClass = Literal["class_iii_a", "other"]
RuleKind = Literal["hospital_class", "filing", "no_charge", "keep", "keep_for_ever", "export", "condition"]


@dataclass(frozen=True, slots=True)
class RouteRow:
    """Says where a route runs (ISO 3166 alpha-2, EU; empty = anywhere) and which ways of access it can be."""

    country: str
    access: tuple[str, ...]


ROUTES: Mapping[Route, RouteRow] = {
    "cn_order_818": RouteRow("CN", ("trial", "hospital_programme")),
    "cn_translated": RouteRow("CN", ("hospital_programme", "approved_use")),
    "cn_drug_trial": RouteRow("CN", ("trial",)),
    "us_individual_patient": RouteRow("US", ("compassionate_use",)),
    "eu_compassionate_use": RouteRow("EU", ("compassionate_use",)),
    "eu_named_patient": RouteRow("EU", ("compassionate_use",)),
    "eu_hospital_exemption": RouteRow("EU", ("hospital_programme",)),
    "approved_use": RouteRow("", ("approved_use",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryRule:
    """One rule. `routes`: those it is of, none = whichever way; `number` counts `unit`; `about`: the codes it names.

    `tag` is its line in docs/domain, which names the `source`; `article` as the source cites it, empty = the
    article was not read.
    """

    name: str
    kind: RuleKind
    country: str
    tag: str
    source: str
    article: str = ""
    routes: tuple[Route, ...] = ()
    number: int = 0
    unit: Literal["", "working_days", "years"] = ""
    about: tuple[str, ...] = ()


RESEARCH: tuple[Route, ...] = ("cn_order_818",)
XINHUA = "staging.reportify.cn, Xinhua's text of 10 October 2025 summarised"
RULES: tuple[CountryRule, ...] = (
    CountryRule(
        name="cn_hospital_class", kind="hospital_class", country="CN", tag="countries.cn-class",
        source=XINHUA, routes=RESEARCH,
        about=("class_iii_a",),
    ),
    CountryRule(
        name="cn_study_filing", kind="filing", country="CN", tag="countries.cn-filing",
        source=XINHUA, routes=RESEARCH,
        number=5, unit="working_days",
    ),
    CountryRule(
        name="cn_no_charge", kind="no_charge", country="CN", tag="countries.cn-no-charge",
        source=XINHUA, routes=RESEARCH,
        about=("cell_product",),
    ),
    CountryRule(
        name="cn_keep", kind="keep", country="CN", tag="countries.cn-keep",
        source=XINHUA, routes=RESEARCH, number=30, unit="years",
    ),
    CountryRule(
        name="cn_keep_offspring", kind="keep_for_ever", country="CN", tag="countries.cn-keep",
        source=XINHUA, routes=RESEARCH,
        about=("offspring",),
    ),
    CountryRule(
        name="cn_export_consent", kind="export", country="CN", tag="countries.cn-export",
        source="translate.hicom-asia.com; mondaq.com 1187092", article="PIPL art. 39",
        about=("cross_border",),
    ),
    CountryRule(
        name="cn_export_assessment", kind="export", country="CN", tag="countries.cn-assessment",
        source="mondaq.com 1187092", number=3, unit="years",
        about=("assessment",),
    ),
    CountryRule(
        name="cn_translated_charges", kind="condition", country="CN", tag="countries.cn-translated",
        source="chinahospitalsguide.com of 30 June 2026, one secondary source",
        routes=("cn_translated",),
    ),
    CountryRule(
        name="us_individual_patient", kind="condition", country="US", tag="countries.us-individual",
        source="copies at laws9.com and legalfix.com",
        article="21 CFR 312.310", routes=("us_individual_patient",),
    ),
    CountryRule(
        name="eu_compassionate_use", kind="condition", country="EU", tag="countries.eu-compassionate",
        source="as quoted at learning.eupati.eu",
        article="Regulation (EC) No 726/2004, Article 83", routes=("eu_compassionate_use",),
    ),
    CountryRule(
        name="eu_named_patient", kind="condition", country="EU", tag="countries.eu-named-patient",
        source="as summarised at eurogct.org",
        article="Directive 2001/83/EC, Article 5(1)", routes=("eu_named_patient",),
    ),
    CountryRule(
        name="eu_hospital_exemption", kind="condition", country="EU", tag="countries.eu-hospital-exemption",
        source="as quoted at eurogct.org and ibanet.org",
        article="Regulation (EC) No 1394/2007, Article 28; Directive 2001/83/EC, Article 3(7)",
        routes=("eu_hospital_exemption",),
    ),
    CountryRule(
        name="eu_trace", kind="keep", country="EU", tag="privacy.thirty-years",
        source="EUR-Lex consolidated text",
        article="Regulation (EC) No 1394/2007, Article 15", number=30, unit="years",
    ),
)  # fmt: skip


def rules_of(route: str, *kinds: RuleKind) -> Sequence[CountryRule]:
    """Return the rows of a route, of these kinds or of any; none for a route that nobody said."""
    wanted = kinds or get_args(RuleKind)
    return [one for one in RULES if route in one.routes and one.kind in wanted]


def wanted_class(route: str) -> str:
    """Return the class of hospital that the route asks for, empty = none."""
    return next((code for one in rules_of(route, "hospital_class") for code in one.about), "")


def never_charged(route: str, research: Sequence[str] = ()) -> frozenset[str]:
    """Return the lines of a price that the family never bears on that route; `research`: what the study itself is.

    Empty where the route forbids no charge.
    """
    rows = rules_of(route, "no_charge")
    return frozenset(code for one in rows for code in (*one.about, *research))


def kept(route: str, *, offspring: bool) -> Sequence[CountryRule]:
    """Return the rows that say how long records are kept: those of the route, then those whichever it is.

    Where the study concerns offspring, what is kept for ever takes the place of the years.
    """
    every = [one for one in RULES if one.kind in ("keep", "keep_for_ever") and (route in one.routes or not one.routes)]
    ever = [one for one in every if one.kind == "keep_for_ever"]
    years = [one for one in every if one.kind == "keep" and not (offspring and ever and one.routes)]
    return [*years, *(ever if offspring else [])]


def asked_for_export(country: str) -> frozenset[str]:
    """Return what the law of a country asks for before personal records leave it: consent, assessment."""
    return frozenset(code for one in RULES if one.kind == "export" and one.country == country for code in one.about)


def files(route: str) -> bool:
    """Return whether the study is filed with an authority on that route, within working days of its review."""
    return bool(rules_of(route, "filing"))
