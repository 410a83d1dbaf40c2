"""Old shapes of events, lifted when they are read. What was stored never changes.

A class whose shape changes gets a higher `schema_version`, one row here from the version before, and a sample of the
new shape in tests/infra/ledger/encoding/samples. Readers ship before writers: a program that has the row reads both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Lifts the opened data of one (type, schema version) to the next version. Pure; sealed fields are opened by then."""

BEFORE_PRODUCTS: Mapping[str, Any] = {
    "access": "trial", "draft": False, "cell_source": "", "edits": [], "vector": "", "lymphodepletion": [],
    "locations": [], "registry_status": "",
}  # fmt: skip
NOT_ITEMISED: Mapping[str, Any] = {
    "hospital_charges": None, "cell_product": None, "lymphodepletion": None, "monitoring": None, "accommodation": None,
    "interpreter": None, "contingency": None, "trial_pays": [],
}  # fmt: skip
FOLLOWED_ALIKE: Mapping[str, Any] = {"vector_integrates": None, "follow_up_years": 0, "visit_days": []}
NO_NUMBER: Mapping[str, Any] = {
    "cells": "", "stands": "not_told", "least": "", "most": "", "weight": "", "despite": "",
}  # fmt: skip
NO_PLATELETS: Mapping[str, Any] = {
    "platelet_days_50": 0, "platelet_days_20": 0, "late_platelets": "", "platelets_unit": "10*9/L",
    "calculated_platelets": 0,
}  # fmt: skip
IN_WORDS_ONLY: Mapping[str, Any] = {
    "system": "", "assessor": "", "examination": "", "mrd": "", "mrd_method": "", "mrd_sensitivity": "",
    "deauville": None, "uptake": "",
}  # fmt: skip
UPCASTERS: Mapping[tuple[str, int], Upcaster] = {
    ("ObligationRedated", 1): lambda old: {**old, "policy": ""},  # no policy was applied before there was a way to
    # nobody was looked for, and the birth date was told later
    ("CaseOpened", 1): lambda old: {**old, "birth": "", "despite_duplicates": ""},
    **{(name, 1): lambda old: {**old, **NOT_ITEMISED} for name in ("EstimateIssued", "QuoteGiven")},  # one number
    ("CaseOpened", 2): lambda old: {**old, "consent_rules": 0},  # the doctor at home was written to without consent
    **{(name, 1): lambda old: {**old, "items": []} for name in ("ConsentGiven", "ConsentWithdrawn")},  # all risks
    ("CentreChosen", 1): lambda old: {**old, "against": [], "open": [], "rank": 0, "ranked": 0},  # nothing was held
    ("CentreStateNoted", 1): lambda old: {**old, "accepts_international": None, "capabilities": []},  # not noted
    ("ObservationRecorded", 1): lambda old: {**old, "source": None},  # where it stood in a bundle was not kept
    ("DiagnosisStated", 1): lambda old: {**old, "disease": ""},  # there were words only
    ("RecordRejected", 1): lambda old: {**old, "verified": ""},  # a rejection undid nothing
    ("TranslationCertified", 1): lambda old: {**old, "original": ""},  # it took the place of the original
    **{(name, 1): lambda old: {**old, "passed": []} for name in ("DoseHeld", "DoseRefused")},  # not kept
    ("LotStateNoted", 1): lambda old: {**old, "stopped": []},  # a unit was stopped with its lot or not at all
    ("LotStateNoted", 2): lambda old: {**old, "lot_number": "", "product_code": "", "gtin": ""},  # no label was stated
    ("UnitCleared", 1): lambda old: {**old, "of": []},  # whatever had stopped it was cleared
    ("RecallCentreReached", 1): lambda old: {**old, "units": []},  # patients were noted, not what they got
    ("RecallAcknowledged", 1): lambda old: {**old, "units": []},  # nobody asked what was done with each
    ("PatientAccepted", 1): lambda old: {**old, "despite": ""},  # what stood against an acceptance asked for no reason
    **{
        (name, 1): lambda old: {**old, "criteria": []}  # criteria stood nowhere
        for name in ("ProtocolRegistered", "ProtocolAmended", "ProtocolStateNoted")
    },
    **{
        (name, 2): lambda old: {**old, **BEFORE_PRODUCTS}  # of products nothing but name and class was known
        for name in ("ProtocolRegistered", "ProtocolAmended")
    },
    ("ProtocolStateNoted", 2): lambda old: {**old, "sites": []},  # a protocol stood the same everywhere
    ("FollowUpPlanned", 1): lambda old: {**old, "zone": ""},  # its years had 365.25 days
    ("SiteConfirmed", 1): lambda old: {**old, "places": None},  # nobody was asked for a number
    ("ProtocolStateNoted", 6): lambda old: {**old, "places": []},  # nobody waited for a place
    ("ProtocolStateNoted", 3): lambda old: {**old, "centre": "", "diseases": [], "shut": False},  # not noted
    **{
        (name, 3): lambda old: {**old, "route": "not_said", "research_items": []}  # under which law stood nowhere
        for name in ("ProtocolRegistered", "ProtocolAmended")
    },
    ("ProtocolStateNoted", 4): lambda old: {
        **old,
        "route": "not_said",
        "research_items": [],
        "reviewed": None,
        "filing": "",
    },
    **{
        (name, 4): lambda old: {**old, "concerns_offspring": False}  # nobody asked
        for name in ("ProtocolRegistered", "ProtocolAmended")
    },
    ("ProtocolStateNoted", 5): lambda old: {**old, "concerns_offspring": False, "number": 0},  # not noted
    ("ProtocolStateNoted", 7): lambda old: {**old, "lymphodepletion": []},  # not noted
    ("ProtocolStateNoted", 8): lambda old: {**old, **FOLLOWED_ALIKE},  # not noted
    **{
        (name, 5): lambda old: {**old, **FOLLOWED_ALIKE}  # everybody was followed for fifteen years
        for name in ("ProtocolRegistered", "ProtocolAmended")
    },
    ("ProtocolStateNoted", 9): lambda old: {**old, "access": "trial"},  # not noted: all were asked for the trial's form
    ("ProtocolStateNoted", 10): lambda old: {**old, "monitoring": []},  # not noted
    **{
        (name, 6): lambda old: {**old, "monitoring": []}  # nobody asked what is looked at after an infusion
        for name in ("ProtocolRegistered", "ProtocolAmended")
    },
    **{
        (name, version): lambda old: {**old, "redosing": None}  # nobody asked what is asked before another dose
        for name, version in (("ProtocolRegistered", 7), ("ProtocolAmended", 7), ("ProtocolStateNoted", 11))
    },
    **{
        (name, version): lambda old: {**old, "doses": []}  # nobody asked how many cells it writes
        for name, version in (("ProtocolRegistered", 8), ("ProtocolAmended", 8), ("ProtocolStateNoted", 14))
    },
    **{
        (name, 9): lambda old: {**old, "escalation": None}  # nobody asked for dose levels
        for name in ("ProtocolRegistered", "ProtocolAmended")
    },
    ("ProtocolStateNoted", 15): lambda old: {**old, "escalates": False, "seats": []},  # no cohorts were kept
    ("InfusionAuthorised", 1): lambda old: {**old, **NO_NUMBER},  # nobody asked for the number of cells
    ("ResponseAssessed", 1): lambda old: {**old, **IN_WORDS_ONLY},  # who, how and by which system nobody asked
    ("ProtocolStateNoted", 13): lambda old: {**old, "product": "", "holds": []},  # nobody was told of holds
    # of the product nothing but its lots was noted
    ("ProtocolStateNoted", 12): lambda old: {
        **old,
        "product_class": "not_said",
        "depletion_planned": None,
    },  # not noted
    ("InfectionReported", 1): lambda old: {**old, "treatment_route": "", "life_threatening": False, "calculated": None},
    ("CytopeniaGraded", 1): lambda old: {**old, **NO_PLATELETS},  # neutrophils were graded alone
    **{
        (name, 1): lambda old: {**old, "agreed": None}  # nobody was told of the appointment that falls out
        for name in ("ArrangementCancelled", "ArrangementRefused")
    },
    ("RedosingDecided", 1): lambda old: {**old, "despite": "", "unmet": []},  # nothing was asked
    ("InfusionCompleted", 1): lambda old: {**old, "monitored": False},  # no days were planned after it
    ("DepletionGiven", 1): lambda old: {**old, "reduced": ""},  # nobody asked whether it was as planned
    ("PatientAccepted", 2): lambda old: {**old, "protocol_version": 0},  # given under a version nobody named
    **{(name, 1): lambda old: {**old, "hospital_class": None} for name in ("CentreRegistered", "CentreAmended")},
    **{(name, 1): lambda old: {**old, "documents": "address"} for name in ("EndpointChanged", "EndpointProposed")},
    ("CentreStateNoted", 2): lambda old: {**old, "hospital_class": None},  # not noted
}
"""(type, from version) → what the next version makes of it."""
