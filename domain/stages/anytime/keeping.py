"""Says how long the law keeps the records of a case: by the route of the protocol the patient took part in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from domain.case.state import Case
from domain.core.errors import Reason, require
from domain.law.countries import CountryRule, kept

TRACE = kept("", offspring=False)
"""What is kept whichever the route: the path from donor through product to patient."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """One rule and the day until which it keeps the records of this case; None = for ever."""

    rule: CountryRule
    until: date | None


def keeping(case: Case) -> Sequence[Keeping]:
    """Return what keeps a case's clinical records; years count from its last change of stage [countries.cn-keep]."""
    since = case.stage_since
    noted = [case.noted(s.protocol) for s in case.submissions.values() if s.state == "accepted"]
    rules = [
        rule for told in noted for rule in kept(told.get("route", ""), offspring=bool(told.get("concerns_offspring")))
    ]
    return [Keeping(rule, _until(rule, since)) for rule in dict.fromkeys(rules) if rule not in TRACE]


def _until(rule: CountryRule, since: datetime | None) -> date | None:
    if rule.kind == "keep_for_ever" or since is None:
        return None
    day = since.date()
    try:
        return day.replace(year=day.year + rule.number)
    except ValueError:
        return date(day.year + rule.number, 3, 1)


def require_free(case: Case, now: datetime) -> None:
    """Refuse to destroy clinical records that the law still keeps. Raises Refused that says until when."""
    for one in keeping(case):
        over = one.until is not None and one.until <= now.date()
        until = f"until {one.until}" if one.until else "for ever"
        words = f"the law keeps the records of this study {until} ({one.rule.name}); order it with trace_and_clinical"
        require(over, Reason.NOT_NOW, words, "keep")


def laws(case: Case) -> str:
    """Return why what stays is kept: the articles, or the names of rules of which nobody read the article."""
    rules = [*TRACE, *(one.rule for one in keeping(case))]
    return "; ".join(rule.article or rule.name for rule in rules)
