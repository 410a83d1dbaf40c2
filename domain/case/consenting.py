"""Says which consent comes before cells: to the trial, or to treatment outside one [people.consent-access]."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from domain.case.phases.consents import ASKS_FOR_THE_DOCTOR
from domain.case.state import Case
from domain.law.countries import RESEARCH

Form = Literal["trial", "treatment"]


def form_asked(case: Case) -> Form:
    """Return which consent the protocol calls for, to the trial or to the treatment, as the case knows it.

    Where nothing is said of how its product is come by, and where the law calls it research, that is the trial.
    """
    told = case.noted(case.protocol)
    research = told.get("access", "trial") == "trial" or told.get("route") in RESEARCH
    return "trial" if research else "treatment"


def consents_to_cells(case: Case) -> bool:
    """Return whether that consent stands.

    Outside a trial one to the trial is as good: it was asked for before. Not once that to the treatment was taken back.
    """
    said = case.consents.get("treatment:") if form_asked(case) == "treatment" else None
    return said.given if said else case.consented("trial")


def consent_gone(case: Case) -> bool:
    """Return whether what treatment rests on was withdrawn, in a case that stops what is under way for it."""
    stands = consents_to_cells(case) and all(case.consented(one) for one in ("data_processing", "risks"))
    return case.consent_rules >= ASKS_FOR_THE_DOCTOR and not stands


def unsigned(case: Case, form: Form) -> Iterable[str]:
    """Return what is owed while this form is the one, and it or the particular risks are not signed."""
    missing = not (consents_to_cells(case) and case.consented("risks"))
    return ["consents"] if form_asked(case) == form and missing else []
