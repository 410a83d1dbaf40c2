"""Says how simulated hospitals usually act: stories with weights for each effect. Days are days of the journey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class DaysAhead:
    """An instant so many days after the answer is given."""

    days: float


@dataclass(frozen=True, slots=True)
class FromRequest:
    """Stands for what the request's input of that name says, or else `otherwise`."""

    name: str
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class RequestSubject:
    """The id of what the request is about."""


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A number of the hospital's own, different for every effect."""

    prefix: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """Chance chooses."""

    choices: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Fits:
    """Says what fits the request's input of that name, or else `otherwise`; None leaves the field out."""

    name: str
    said: Mapping[str, Any]
    otherwise: Any = None


@dataclass(frozen=True, slots=True)
class FreeTimes:
    """Offers so many free hours, one a morning, from when the request wants it on; two days ahead at least."""

    count: int


@dataclass(frozen=True, slots=True)
class EachUnit:
    """Says of every unit of a recall what was done with it: what was infused was, the rest is kept apart."""


SUBMISSION = RequestSubject()


@dataclass(frozen=True, slots=True)
class Saying:
    """One thing a hospital says, some time between `earliest` and `latest` days after it got the request."""

    earliest: float
    latest: float
    says: str | Fits
    fields: Mapping[str, Any]


Story = tuple[Saying, ...]
Trouble = Literal["error", "error_kept", "hang", "hang_kept", "garbage_kept", "conflict_kept", "busy"]
"""What a request meets; `_kept` = the hospital has it all the same."""

TROUBLES: tuple[tuple[float, Trouble | None], ...] = (
    (91.0, None),
    (3.0, "error"),
    (1.5, "error_kept"),
    (0.5, "hang"),
    (0.5, "hang_kept"),
    (1.0, "garbage_kept"),
    (1.0, "conflict_kept"),
    (1.5, "busy"),
)
SLOW, SLOWER_BY = 0.05, 3.0
TWICE, AGAIN = 0.04, 0.02
"""How often an answer is slow, sent twice under one id, or said once more under another."""

CLINICIAN = OneOf(("Dr Li Wei", "Dr Zhang Min", "Dr Chen Jie"))
ELSEWHERE = OneOf(("another centre of the catalogue", "treatment at home with the present doctor"))
KINDS = OneOf((["infection_serology"], ["imaging"], ["labs", "cardiac_lung"], ["antigen"]))
GOT_IT = Saying(0.02, 1, "AcknowledgeSubmission", {"submission": SUBMISSION, "receipt": OwnNumber("R")})
ACCEPTS = Saying(
    3, 7, "AcceptPatient", {"submission": SUBMISSION, "clinician": CLINICIAN, "valid_until": DaysAhead(28)}
)
ASKS = Saying(2, 4, "AskForMore", {"submission": SUBMISSION, "kinds": KINDS})
REASONS = OneOf(("cohort_full", "criteria_not_met", "other"))
DECLINES = Saying(
    3,
    8,
    "DeclinePatient",
    {"submission": SUBMISSION, "clinician": CLINICIAN, "code": REASONS, "alternative": ELSEWHERE},
)
PRICE = {
    "submission": SUBMISSION,
    "currency": "USD",
    "hospital_charges": OneOf(({"low": 52_000}, {"low": 64_000}, {"low": 78_000})),
    "cell_product": OneOf(({"low": 38_000}, {"low": 45_000})),
    "lymphodepletion": {"low": 4_000},
    "monitoring": OneOf(({"low": 18_000}, {"low": 27_000})),
    "accommodation": {"low": 4_500},
    "interpreter": {"low": 2_500},
    "contingency": {"low": 6_000, "high": 12_000},
    "trial_pays": OneOf(([], ["lymphodepletion"], ["cell_product", "lymphodepletion"])),
}
LETTER = {"ref": OwnNumber("L"), "valid_until": DaysAhead(90)}
ADMITS = Saying(0.3, 1.2, "AdmitPatient", {"ref": OwnNumber("E")})
REGIMEN = "fludarabine 30 mg/m2 + cyclophosphamide 300 mg/m2"
CONDITIONING = tuple(
    Saying(at, at + 0.2, "RecordDepletion", {"regimen": REGIMEN, "day": day}) for at, day in ((0.5, -5), (1.5, -4))
)

DESTROYS = Saying(0.5, 5, "ConfirmDestruction", {"submission": SUBMISSION, "kept_by_law": OneOf((False, True))})


def _became(fate: object, earliest: float, latest: float) -> Saying:
    return Saying(earliest, latest, "ReportResource", {"resource": RequestSubject(), "fate": fate})


HANDS = Saying(
    0.1,
    0.9,
    "RecordHandover",
    {
        "shipment": RequestSubject(),
        "giver": Fits("what", {"cells_out": "hospital"}, "carrier"),
        "taker": Fits("what", {"cells_out": "carrier"}, "hospital"),
        "at": DaysAhead(-0.01),
        "label": FromRequest("unit", "not readable"),
        "seal": FromRequest("seal"),
        "took": "the cell laboratory",
    },
)
"""The hospital reads the label, and the seal that was expected."""
CHOSEN = "True"
"""How the input `slot` says that a time was chosen."""
CALL = "https://call.example.org/7"
AGREES = {
    "arrangement": RequestSubject(),
    "ref": OwnNumber("A"),
    "place": Fits("kind", {"lodging": "Family house, 3 Hospital Road"}),
    "distance_km": Fits("kind", {"lodging": 2}),
    "contact": Fits(
        "kind", {"transfer": "the driver of the family house", "local_contact": "Ms Wang, patient services"}
    ),
    "phone": Fits("kind", {"local_contact": "+86 21 5550 0100"}),
    "emergency_number": Fits("kind", {"local_contact": "+86 21 5550 0199"}),
}
CANNOT = {"arrangement": RequestSubject(), "code": OneOf(("none_free", "not_offered"))}
BOOKS = Saying(
    0.2,
    1.5,
    Fits("slot", {CHOSEN: "ConfirmArrangement"}, "OfferSlots"),
    {
        "arrangement": RequestSubject(),
        "slots": Fits("slot", {CHOSEN: None}, FreeTimes(3)),
        "ref": Fits("slot", {CHOSEN: OwnNumber("A")}),
        "place": Fits("slot", {CHOSEN: Fits("kind", {"tele_consultation": CALL}, "Building 2")}),
    },
)
"""Free times at first; the one that was chosen is booked."""

ACKNOWLEDGES: Story = (Saying(0.01, 0.2, "AcknowledgeRecall", {"said_by": CLINICIAN, "units": EachUnit()}),)
HABITS: Mapping[str, tuple[tuple[float, Story], ...]] = {
    "submit_dossier": (
        (70, (GOT_IT, ACCEPTS)),
        (3, (Saying(4, 5, GOT_IT.says, GOT_IT.fields), Saying(2, 3, ACCEPTS.says, ACCEPTS.fields))),  # decides first
        (12, (GOT_IT, ASKS)),
        (10, (GOT_IT, DECLINES)),
        (3, (GOT_IT,)),
        (2, ()),
    ),
    "request_quote": ((95, (Saying(1, 3, "GiveQuote", {**PRICE, "valid_until": DaysAhead(30)}),)), (5, ())),
    "hold_bed": (
        (90, (Saying(0.2, 2, "HoldBed", {"ref": OwnNumber("B"), "until": DaysAhead(7)}),)),
        (8, (Saying(0.2, 2, "RefuseBed", {"code": "full"}),)),
        (2, ()),
    ),
    "request_invitation_letter": (
        (92, (Saying(2, 5, "IssueLetter", LETTER),)),
        (5, (Saying(10, 15, "IssueLetter", LETTER),)),
        (3, ()),
    ),
    "confirm_open_door": (
        (95, (Saying(0.02, 0.3, "ConfirmTravel", {"ref": OwnNumber("T")}),)),
        (4, (Saying(0.02, 0.3, "StopTravel", {"code": "no_place_now"}),)),
        (1, ()),
    ),
    "announce_arrival": (
        (92, (ADMITS, Saying(3, 5, "ConfirmScreening", {"clinician": CLINICIAN}))),
        (
            5,
            (
                ADMITS,
                Saying(
                    3, 5, "FailScreening", {"clinician": CLINICIAN, "code": "organ_function", "alternative": ELSEWHERE}
                ),
            ),
        ),
        (3, (ADMITS,)),
    ),
    "arrange_service": (
        (90, (Saying(0.5, 3, "ConfirmArrangement", AGREES),)),
        (7, (Saying(0.5, 3, "RefuseArrangement", CANNOT),)),
        (3, ()),
    ),
    "book_appointment": ((95, (BOOKS,)), (3, (Saying(0.2, 1.5, "RefuseArrangement", CANNOT),)), (2, ())),
    "confirm_depletion_start": (
        (
            97,
            (
                *CONDITIONING,
                Saying(2.5, 2.6, "RecordDepletion", {"regimen": REGIMEN, "day": -3}),
                Saying(2.7, 2.9, "CompleteDepletion", {"window_days": 14}),
            ),
        ),
        (3, CONDITIONING),
    ),
    "confirm_thaw": (
        (
            100,
            (
                Saying(0.01, 0.02, "StartThaw", {"unit": FromRequest("unit", "U")}),
                Saying(0.03, 0.04, "RecordInfusion", {"unit": FromRequest("unit", "U")}),
            ),
        ),
    ),
    "tell_centre_of_progression": (
        (70, (Saying(1, 3, ACCEPTS.says, ACCEPTS.fields),)),
        (25, (Saying(1, 3, DECLINES.says, {**DECLINES.fields, "code": "progression"}),)),
        (5, ()),
    ),
    "tell_centre_of_document": ((100, ()),),
    "tell_centre_of_alert": (
        (95, (Saying(0.05, 0.6, "AnswerAlert", {"alert": RequestSubject(), "party": "hospital"}),)),
        (5, ()),
    ),
    "ask_acknowledgement": ((95, ACKNOWLEDGES), (5, ())),
    "ask_acknowledgement_drill": ((95, ACKNOWLEDGES), (5, ())),
    "remind_acknowledgement": ((80, ACKNOWLEDGES), (20, ())),
    "remind_acknowledgement_drill": ((80, ACKNOWLEDGES), (20, ())),
    "ask_for_handover": ((95, (HANDS,)), (5, ())),
    "refer_transplant": (
        (60, (Saying(40, 60, "RecordTransplant", {"donor": OneOf(("sibling", "unrelated"))}),)),
        (40, (Saying(5, 10, "DeclineTransplant", {"reason": "no donor found in time"}),)),
    ),
    "withdraw_submission": ((95, (DESTROYS,)), (5, ())),
    "recall_dossier": ((95, (DESTROYS,)), (5, ())),
    "return_material": (
        (85, (_became("sent_back", 1, 3), _became("returned", 5, 9))),
        (10, (_became("consumed", 1, 3),)),
        (5, ()),
    ),
    "cancel_manufacturing": ((95, (_became("cancelled", 0.2, 2),)), (5, ())),
    "carry_out_order": ((95, (_became(FromRequest("reason", "destroyed"), 2, 6),)), (5, ())),
    "withdraw_from_registry": ((90, (_became(OneOf(("withdrawn", "kept")), 1, 5),)), (10, ())),
    "refund_payment": ((90, (_became(OneOf(("refunded", "refunded", "kept")), 3, 8),)), (10, ())),
}
"""Kinds that are not listed are received and need no answer."""

REFUSES: Mapping[str, tuple[float, str]] = {
    "submit_dossier": (0.01, "business-rule"),
    "request_invitation_letter": (0.01, "business-rule"),
    "arrange_stay": (0.01, "not-supported"),
}
"""How often the request itself is turned away at the door, with which FHIR issue code."""
