"""Puts a case together from its phases: where it stands, what each phase knows, what is owed and was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.case.corrective import CorrectiveActions
from domain.case.messages.threads import Messages
from domain.case.phases.arrangements import Arrangements
from domain.case.phases.bedside import AtBedside
from domain.case.phases.bookkeeping import Bookkeeping
from domain.case.phases.consents import Consents
from domain.case.phases.dose_search import DoseSearch
from domain.case.phases.findings import Findings
from domain.case.phases.follow_up import FollowUp, Reported
from domain.case.phases.links import Links
from domain.case.phases.monitoring import Monitored
from domain.case.phases.records import Records
from domain.case.phases.redosing import Redosing
from domain.case.phases.submissions import Submissions
from domain.case.phases.travel import Travel
from domain.case.phases.treatment import InHospital
from domain.case.stage import Exit, Stage
from domain.case.supply.shipments import Shipments
from domain.core.about import About, chased
from domain.core.copying import replace
from domain.core.policy import Party, Policy

NEVER_HELD = frozenset(
    {"hold_review", "access_review", "erase_case", "tell_linked_case", "erase_linked_case"}
    | {
        "safety_alert",
        "safety_answer",
        "urgent_alert",
        "urgent_answer",
        "safety_report",
        "tell_centre_of_alert",
        "look_back",
        "vector_lot",
        "trace_vector_lot",
        "tell_cohort",
        "corrective_plan",
        "corrective_action",
        "corrective_check",
        "corrective_again",
        "incoming_message",
        "write_to_family",
        "write_to_doctor",
        "write_to_centre",
    }
)
"""What goes on while a case is on hold."""


@dataclass(frozen=True)
class MainLine:
    """Says where the case stands on its way, and how it left it."""

    id: str = ""
    version: int = 0
    people_version: int = 0  # facts by people and hospitals only; automatic ones do not make a page stale
    stage: Stage = Stage.INQUIRY
    stage_since: datetime | None = None
    on_hold: datetime | None = None
    hold_round: int = 0
    exit: Exit | None = None
    exit_fact: str = ""
    left_from: Stage = Stage.INQUIRY
    reopenings: int = 0


@dataclass(frozen=True)
class Case(
    Bookkeeping,
    Links,
    Messages,
    CorrectiveActions,
    FollowUp,
    Reported,
    Redosing,
    DoseSearch,
    Monitored,
    InHospital,
    AtBedside,
    Shipments,
    Arrangements,
    Travel,
    Submissions,
    Findings,
    Records,
    Consents,
    MainLine,
):
    """One patient's journey. Every field is folded from facts; nothing here reads a clock.

    The phases are its bases, the last first, so that `fields` lists them in the journey's order. Without slots: a fold
    copies it once or twice per event, see copying.py.
    """

    @property
    def open(self) -> bool:
        """Return whether anything of the case is still to be done: the main line or any track."""
        return self.stage != Stage.CLOSED or self.follow_up == "open" or self.unfinished

    @property
    def left(self) -> bool:
        """Return whether nothing more is asked about the patient's treatment: died, left, or followed no longer."""
        return bool(self.died or self.exit) or self.stage is Stage.CLOSED

    @property
    def forgotten(self) -> bool:
        """Return whether the person is erased, or an erasure is confirmed: a key that is in use then opens no more."""
        return self.erasure is not None and bool(self.erasure.going)

    def waits(self, kind: str, about: str = "") -> bool:
        """Return whether the hold keeps back this kind of obligation or effect; a chase counts as what it is about."""
        root = chased(about)[0] if kind.startswith("chase") else kind
        return self.on_hold is not None and root not in NEVER_HELD

    def root_of(self, about: str) -> str:
        """Return what an effect is about in the end: a reminder is about the thing that is owed."""
        first = About.of(about).id
        owed = self.obligations.get(first)
        return About.of(owed.about).id if owed else first

    def centre_of(self, about: str) -> str:
        """Return the centre an obligation or effect is about: where a submission went, else the treating centre."""
        submission = self.submission_of(about)
        if submission is not None:
            return submission.centre
        first = About.of(about).id
        written = self.messages.get(first)
        if written is not None and written.thread.startswith("centre-"):
            return written.thread
        arranged = self.arrangements.get(first)
        if arranged is not None and arranged.centre:
            return arranged.centre
        if first in self.shipments:
            return self.shipments[first].centre
        return first if first.startswith("centre-") else self.centre

    def country_of(self, party: Party, about: str, policy: Policy) -> str:
        """Return whose working days count for that party."""
        if party in (Party.HOSPITAL, Party.CONSULATE):
            return str(self.noted(self.centre_of(about)).get("country") or policy.home_country)
        family = party in (Party.FAMILY, Party.HOME_ONCOLOGIST)
        return self.country or policy.home_country if family else policy.home_country


def in_treatment(case: Case, number: int, **changes: object) -> Case:
    """Return the case with one treatment standing differently."""
    treatments = tuple(
        replace(t, **changes) if t.number == number else t  # type: ignore[arg-type]
        for t in case.treatments
    )
    return replace(case, treatments=treatments)
