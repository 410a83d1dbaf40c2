"""Lists the criteria of each protocol a case is asked under, as its page does: findings, grounds, what to obtain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from api.console.text.fact_text import FactWriter
from api.ports import Service
from api.routes.register.reviews import reviewed
from domain.case.phases.submissions import Submission
from domain.case.state import Case
from domain.criteria.analytes import ANALYTES, DERIVED
from domain.criteria.screening import Gap
from domain.stages.eligibility.criteria import Standing, counts, noted_criteria, standings
from domain.stages.records.observing import observed, reckoned

ORDER = ("not_met", "conflicting", "needs_review", "stale", "unknown", "met", "not_applicable")
"""What stands against it first, then what is open."""
OVER = ("declined", "withdrawn")


@dataclass(frozen=True, slots=True)
class SettlingStep:
    """Says what would settle a criterion; `form` is the command and what its form is filled with."""

    words: str
    command: str
    filled: str


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """One criterion: whether it must be so, how it stands, who said so, what that rests on, what would settle it."""

    id: str
    kind: str
    words: str
    stands: str
    result: str
    computed: str
    rests_on: Sequence[str]
    steps: Sequence[SettlingStep]


@dataclass(frozen=True, slots=True)
class Screened:
    """The criteria of one protocol. `summary` counts what is not met and what is open, and says no more.

    `stale` says since when the protocol is due for review, empty while it is not.
    """

    submission: str
    protocol: str
    source: str
    as_of: str
    summary: str
    lines: Sequence[CriterionLine]
    stale: str = ""


async def screened(service: Service, case: Case, now: datetime, speaker: FactWriter) -> Sequence[Screened]:
    """Return the criteria of every protocol that is asked; none for whoever may read nothing clinical."""
    if "clinical" not in speaker.visible:
        return []
    asked = [s for s in case.submissions.values() if s.state not in OVER and noted_criteria(case, s.protocol)]
    return [await _screened(service, case, one, now, speaker) for one in asked]


async def _screened(service: Service, case: Case, asked: Submission, now: datetime, speaker: FactWriter) -> Screened:
    entry = (await service.commands.entry(asked.protocol)).state
    described, age = entry.description, reviewed(entry.review, "protocol", service.commands.policy, now)
    found = standings(case, noted_criteria(case, asked.protocol), asked, now)
    ordered = sorted(found, key=lambda one: ORDER.index(one.stands))
    number, t = counts(found), speaker.clock.t
    summary = [t("criteria.not_met", n=number["not_met"]), t("criteria.open", n=number["open"])]
    return Screened(
        asked.id,
        speaker.label(asked.protocol),
        described.source,
        speaker.clock.day(entry.review.as_of),
        ", ".join(summary) if number["not_met"] else f"{t('criteria.nothing_against')}; {summary[1]}",
        [_line(case, asked, one, speaker) for one in ordered],
        t("criteria.stale", at=speaker.clock.day(date.fromisoformat(age["review_due"][:10]))) if age["stale"] else "",
    )


def _line(case: Case, asked: Submission, one: Standing, speaker: FactWriter) -> CriterionLine:
    t, finding = speaker.clock.t, one.finding
    return CriterionLine(
        one.criterion.id,
        t.named("criterion_kind", one.criterion.kind),
        t.english(one.criterion.words),
        one.stands,
        t.named("result", one.stands),
        t("criteria.computed", result=t.named("result", finding.result)) if one.read else "",
        [_ground(case, name, speaker) for name in finding.rests_on],
        [_step(asked, one, gap, speaker) for gap in finding.gaps] if one.open else (),
    )


def _ground(case: Case, name: str, speaker: FactWriter) -> str:
    t = speaker.clock.t
    if name == "birth":
        return f"{t.named('field', 'birth')}: {speaker.value(case.birth)}"
    if name not in case.samples:
        return _reckoned(case, name, speaker)
    sample = case.samples[name]
    one = sample.observed
    what = " ".join(part for part in (t.named("analyte", one.analyte), one.target) if part)
    value = " ".join(str(part) for part in (speaker.value(one.value), one.unit) if part)
    how = ", ".join(part for part in (one.method, speaker.clock.when(sample.taken)) if part)
    return t("criteria.ground", what=what, value=value, how=how)


def _reckoned(case: Case, name: str, speaker: FactWriter) -> str:
    """A value that was computed, said to be so, with its formula; or the therapies that were counted."""
    t, now = speaker.clock.t, speaker.clock.now
    one = next((c.observation for c in reckoned(case, observed(case, now), now) if c.observation.id == name), None)
    if one is None:
        return f"{t.named('analyte', 'prior_lines')}: {len({r.line for r in case.therapies.values() if r.line})}"
    value = f"{one.low}" if one.low == one.high else f"{one.low} - {one.high}"
    how = t("criteria.reckoned", formula=t.named("formula", one.method), when=speaker.clock.when(one.taken))
    what, unit = t.named("analyte", one.analyte), ANALYTES[one.analyte].unit
    return t("criteria.ground", what=what, value=f"{value} {unit}", how=how)


def _step(asked: Submission, one: Standing, gap: Gap, speaker: FactWriter) -> SettlingStep:
    t = speaker.clock.t
    words = t.named("lacks", gap.lacks)
    if not gap.analyte:
        return SettlingStep(
            words, "RecordCriterion", urlencode({"submission": asked.id, "criterion": one.criterion.id})
        )
    by = f"({', '.join(gap.methods)})" if gap.methods else ""
    what = " ".join(part for part in (t.named("analyte", gap.analyte), gap.target, by) if part)
    if gap.analyte in DERIVED:
        return SettlingStep(f"{what}: {words}", "DescribePatient" if gap.analyte == "age" else "RecordTherapy", "")
    filled = {"analyte": gap.analyte, "target": gap.target, "method": gap.methods[0] if len(gap.methods) == 1 else ""}
    return SettlingStep(f"{what}: {words}", "RecordObservation", urlencode({k: v for k, v in filled.items() if v}))
