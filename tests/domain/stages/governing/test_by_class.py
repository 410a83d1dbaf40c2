"""What the class of its product changes for a case [classes.differ]: steps left out, what may fail, what is watched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.case.phases.submissions import ResourceKind
from domain.case.stage import Stage
from domain.case.track import Track
from domain.case.undoing import Fate
from domain.catalogue.protocols.classes import CLASSES
from domain.core.copying import replace
from domain.core.errors import Reason
from domain.core.when import When
from domain.stages.eligibility.eligibility import DeclinePatient
from domain.stages.follow_up.acquired import OWN_CELLS, RecordResource, ReportResource, ResourceAcquired
from domain.stages.intake.people import WithdrawConsent
from domain.stages.schedule.monitoring_days import DEFAULT
from domain.stages.travel.doors import closed_doors
from domain.stages.treatment.bedside.authorising import AuthoriseInfusion
from domain.stages.treatment.bedside.scanning import RegisterWristband, ScanIdentity
from domain.stages.treatment.dose import AskDoseAgain, DoseAsked, HoldDose, RefuseDose
from domain.stages.treatment.infusion import (
    CheckIdentity,
    IdentityChecked,
    InfusionCompleted,
    RecordInfusion,
    StartThaw,
)
from tests.domain.course import LOT, PROTOCOL, STEPS, UNIT, patient, start, submission
from tests.domain.journey import DAY, Journey, when
from tests.domain.stages.governing.test_standing_still import HOLD

VIAL = "LV-7 vial 3"


def of_class(kind: str, **told: object) -> Callable[[Journey], object]:
    """The case's protocol gives a product of that class."""
    return lambda j: j.source(PROTOCOL, product_class=kind, **told)


def check(unit: str = VIAL, *, matches: bool = True) -> CheckIdentity:
    return CheckIdentity("nurse-1", "nurse-2", unit, patient_matches=matches, unit_matches=matches)


def led(kind: str, until: str, *without: str, **told: object) -> Journey:
    """The ordinary course with a product of that class, without some of its steps."""
    j = Journey()
    for name, step in STEPS.items():
        if name not in without:
            step(j)
        if name == "opened":
            of_class(kind, **told)(j)
        j.deliver()
        if name == until:
            break
    return j


def in_vivo(until: str, **told: object) -> Journey:
    return led("in_vivo", until, "dose_held", "checked", "thawed", "infused", **told)


def test_made_in_the_body_runs_from_acceptance_to_follow_up_with_no_unit_and_no_thaw() -> None:
    j = led("in_vivo", "authorised", "dose_held", "depleting", "infusion", depletion_planned=False)
    assert j.case.stage is Stage.INFUSION
    assert not j.case.units
    assert {"reserve_dose", "confirm_thaw", "confirm_depletion_start"}.isdisjoint(
        e.kind for e in j.case.effects.values()
    )
    assert {"depletion_report", "find_dose", "post_thaw"}.isdisjoint(o.kind for o in j.case.obligations.values())
    when(j, StartThaw(VIAL)).then_refused(
        Reason.NOT_NOW, "nothing of this product is thawed; record the infusion itself"
    )
    when(j, RecordInfusion(VIAL)).then_refused(Reason.NEVER_WAIVED, "two people have not checked identity")
    when(j, check("")).then_refused(Reason.INVALID, "name what is given, as its label says")
    assert when(j, check()).journey.decided == [IdentityChecked(1, "nurse-1", "nurse-2", VIAL)]
    when(j, RecordInfusion("LV-8 vial 1")).then_refused(Reason.NEVER_WAIVED, "not the unit")
    j.away(timedelta(minutes=15)).tell(RecordInfusion("lv-7 VIAL 3", "3e12 vg", When.at(j.now)))
    assert j.decided == [InfusionCompleted(1, 1, "", VIAL, "3e12 vg")]
    assert "mark_unit_used" not in {e.kind for e in j.case.effects.values()}
    for name in ("discharged", "assessed", "follow_up", "home", "handed_over"):
        STEPS[name](j)
        j.deliver()
    assert (j.case.stage, j.case.follow_up) == (Stage.FOLLOW_UP, "open")
    assert j.refold() == j.case


def test_a_second_dose_made_in_the_body_needs_no_unit_either() -> None:
    j = in_vivo("authorised", planned_infusions=2)
    for day in (0, 1):
        j.away(day * DAY).tell(AuthoriseInfusion("Dr Li")).tell(check()).tell(RecordInfusion(VIAL))
        j.deliver()
    assert (len(j.case.infusions), j.case.treatment and j.case.treatment.complete) == (2, True)
    assert "reserve_dose" not in {e.kind for e in j.case.effects.values()}


def test_a_unit_refused_before_the_class_was_known_holds_nobody_up() -> None:
    j = led("not_said", "priced")
    j.tell(RefuseDose("none_available"))
    assert len(j.all_owed("find_dose")) == 1
    of_class("in_vivo")(j)
    j.look()
    assert j.all_owed("find_dose") == []
    STEPS["visa"](j)
    assert j.case.stage is Stage.VISA


def test_the_lot_of_a_product_given_up_is_not_said_to_have_gone_in() -> None:
    j = led("not_said", "dose_held")
    j.tell(DeclinePatient(submission(j), "Dr Li", "other", "centre-b"))
    of_class("in_vivo")(j)
    for name in ("chosen", "submitted", "acknowledged", "accepted", "quoted", "priced"):
        STEPS[name](j)
        j.deliver()
    for name in list(STEPS)[list(STEPS).index("visa") : list(STEPS).index("checked")]:
        STEPS[name](j)
        j.deliver()
    j.tell(check()).tell(RecordInfusion(VIAL))
    assert [(i.lot, i.unit) for i in j.case.infusions] == [("", VIAL)]


def test_two_scans_of_what_is_given_in_the_body_are_compared_with_each_other() -> None:
    j = in_vivo("authorised").tell(RegisterWristband("MRN-1"))
    serial = "(01)09506000134352(21)LV7"
    when(j, ScanIdentity("n-1", "MRN-1", "(10)LV7", "n-2", "MRN-1", serial)).then_refused(
        Reason.INVALID, "the label names no single dose; compare it by eye (CheckIdentity)"
    )
    j.tell(ScanIdentity("n-1", "MRN-1", serial, "n-2", "MRN-1", "LV-8"))
    assert [e.type for e in j.decided] == ["IdentityScanned", "IdentityMismatched"]
    j.tell(AuthoriseInfusion("Dr Li")).tell(ScanIdentity("n-1", "MRN-1", serial, "n-2", "MRN-1", "lv7"))
    assert j.decided[1] == IdentityChecked(1, "n-1", "n-2", "LV7")
    assert j.tell(RecordInfusion("LV7")).case.stage is not Stage.LYMPHODEPLETION


def test_what_is_given_in_the_body_is_stopped_at_the_check_where_a_thaw_would_be() -> None:
    j = in_vivo("authorised")
    held = j.fork().source(PROTOCOL, holds=(HOLD,)).look()
    when(held, check()).then_refused(Reason.LAPSED, "the trial is on hold: FDA")
    assert held.tell(check(matches=False)).decided[0].type == "IdentityMismatched"
    j.tell(WithdrawConsent("risks", patient(j)))
    when(j, check()).then_refused(Reason.NEVER_WAIVED, "a consent is not given or was taken back")


def test_the_same_course_with_cells_of_a_lot_stops_where_the_unit_is_missing() -> None:
    j = Journey()
    for name, step in STEPS.items():
        if name != "dose_held":
            step(j)
        if name == "opened":
            of_class("allogeneic")(j)
        j.deliver()
        if name == "visa":
            break
    assert j.case.stage is Stage.ELIGIBILITY
    assert "reserve_dose" in {e.kind for e in j.case.effects.values()}


def test_a_mismatch_of_what_is_given_in_the_body_bars_it_too() -> None:
    j = in_vivo("authorised")
    j.tell(check()).tell(check(matches=False))
    when(j, RecordInfusion(VIAL)).then_refused(Reason.NEVER_WAIVED, "two people have not checked identity")


def test_what_was_not_told_before_is_a_deviation_there_as_well() -> None:
    j = in_vivo("authorised")
    j.tell(RecordInfusion(VIAL, deviation="told by telephone"))
    assert [e.type for e in j.decided] == ["InfusionDeviated", "InfusionCompleted"]


def test_a_unit_is_held_for_what_is_made_in_the_body_where_somebody_asks_and_then_thawed_as_ever() -> None:
    j = in_vivo("priced")
    assert "reserve_dose" not in {e.kind for e in j.agenda.effects}
    when(j, AskDoseAgain()).then_asks("reserve_dose")
    assert j.decided == [DoseAsked(2)]
    j.tell(HoldDose(LOT, UNIT, j.now + 60 * DAY))
    for name in list(STEPS)[list(STEPS).index("visa") : list(STEPS).index("infused") + 1]:
        STEPS[name](j)
        j.deliver()
    assert [(i.lot, i.unit) for i in j.case.infusions] == [(LOT, UNIT)]


def test_nobody_travels_to_a_missing_dose_unless_none_is_needed() -> None:
    for kind, shut in (("allogeneic", True), ("in_vivo", False)):
        j = start("granted")
        of_class(kind)(j)
        j.look()
        assert ("no dose is held" in closed_doors(replace(j.case, dose=Track()), j.now, j.policy)) == shut


@pytest.mark.parametrize("kind", OWN_CELLS)
def test_own_cells_are_made_into_an_autologous_product_only(kind: ResourceKind) -> None:
    j = start("accepted")
    of_class("allogeneic")(j)
    said = RecordResource(kind, submission(j), "S-1")
    when(j, said).then_refused(Reason.INVALID, "nothing is made of the patient's own cells")
    of_class("autologous")(j)
    assert [type(e) for e in when(j, said).journey.decided] == [ResourceAcquired]


def test_an_autologous_product_is_made_before_it_is_held_and_given() -> None:
    j = led("autologous", "priced")
    for kind in OWN_CELLS:
        j.tell(RecordResource(kind, submission(j), kind))
    slot, cells = list(j.case.resources)
    fates: tuple[Fate, ...] = ("received", "in_manufacture", "made")
    for fate in fates:
        j.away(DAY).tell(ReportResource(cells, fate))
    j.tell(ReportResource(slot, "used"))
    for name in list(STEPS)[list(STEPS).index("dose_held") :]:
        STEPS[name](j)
        j.deliver()
    assert j.case.stage is Stage.FOLLOW_UP
    assert [r.state for r in j.case.resources.values()] == ["used", "made"]


@pytest.mark.parametrize("kind", CLASSES)
def test_the_class_adds_to_the_days_after_an_infusion_where_the_protocol_names_none(kind: str) -> None:
    j = start("thawed")
    of_class(kind)(j)
    STEPS["infused"](j)
    [plan] = j.case.monitoring
    added = plan.checks[len(DEFAULT) :]
    assert plan.checks[: len(DEFAULT)] == DEFAULT
    assert [(one.what, one.days) for one in added] == list(CLASSES[kind].checks)
    assert bool(added) == (kind in ("allogeneic", "car_nk"))


def test_every_class_names_its_sources_and_what_it_leaves_out() -> None:
    assert {kind for kind, row in CLASSES.items() if row.sources} == {"autologous", "allogeneic", "car_nk", "in_vivo"}
    left = {kind: row.left_out for kind, row in CLASSES.items()}
    assert left == {
        "autologous": (),
        "allogeneic": ("collection", "manufacture"),
        "car_nk": ("collection", "manufacture"),
        "in_vivo": ("unit", "thaw", "collection", "manufacture"),
        "not_said": (),
    }
