"""Registries are told by consent, form by form: owed in time, taken with a receipt, or sent back and owed anew."""

from __future__ import annotations

from datetime import timedelta

from fhir.resources.R4B.bundle import Bundle

from activities.registry_reports.report import registry_report
from domain.core.policy import Party
from domain.stages.follow_up.follow_up import EndFollowUp
from domain.stages.follow_up.registries import (
    RecordRegistryAnswer,
    RegistryAnswered,
    RegistryChosen,
    ReportToRegistry,
    form_lines,
)
from domain.stages.intake.people import WithdrawConsent
from domain.stages.treatment.recovery import day_0
from tests.domain.course import patient, start
from tests.domain.journey import DAY, Journey, when
from tests.domain.stages.follow_up.searched import agree, answer, ask_of_the_year, tell_cibmtr


def accepted(form: str, receipt: str = "R-1") -> RecordRegistryAnswer:
    return RecordRegistryAnswer("cibmtr", form, "accepted", receipt)


def owed(j: Journey) -> list[tuple[str, str]]:
    return [(o.about, o.state) for o in j.case.obligations.values() if o.kind == "registry_form"]


def test_without_consent_nothing_is_owed_to_a_registry() -> None:
    j = start("infused")
    assert j.all_owed("registry_choice") == []
    agree(j)
    assert j.owed("registry_choice").debtor == Party.COORDINATOR


def test_the_first_form_is_due_thirty_days_after_the_infusion_and_one_is_owed_at_a_time() -> None:
    j = agree(start("infused"))
    when(j, ReportToRegistry("cibmtr", "C-77")).then_told(RegistryChosen("cibmtr", "C-77"))
    day = day_0(j.case)
    assert day
    assert j.owed("registry_form").due - day == timedelta(days=30)
    assert owed(j) == [("cibmtr/4000", "open")]
    when(j, accepted("4000")).then_told(RegistryAnswered("cibmtr", "4000", "accepted", "R-1", ""))
    assert owed(j) == [("cibmtr/4000", "met"), ("cibmtr/4006", "open")]
    assert j.owed("registry_form").due - day == timedelta(days=45)


def test_what_a_registry_sends_back_is_still_owed_and_made_anew() -> None:
    j = tell_cibmtr(start("infused"))
    first = registry_report(j.case, j.facts, "cibmtr", "4000", j.now)
    j.tell(RecordRegistryAnswer("cibmtr", "4000", "rejected", faults="line 12: date before birth"))
    assert owed(j) == [("cibmtr/4000", "open")]
    assert (form_lines(j.case)[0].stands, form_lines(j.case)[0].rejected) == ("rejected", 1)
    again = registry_report(j.case, j.facts, "cibmtr", "4000", j.now)
    assert first["identifier"]["value"].endswith("/4000/1")
    assert again["identifier"]["value"].endswith("/4000/2")
    j.tell(accepted("4000"))
    assert form_lines(j.case)[0].stands == "accepted"


def test_a_consent_withdrawn_ends_what_is_owed_to_registries_and_follow_up_goes_on() -> None:
    j = tell_cibmtr(start("handed_over"))
    j.tell(WithdrawConsent("registry", patient(j)))
    assert [state for _, state in owed(j)][-1] == "withdrawn"
    assert j.owed("visit").state == "open"


def test_a_form_that_is_late_is_chased() -> None:
    j = tell_cibmtr(start("infused"))
    j.wait(until=j.owed("registry_form").due + DAY)
    assert owed(j) == [("cibmtr/4000", "missed")]
    assert "registry_form:cibmtr/4000" in [chase.about for chase in j.all_owed("chase")]


def test_nothing_is_owed_once_follow_up_is_over() -> None:
    j = tell_cibmtr(start("handed_over")).tell(EndFollowUp("withdrawn"))
    assert j.all_owed("registry_form") == []


def test_yearly_forms_follow_the_plan_of_follow_up() -> None:
    j = tell_cibmtr(start("handed_over"))
    names = [line.form for line in form_lines(j.case)]
    assert names[:5] == ["4000", "4006", "4100-D100", "4100-M6", "4100-Y1"]
    assert names[-1] == "4100-Y15"


def test_a_report_is_a_valid_bundle_of_what_is_known_without_a_name() -> None:
    j = ask_of_the_year(tell_cibmtr(start("handed_over")))
    j.tell(answer(j, serious_infection="yes"))
    made = registry_report(j.case, j.facts, "cibmtr", "4100-D100", j.now)
    Bundle.model_validate(made)
    kinds = [entry["resource"]["resourceType"] for entry in made["entry"]]
    assert kinds[0] == "Patient"
    assert {"Procedure", "Observation", "QuestionnaireResponse"} <= set(kinds)
    assert made["entry"][0]["resource"]["identifier"][0]["value"] == "C-1"
    assert "name" not in made["entry"][0]["resource"]
    assert len({entry["fullUrl"] for entry in made["entry"]}) == len(kinds)
    [told] = [e["resource"] for e in made["entry"] if e["resource"]["resourceType"] == "QuestionnaireResponse"]
    said = {item["linkId"]: item["answer"][0]["valueCoding"]["code"] for item in told["item"]}
    assert (said["serious_infection"], said["new_cancer"]) == ("Y", "N")


def test_the_same_facts_make_the_same_report() -> None:
    j = tell_cibmtr(start("handed_over"))
    assert registry_report(j.case, j.facts, "cibmtr", "4000", j.now) == registry_report(
        j.case, j.facts, "cibmtr", "4000", j.now
    )
