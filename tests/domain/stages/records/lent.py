"""Slides or a block of one case, from the list on: asked for, at hand, on to a centre; scenes and random reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from domain.stages.follow_up.acquired import ReportResource
from domain.stages.follow_up.custody import ReportSpecimen, Told
from domain.stages.intake.people import WithdrawConsent
from domain.stages.records.checklist import DrawUpChecklist
from tests.domain.course import patient, submission
from tests.domain.journey import Journey

Step = Callable[[Journey], object]


def specimen(j: Journey) -> str:
    """The slides or block of the case."""
    return next(iter(j.case.specimens))


def ask(j: Journey) -> Journey:
    """The list is drawn up, with what is lent."""
    return j.tell(DrawUpChecklist())


def ask_family(j: Journey) -> Journey:
    """The same where the doctor at home is not written to."""
    return ask(j.tell(WithdrawConsent("share_with_home_doctor", patient(j))))


def at_hand(j: Journey) -> Journey:
    """They came in."""
    return j.tell(ReportSpecimen(specimen(j), "at_hand"))


def forward(j: Journey) -> Journey:
    """They are sent on to the centre that is asked."""
    return j.tell(ReportSpecimen(specimen(j), "forwarded", submission=submission(j), ref="P-1"))


def received(j: Journey) -> Journey:
    """The centre has them."""
    return j.tell(ReportResource(j.case.specimens[specimen(j)].resource, "received"))


SCENES_OF_SPECIMENS: Mapping[str, tuple[str, Step, Step]] = {
    "specimen": ("records", at_hand, ask_family),
    "specimen_from_doctor": ("records", at_hand, ask),
    "specimen_at_hand": ("submitted", forward, lambda j: at_hand(ask(j))),
    "specimen_receipt": ("submitted", received, lambda j: forward(ask(j))),
}
"""Kind → where, what meets it, what brings it about."""


def any_report(j: Journey, n: int, pick: Callable[..., Any]) -> ReportSpecimen:
    """A report of any kind about any specimen."""
    told: Told = pick(get_args(Told), n, "at_hand")
    to = pick([*j.case.submissions], n, "") if told == "forwarded" or n % 5 == 0 else ""
    return ReportSpecimen(pick([*j.case.specimens], n, "specimen-x"), told, "blocks" if n % 2 else "slides", to, "P")
