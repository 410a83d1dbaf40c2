"""Says what the catalogue has against one protocol at one centre, as the case noted it [eligibility.excluded].

What nobody said, or what cannot be read any more, excludes nothing: it is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from domain.case.state import Case
from domain.criteria.checks import CHECKS, MatchCheck, Name, Offer
from domain.law.countries import wanted_class
from domain.stages.eligibility.matching import disease_of, patient_of

HARD: tuple[Name, ...] = ("protocol", "centre", "international", "paediatric", "diagnosis", "hospital_class")
"""What excludes a choice; the criteria are for a clinician to accept over, and what is preferred is only preferred."""


def checked(case: Case, centre: str, protocol: str, now: datetime) -> Sequence[MatchCheck]:
    """Return how what may exclude this choice stands at that instant; `about` says what a check rests on."""
    patient = patient_of(case, now)
    if disease_of(case).from_words:  # nobody stated it: words that read like another disease exclude nothing
        patient = replace(patient, disease="")
    offer = _noted(case, centre, protocol)
    found = [
        MatchCheck(name, *CHECKS[name](patient, offer)) for name in HARD if name != "protocol" and _told(offer, name)
    ]
    unsaid = [MatchCheck(name, "unknown") for name in HARD if name != "protocol" and not _told(offer, name)]
    return [_door(case, centre, protocol, now), *found, *unsaid]


def _noted(case: Case, centre: str, protocol: str) -> Offer:
    there, trial = case.noted(centre), case.noted(protocol)
    return Offer(
        protocol=protocol,
        centre=centre,
        product="not_said",
        targets=(),
        diseases=tuple(trial.get("diseases", ())),
        takes_patients=not there.get("paused"),
        accepts_from_abroad=there.get("accepts_international"),
        country=there.get("country", ""),
        capabilities=frozenset(there.get("capabilities", ())),
        wanted_class=wanted_class(trial.get("route", "")),
        hospital_class=there.get("hospital_class"),
    )


def _told(offer: Offer, name: Name) -> bool:
    """Return whether what the check asks of the catalogue was noted at all: earlier notes say less."""
    return bool({"paediatric": offer.capabilities, "diagnosis": offer.diseases}.get(name, True))


def _door(case: Case, centre: str, protocol: str, now: datetime) -> MatchCheck:
    """How the protocol stands there: as the centre said, else as was said for everywhere; a word that ended counts."""
    trial = case.noted(protocol)
    sites = {one.centre: one for one in trial.get("sites", ())}
    if not trial:
        return MatchCheck("protocol", "unknown")
    if trial.get("shut"):
        return MatchCheck("protocol", "no", ("closed",))
    if (sites and centre not in sites) or (not sites and trial.get("centre", "") not in ("", centre)):
        return MatchCheck("protocol", "no", ("not_run_there",))
    site = sites.get(centre)
    until = site.until if site else trial.get("open_until")
    if site and site.state != "open":
        return MatchCheck("protocol", "no", (site.state,))
    if not isinstance(until, datetime):
        return MatchCheck("protocol", "unknown")
    return MatchCheck("protocol", "yes") if now < until else MatchCheck("protocol", "no", ("lapsed",))
