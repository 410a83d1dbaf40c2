"""Our own code sets: `fhir.resources` takes any code, so these tables decide. docs/fhir.md explains them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.case.asking import STEPS, Asking
from domain.journey import TAKES, WANTS

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

ASKED: Mapping[str, Asking] = {**{row.kind: row.asks for row in WANTS if row.asks}, **STEPS}
"""Every kind of effect a hospital can be sent. Doses are held and freed on the lots' own streams, not by asking."""

INPUTS = frozenset(
    {
        "protocol", "dossier_version", "dossier_digest", "submission", "round", "treatment", "number",
        "patient_name", "birth_date", "sex", "country", "language", "passport_expires",
        "companion_name", "arrives", "infusion_day", "departs", "days", "lodging", "interpreter_language",
        "lot", "unit", "until", "valid_until", "ref", "reason", "what", "due", "text", "reply_url",
        "arrangement", "slot", "kind", "starts", "ends", "place", "distance_km", "payer", "language_from",
        "language_to", "mode", "setting", "hours_a_day", "flight", "contact", "phone", "emergency_number",
        "shipment", "seal",
    }
)  # fmt: skip
"""What a request may carry beside its documents; a name outside this list is refused before it is sent."""

ANSWER_STATUS = frozenset({"received", "accepted", "rejected", "in-progress", "on-hold", "completed", "failed"})

SAYS: Mapping[str, type[Any]] = {command.__name__: command for command, row in TAKES.items() if row.by_hospital}
"""The closed table of commands a hospital may give. Whether one is accepted now is the journey table's business."""
