"""Majority: a minor is one by the birth date; whoever comes of age consents anew, themselves [people.majority]."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from domain.case.phases.intake import Person
from domain.case.state import Case
from domain.case.table import Instants, Owes, Rule, Takes
from domain.core.copying import replace
from domain.core.fact import Fact, Ids
from domain.core.personal import readable
from domain.core.policy import Party, Policy
from domain.criteria.observation import birth_days

YEARS = 18
YEARS_IN: Mapping[str, int] = {"EG": 21, "KR": 19, "KW": 21, "TH": 20}
"""Countries (ISO 3166 alpha-2) where majority comes later than at 18, by their civil codes."""


@dataclass(frozen=True, slots=True)
class MajorityReached:
    """The patient came of age: what was consented to on their behalf is asked of them."""

    type: Literal["MajorityReached"] = "MajorityReached"


Event = MajorityReached
TAKES: tuple[Takes, ...] = ()
"""No command is told here: it comes with the day."""


def majority(case: Case) -> tuple[date, date] | None:
    """Return the first and the last day on which the patient may come of age; None = the birth date is not known."""
    first, last = birth_days(str(case.birth)) if readable(case.birth) else (None, None)
    if first is None or last is None:
        return None
    years = YEARS_IN.get(case.country, YEARS)
    return _after(first, years), _after(last, years)


def _after(born: date, years: int) -> date:
    """The birthday so many years on; of a leap day the day after it where there is none."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def is_minor(case: Case, patient: Person, now: datetime) -> bool:
    """Return whether the patient is a minor: by the date where it tells, else as was said when the case was opened."""
    days = majority(case)
    today = now.astimezone(ZoneInfo(case.zone)).date()
    if days is None or days[0] <= today < days[1]:  # a year alone leaves some months open
        return patient.minor
    return today < days[0]


def _comes(case: Case) -> datetime | None:
    """The beginning of the month after the day; None = not known, or before the case.

    Not the day itself: when an event was recorded stays readable for ever, and would tell a birthday after an erasure.
    """
    days = majority(case)
    if days is None or case.opened_at is None:
        return None
    first = (days[1].replace(day=1) + timedelta(days=32)).replace(day=1)
    at = datetime.combine(first, time(0), ZoneInfo(case.zone)).astimezone(UTC)
    return at if case.opened_at < at and (case.of_age_at is None or case.of_age_at < at) else None


def come_of_age(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """The month after the day has come, once; of a birth date that was corrected to a later one, once more."""
    at = _comes(case)
    return [MajorityReached()] if at is not None and at <= now and case.open and not case.died else []


def _at(case: Case) -> Instants:
    return [_comes(case)] if case.open and not case.died else []


RULES = (Rule("majority_reached", 1, come_of_age, ("CaseOpened", "PatientDescribed"), (MajorityReached,), _at),)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold the coming of age."""
    return replace(case, of_age=fact.id, of_age_at=fact.at)


def _unconfirmed(case: Case) -> bool:
    """Tell whether a consent stands that the patient did not give themselves."""
    patient = case.patient.id if case.patient else ""
    return any(c.given and c.person != patient for c in case.consents.values())


def _still_of_age(case: Case) -> bool:
    days = majority(case)
    return days is None or case.of_age_at is None or days[0] <= case.of_age_at.astimezone(ZoneInfo(case.zone)).date()


def _to_consent(case: Case) -> Iterable[str]:
    owed = case.of_age and case.open and not case.died and _still_of_age(case) and _unconfirmed(case)
    return [case.of_age] if owed else []


OWES = (
    Owes(
        "consent_at_majority",
        Party.FAMILY,
        Party.COORDINATOR,
        _to_consent,
        lambda c, about: c.of_age == about and not _unconfirmed(c),
        settled_in="people",
    ),
)
