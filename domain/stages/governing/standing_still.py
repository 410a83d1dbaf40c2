"""Tells whether a case stands still: its trial is reported on hold, or its protocol or product is [governance.hold]."""

from __future__ import annotations

from collections.abc import Iterator

from domain.case.state import Case
from domain.doses.product import stream_of
from domain.law.clinical_holds import ClinicalHold


def product_of(case: Case, protocol: str) -> str:
    """Return the stream of the product that a protocol gives, as the case noted it; empty where it is not noted."""
    code = case.noted(protocol).get("product", "")
    return stream_of(code) if code else ""


def holds_on(case: Case) -> Iterator[tuple[str, ClinicalHold]]:
    """Yield the clinical holds that stand on the case's protocol and its product, each with the stream it is of."""
    for stream in (case.protocol, product_of(case, case.protocol)):
        for hold in case.noted(stream).get("holds", ()):
            yield stream, hold


def stands_still(case: Case) -> bool:
    """Return whether no new cells are given now."""
    return bool(case.trial_hold) or next(holds_on(case), None) is not None


def why_still(case: Case) -> str:
    """Return who holds it, why, what has to come before it goes on, and who lifts it; empty where it runs."""
    return "; ".join(_said(hold) for _, hold in holds_on(case))


def _said(hold: ClinicalHold) -> str:
    left = ", ".join(hold.conditions[n - 1].words for n in hold.unfulfilled)
    first = f", after: {left}" if left else ""
    return f"{hold.authority} since {hold.decided}: {hold.reason}; the {hold.holder} lifts it{first}"
