"""Shows what summaries say of the patient on the page of a case: by section, with what is not known said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.console.text.fact_text import FactWriter
from domain.case.state import Case
from domain.core.personal import readable
from domain.stages.records.summary import Section, ToldStatement, sections

MOST = 40
"""Statements of one section that the page shows; the API has them all."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One statement: what it says, what else it says of it, and where it stands."""

    words: str
    details: str
    place: str


@dataclass(frozen=True, slots=True)
class SectionShown:
    """One section; `standing` is said where nothing is stated."""

    name: str
    standing: str
    said: str
    lines: Sequence[StatementLine]
    more: str


def summarised(case: Case, speaker: FactWriter) -> Sequence[SectionShown]:
    """Return every section of which something was said, and the mandatory ones; none where no summary was taken."""
    if "clinical" not in speaker.visible or not case.summaries:
        return ()
    return [_shown(one, speaker) for one in sections(case)]


def _shown(one: Section, speaker: FactWriter) -> SectionShown:
    t = speaker.clock.t
    told = [each for each in one.told if each.statement.said == "stated" or readable(each.statement.text)]
    return SectionShown(
        t.named("section", one.name),
        "" if one.said == "stated" else t.named("said", one.said),
        one.said,
        [_line(each, speaker) for each in told[:MOST]],
        t("summaries.more", n=len(told) - MOST) if len(told) > MOST else "",
    )


def _line(told: ToldStatement, speaker: FactWriter) -> StatementLine:
    one, t = told.statement, speaker.clock.t
    words = speaker.value(one.text) or speaker.value(one.code)
    disease = t("summaries.names", disease=t.named("disease", str(one.disease))) if readable(one.disease) else ""
    dates = " - ".join(filter(None, (speaker.value(one.began), speaker.value(one.ended))))
    said = "" if one.said == "stated" else t.named("said", one.said)
    details = (said, speaker.value(one.status), dates, speaker.value(one.detail), disease)
    place = (speaker.value(told.bundle), t("summaries.place", entry=one.entry))
    return StatementLine(words, ", ".join(filter(None, details)), ", ".join(filter(None, place)))
