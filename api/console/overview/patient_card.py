"""Says who the patient is, at a glance: age, sex, diagnosis, guardian, language, weight with its day, allergies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from api.console.text.fact_text import FactWriter
from domain.case.state import Case
from domain.core.personal import readable
from domain.criteria.observation import aged
from domain.stages.records.summary import sections

MONTHS, INFANT, MOST = 12, 24, 6
Line = tuple[str, str]


def patient_card(case: Case, now: datetime, speaker: FactWriter) -> Sequence[Line]:
    """Return what is known of the patient and may be seen, each with its name; what nobody told is left out."""
    clinical, named = "clinical" in speaker.visible, "identity" in speaker.visible
    lines = [
        *(_clinical(case, now, speaker) if clinical else ()),
        *(_guardian(case, speaker) if named else ()),
        *_language(case, speaker),
        *(_allergies(case, speaker) if clinical else ()),
    ]
    return [(name, text) for name, text in lines if text]


def _clinical(case: Case, now: datetime, speaker: FactWriter) -> Iterator[Line]:
    t = speaker.clock.t
    yield t("card.age"), _age(case, now, speaker)
    yield t("card.sex"), t.named("sex", case.sex) if readable(case.sex) else speaker.value(case.sex)
    yield t.named("field", "diagnosis"), speaker.value(case.diagnosis)
    yield t("card.weight"), _weight(case, speaker)


def _age(case: Case, now: datetime, speaker: FactWriter) -> str:
    """Years, or months of the youngest; by a year of birth alone both ages that there may be."""
    known = aged(str(case.birth), now) if readable(case.birth) else None
    if known is None or known.low is None or known.high is None:
        return speaker.value(case.birth)
    low, high, t = int(known.low), int(known.high), speaker.clock.t
    if high < INFANT:
        return t("card.months", age=str(high))
    years = sorted({low // MONTHS, high // MONTHS})
    return t("card.years", age=" - ".join(map(str, years)))


def _weight(case: Case, speaker: FactWriter) -> str:
    """The newest one whose day is known, with that day."""
    weighed = (one for one in case.samples.values() if one.observed.analyte == "weight")
    known = [(one.taken.earliest, n, one) for n, one in enumerate(weighed) if one.taken.earliest]
    if not known:
        return ""
    newest = max(known)[2]
    value = speaker.value(newest.observed.value)
    return f"{value} {newest.observed.unit}, {speaker.value(newest.taken)}".replace(" ,", ",")


def _guardian(case: Case, speaker: FactWriter) -> Iterator[Line]:
    t, patient = speaker.clock.t, case.patient
    found = [speaker.value(one.name) for one in case.people.values() if one.role == "legal_representative"]
    needed = patient is not None and patient.minor
    yield t("card.guardian"), ", ".join(found) or (t("card.no_guardian") if needed else "")


def _language(case: Case, speaker: FactWriter) -> Iterator[Line]:
    yield speaker.clock.t.named("field", "language"), case.patient.language if case.patient else case.language


def _allergies(case: Case, speaker: FactWriter) -> Iterator[Line]:
    """As summaries tell them; silence is no answer and says nothing."""
    t = speaker.clock.t
    for section in sections(case) if case.summaries else ():
        if section.name == "allergies" and section.said != "not_said":
            stated = [one.statement for one in section.told if one.statement.said == "stated"]
            words = [speaker.value(one.text) or speaker.value(one.code) for one in stated[:MOST]]
            more = [t("summaries.more", n=len(stated) - MOST)] if len(stated) > MOST else []
            yield t.named("section", "allergies"), ", ".join([*words, *more]) or t.named("said", section.said)
