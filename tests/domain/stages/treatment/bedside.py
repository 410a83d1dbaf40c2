"""Scenes at the bedside: which consent is owed there, by how the protocol's product is come by."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.stages.intake.people import GiveConsent, WithdrawConsent
from domain.stages.treatment.admission import RecordArrival
from tests.domain.course import PROTOCOL, patient
from tests.domain.journey import DAY, Journey

Step = Callable[[Journey], object]


def arrives_unsigned(j: Journey) -> Journey:
    """The patient comes, and no form that is signed before cells stands."""
    return j.tell(WithdrawConsent("trial", patient(j))).away(7 * DAY).tell(RecordArrival(j.now))


def outside_a_trial(j: Journey) -> Journey:
    """The protocol gives an approved product, and the patient comes as before."""
    return arrives_unsigned(j.source(PROTOCOL, access="approved_use"))


SCENES_OF_CONSENTS: Mapping[str, tuple[Step, Step]] = {
    "trial_consent": (arrives_unsigned, lambda j: j.tell(GiveConsent("trial", patient(j), "2", "hi"))),
    "treatment_consent": (outside_a_trial, lambda j: j.tell(GiveConsent("treatment", patient(j), "2", "hi"))),
}
"""Kind → what brings it about at admission, and what settles it."""
