"""Our own code sets: `fhir.resources` takes any code, so these tables decide. docs/fhir.md explains them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from domain.journey import COMMANDS

EFFECT = "urn:caravel:effect"
CASE = "urn:caravel:case"
ABOUT = "urn:caravel:about"
CENTRE = "urn:caravel:centre"
CALLBACK = "urn:caravel:callback"
DOCUMENT = "urn:caravel:document:sha-256"
KIND = "urn:caravel:effect-kind"
INPUT = "urn:caravel:input"
COMMAND = "urn:caravel:command"
FIELD = "urn:caravel:field"

Focus = Literal["ServiceRequest", "Appointment", "Communication"]


@dataclass(frozen=True, slots=True)
class Row:
    """Says how one kind of effect is put to a hospital: the focus of its Task, that focus's status, and plain words."""

    focus: Focus
    status: str
    words: str


ASKED: Mapping[str, Row] = {
    "submit_dossier": Row("ServiceRequest", "active", "Please review this dossier"),
    "request_quote": Row("ServiceRequest", "active", "Please name the price of the treatment"),
    "withdraw_submission": Row("Communication", "completed", "This request is withdrawn"),
    "hold_bed": Row("Appointment", "proposed", "Please hold a bed for this case"),
    "request_invitation_letter": Row("ServiceRequest", "active", "Please issue an invitation letter"),
    "confirm_open_door": Row("ServiceRequest", "active", "Please confirm that the patient may travel now"),
    "arrange_stay": Row("Appointment", "proposed", "Please arrange the stay"),
    "announce_arrival": Row("Communication", "completed", "The patient is in the country"),
    "confirm_depletion_start": Row("ServiceRequest", "active", "Please confirm the start and report each day"),
    "confirm_thaw": Row("ServiceRequest", "active", "Please confirm the thaw and report the infusion"),
    "refer_transplant": Row("ServiceRequest", "active", "Please decide on a transplant"),
    "tell_centre_of_exit": Row("Communication", "completed", "The journey has ended early"),
    "tell_centre_of_progression": Row("ServiceRequest", "active", "The disease progressed; please review again"),
    "tell_centre_of_alert": Row("Communication", "completed", "A safety notice concerns this patient"),
    "release_bed": Row("Appointment", "cancelled", "The held bed is free again"),
    "void_letter": Row("Communication", "completed", "The invitation letter is not used"),
    "recall_dossier": Row("Communication", "completed", "Please destroy your copies where law allows"),
    "cancel_manufacturing": Row("ServiceRequest", "active", "Please cancel the manufacturing slot"),
    "hold_cells": Row("ServiceRequest", "active", "Please hold the patient's cells until an order comes"),
    "carry_out_order": Row("ServiceRequest", "active", "Please carry out the order about the patient's cells"),
    "return_material": Row("ServiceRequest", "active", "Please send the slides or blocks back"),
    "withdraw_from_registry": Row("ServiceRequest", "active", "Please withdraw the patient from the registry"),
    "refund_payment": Row("ServiceRequest", "active", "Please pay back what the contract provides for"),
    "remind": Row("Communication", "completed", "An answer is still awaited"),
    "escalate": Row("Communication", "completed", "An answer is overdue"),
}
"""Every kind of effect a hospital can be sent. Doses are held and freed on the lots' own streams, not by asking."""

INPUTS = frozenset(
    {
        "protocol", "dossier_version", "dossier_digest", "submission", "round", "treatment", "number",
        "patient_name", "birth_date", "sex", "country", "language", "passport_expires",
        "companion_name", "arrives", "departs", "days", "lodging", "interpreter_language",
        "lot", "unit", "until", "valid_until", "ref", "reason", "what", "due", "text", "reply_url",
    }
)  # fmt: skip
"""What a request may carry beside its documents; a name outside this list is refused before it is sent."""

ANSWER_STATUS = frozenset({"received", "accepted", "rejected", "in-progress", "on-hold", "completed", "failed"})

_NAMES = (
    "AcknowledgeSubmission", "AskForMore", "AcceptPatient", "DeclinePatient", "GiveQuote",
    "HoldBed", "RefuseBed", "IssueLetter", "ConfirmTravel", "StopTravel",
    "AdmitPatient", "ConfirmScreening", "FailScreening",
    "SignGate", "RecordDepletion", "CompleteDepletion", "OmitDepletion", "StopDepletion",
    "AuthoriseInfusion", "CheckIdentity", "StartThaw", "DestroyUnit", "RecordInfusion", "PlanInfusions",
    "DischargePatient", "ReadmitPatient", "DecidePathway", "DeclareFitHome", "DecideRedosing", "GiveUpRedosing",
    "ReportToxicity", "ResolveToxicity", "ReportInfection", "ReportLaboratory", "ReportStay", "AssessResponse",
    "ReportProgression", "ReportOtherTreatment", "ReportOccurrence", "ReportTrialHold", "ReportTrialResumed",
    "ReportOffStudy", "ReportDeath", "RecordTransplant", "DeclineTransplant", "RecordVisit",
    "ReportMalignancy", "AnswerAlert",
    "RecordResource", "ReportResource", "ConfirmDestruction",
)  # fmt: skip
_COMMANDS = {command.__name__: command for command in COMMANDS}

SAYS: Mapping[str, type[Any]] = {name: _COMMANDS[name] for name in _NAMES}
"""The closed table of commands a hospital may give. Whether one is accepted now is the journey table's business."""
