"""Records leave a country once what its law asks is told: in China a consent naming who gets them and an assessment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.core.errors import Reason
from domain.law.countries import RULES, asked_for_export
from domain.stages.eligibility.exporting import ExportAssessed, RecordExportAssessment
from domain.stages.eligibility.submissions import DossierSubmitted, SubmitDossier
from tests.domain.course import CENTRE, start, submission
from tests.domain.journey import Journey, when
from tests.domain.refusals import No

ASSESSED = RecordExportAssessment(CENTRE, "PIA-7", date(2026, 1, 1))


def chosen(home: str, there: str) -> Journey:
    """Everything is told but the assessment; the patient lives in `home`, the centre lies in `there`."""
    j = start("chosen").source(CENTRE, country=there).look()
    j.case = replace(j.case, country=home)
    return j


def test_out_of_china_the_assessment_comes_first_and_names_the_recipient() -> None:
    j = chosen("CN", "SG")
    words = "the law of CN asks for an assessment before records leave; record it (RecordExportAssessment)"
    when(j, SubmitDossier(submission(j))).then_refused(Reason.MISSING, words)
    j.tell(replace(ASSESSED, centre="centre-b", assessed=j.now.date()))
    when(j, SubmitDossier(submission(j))).then_refused(Reason.MISSING, words)
    j.tell(replace(ASSESSED, assessed=j.now.date()))
    assert any(isinstance(e, DossierSubmitted) for e in j.tell(SubmitDossier(submission(j))).last)


@pytest.mark.parametrize(("home", "there"), [("CN", "CN"), ("IN", "CN")])
def test_inside_the_country_and_out_of_another_nothing_more_is_asked(home: str, there: str) -> None:
    j = chosen(home, there)
    assert any(isinstance(e, DossierSubmitted) for e in j.tell(SubmitDossier(submission(j))).last)


def test_the_rows_say_what_is_asked() -> None:
    assert asked_for_export("CN") == {"cross_border", "assessment"}
    assert asked_for_export("IN") == frozenset()
    assert {one.country for one in RULES if one.kind == "export"} == {"CN"}


REFUSALS = (
    No("eligibility", replace(ASSESSED, centre="Renji"), Reason.INVALID, "name a centre by its stream"),
    No(
        "eligibility", replace(ASSESSED, reference=" "), Reason.INVALID, "say under which number the assessment is kept"
    ),
    No("eligibility", replace(ASSESSED, reference="7" * 101), Reason.INVALID, "at most 100 characters"),
    No("eligibility", replace(ASSESSED, assessed=date(2099, 1, 1)), Reason.INVALID, "that lies in the future"),
    No("eligibility", ASSESSED, Reason.ALREADY, "this assessment is recorded", lambda j: j.tell(ASSESSED)),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_newer_assessment_takes_the_place_of_the_older() -> None:
    j = start("eligibility").tell(ASSESSED)
    assert [e for e in j.last if isinstance(e, ExportAssessed)]
    j.tell(replace(ASSESSED, reference="PIA-8"))
    assert j.case.exports == {CENTRE: "PIA-8"}
