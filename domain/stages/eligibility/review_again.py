"""Looks again at a change of disease or protocol, or where the trial stands still [eligibility.disease-moves-on]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.case.asking import service
from domain.case.phases.submissions import ASKED, Submission
from domain.case.stage import Stage
from domain.case.state import Case
from domain.case.table import Owes, Takes, Wants
from domain.core.about import About
from domain.core.errors import Reason, require
from domain.core.policy import Party
from domain.stages.eligibility.submissions import standing
from domain.stages.governing.standing_still import holds_on, stands_still, why_still

TAKES: tuple[Takes, ...] = ()
"""No command is told here: progression and holds are reported like any observation (observations.py)."""

PROGRESSED = "the patient's condition changed and the centre has not reviewed the case again"
ON_HOLD = "the trial is on hold"


def unreviewed(case: Case) -> bool:
    """Return whether something changed before the gate and no clinician of a centre has decided anew since."""
    begun = case.treatment is not None and not case.treatment.untouched
    missed = case.accepted.unseen if case.accepted else ""
    return bool(case.progressed or missed) and not begun


def require_nothing_changed(case: Case) -> None:
    """Refuse to begin where the disease moved on unseen, or the trial stands still."""
    require(not unreviewed(case), Reason.LAPSED, PROGRESSED)
    require_trial_runs(case)


def require_trial_runs(case: Case) -> None:
    """Refuse new cells while the trial, its protocol or its product is on hold."""
    require(not stands_still(case), Reason.LAPSED, f"{ON_HOLD}: {why}" if (why := why_still(case)) else ON_HOLD)


def _asked(case: Case) -> Sequence[Submission]:
    """The centres that have the case before them or treat it."""
    live = standing(case, *ASKED, "accepted") if case.stage is not Stage.CLOSED else []
    return [s for s in live if (case.progressed or s.unseen) and (s.round or s.state == "accepted")]


def _to_review(case: Case) -> Iterable[str]:
    return [f"{s.id}/{case.progressed or s.unseen}" for s in _asked(case)]


def _untold(case: Case) -> Iterable[str]:
    begun = case.treatment is not None and not case.treatment.untouched
    return [] if begun else _to_review(case)


def _reviewed(case: Case, about: str) -> bool:
    known = case.submissions.get(About.of(about).id)
    if known is None:
        return not case.progressed
    return not (case.progressed or known.unseen) or known.state == "declined"


def _waiting(case: Case) -> Iterable[str]:
    """Cells are still to come, and the trial may give none."""
    over = case.stage in (Stage.FOLLOW_UP, Stage.CLOSED) or (case.treatment is not None and case.treatment.complete)
    told = [case.trial_hold] if case.trial_hold else []
    return [] if over or case.exit else [*told, *(f"{stream}/{hold.number}" for stream, hold in holds_on(case))]


def version_of(case: Case, s: Submission) -> int:
    """Return the version of the protocol as the case noted it last, 0 = not noted."""
    return int(case.noted(s.protocol).get("number", 0))


def _amended(case: Case) -> Iterable[str]:
    """Acceptances given under an earlier version of the protocol, while cells are to come [eligibility.amended]."""
    if case.stage in (Stage.FOLLOW_UP, Stage.CLOSED) or (case.treatment is not None and not case.treatment.untouched):
        return []
    return [f"{s.id}/{version_of(case, s)}" for s in standing(case, "accepted") if 0 < s.version < version_of(case, s)]


def _confirmed(case: Case, about: str) -> bool:
    known, number = case.submissions.get(About.of(about).id), About.of(about).number
    return known is not None and (known.version >= number or known.state == "declined")


OWES = (
    Owes("amended_protocol", Party.HOSPITAL, Party.COORDINATOR, _amended, _confirmed, settled_in="eligibility"),
    Owes(
        "review_again",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _to_review,
        _reviewed,
        asked_by="tell_centre_of_progression",
        settled_in="eligibility",
    ),
    Owes(
        "trial_hold_review",
        Party.COORDINATOR,
        Party.FAMILY,
        _waiting,
        lambda c, about: about != c.trial_hold and about not in {f"{s}/{hold.number}" for s, hold in holds_on(c)},
        settled_in="observations",
    ),
)

WANTS = (
    Wants(
        "tell_centre_of_progression",
        Party.HOSPITAL,
        _untold,
        _reviewed,
        asks=service("The disease progressed; please review again"),
    ),
)
