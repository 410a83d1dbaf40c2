"""The compensation matrix beside the tracks [undoing.matrix]: acquired, undone by its own step, or its fate is told."""

from __future__ import annotations

import pytest

from domain.case.phases.submissions import ResourceKind
from domain.case.undoing import UNDOING, Fate, ended
from domain.core.errors import Reason
from domain.core.fact import ENGINE
from domain.stages.anytime.outcomes import RecordOutcome
from domain.stages.eligibility.eligibility import DeclinePatient
from domain.stages.eligibility.submissions import WithdrawSubmission
from domain.stages.follow_up.acquired import (
    ConfirmDestruction,
    OrderCells,
    RecordResource,
    ReportResource,
    ResourceAcquired,
    irreversible,
)
from domain.stages.follow_up.closing import UNDO, CannotBeUndone, LeaveJourney, ReopenCase
from domain.stages.intake.people import AddPerson, GiveConsent, WithdrawConsent
from domain.stages.treatment.observations import ReportDeath
from tests.domain.course import patient, start, submission
from tests.domain.journey import Journey, when
from tests.domain.refusals import No

RANK = {row[1]: row[0] for row in UNDO}
LEFT = LeaveJourney("declined")


def acquired(j: Journey, kind: ResourceKind) -> str:
    if kind == "registry_enrolment" and not j.case.consented("registry"):
        j.tell(GiveConsent("registry", patient(j), "1", "hi"))
    paid = kind == "payment"
    j.tell(RecordResource(kind, submission(j), "N-1", "", 5000 if paid else None, "USD" if paid else ""))
    return list(j.case.resources)[-1]


def first(j: Journey) -> str:
    return next(iter(j.case.resources))


def having(kind: ResourceKind) -> object:
    return lambda j: acquired(j, kind)


def unshared(j: Journey) -> None:
    j.tell(WithdrawConsent("share_with_hospital", patient(j), "centre-a"))


REFUSALS = (
    No("chosen", lambda j: RecordResource("slides", submission(j)), Reason.NOT_NOW, "the submission is chosen"),
    No(
        "submitted",
        lambda j: RecordResource("slides", submission(j)),
        Reason.MISSING,
        "consent to send to this centre is not given",
        unshared,
    ),
    No(
        "submitted",
        lambda j: RecordResource("payment", submission(j)),
        Reason.INVALID,
        "a payment, and nothing else, has an amount",
    ),
    No(
        "submitted",
        lambda j: RecordResource("payment", submission(j), amount=0, currency="USD"),
        Reason.INVALID,
        "a payment is more than nothing",
    ),
    No(
        "submitted",
        lambda j: RecordResource("registry_enrolment", submission(j)),
        Reason.MISSING,
        "consent to a registry is not given",
    ),
    No("submitted", ReportResource("x", "lost"), Reason.NOT_FOUND, "nothing of that name was acquired"),
    No(
        "submitted",
        lambda j: ReportResource(first(j), "refunded"),
        Reason.INVALID,
        "of this kind is told: received, sent_back, returned, consumed, lost",
        lambda j: acquired(j, "slides"),
    ),
    No(
        "submitted",
        lambda j: ReportResource(first(j), "received"),
        Reason.ALREADY,
        "that is what was told last",
        lambda j: j.tell(ReportResource(acquired(j, "slides"), "received")),
    ),
    No(
        "submitted",
        lambda j: ReportResource(first(j), "kept", amount=1),
        Reason.INVALID,
        "an amount is told of what was paid back",
        lambda j: acquired(j, "payment"),
    ),
    No(
        "submitted",
        lambda j: ReportResource(first(j), "refunded", amount=5001),
        Reason.INVALID,
        "more than nothing was paid back, and no more than was paid",
        lambda j: acquired(j, "payment"),
    ),
    No(
        "submitted",
        lambda j: OrderCells(first(j), "stored", patient(j)),
        Reason.INVALID,
        "only the patient's own cells are ordered about",
        lambda j: acquired(j, "slides"),
    ),
    No(
        "submitted",
        lambda j: OrderCells(first(j), "stored", patient(j)),
        Reason.NOT_NOW,
        "the cells are infused",
        lambda j: j.tell(ReportResource(acquired(j, "patient_cells"), "infused")),
    ),
    No(
        "submitted",
        lambda j: OrderCells(first(j), "stored", patient(j)),
        Reason.INVALID,
        "the dead do not sign",
        lambda j: (acquired(j, "patient_cells"), j.tell(ReportDeath())),
    ),
    No(
        "submitted",
        lambda j: ConfirmDestruction(submission(j)),
        Reason.ALREADY,
        "the destruction is confirmed",
        lambda j: j.tell(WithdrawSubmission(submission(j))).tell(ConfirmDestruction(submission(j))),
    ),
    No(
        "chosen",
        lambda j: ConfirmDestruction(submission(j)),
        Reason.NOT_NOW,
        "this centre was never sent anything",
        lambda j: j.tell(WithdrawSubmission(submission(j))),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def undone_in_order(j: Journey) -> list[str]:
    """Every step of leaving as it is delivered, a rank at a time."""
    seen: list[str] = []
    while waiting := [e.kind for e in j.agenda.effects if e.kind in RANK]:
        seen += waiting
        j.deliver(*waiting)
    return seen


@pytest.mark.parametrize("kind", UNDOING)
def test_each_kind_is_undone_by_its_own_step_in_its_rank_and_once(kind: ResourceKind) -> None:
    j = start("booking")
    acquired(j, kind)
    j.tell(LEFT)
    seen = undone_in_order(j)
    assert seen.count(UNDOING[kind].effect) == 1
    assert [RANK[step] for step in seen] == sorted(RANK[step] for step in seen)
    assert undone_in_order(j.look()) == [], "running twice equals once"


def test_everything_at_once_is_undone_in_the_order_of_the_matrix() -> None:
    j = start("admission")
    for kind in UNDOING:
        acquired(j, kind)
    j.tell(LEFT)
    seen = undone_in_order(j)
    assert {UNDOING[kind].effect for kind in UNDOING} <= set(seen)
    assert [RANK[step] for step in seen] == sorted(RANK[step] for step in seen)
    assert seen[-1] == "tell_family_of_exit"


@pytest.mark.parametrize(("kind", "fate"), [(kind, fate) for kind, row in UNDOING.items() for fate in row.ends])
def test_what_has_ended_is_not_undone_and_nothing_is_owed_for_it(kind: ResourceKind, fate: Fate) -> None:
    j = start("booking")
    j.tell(ReportResource(acquired(j, kind), fate)).tell(LEFT)
    assert ended(j.case.resources[first(j)])
    assert UNDOING[kind].effect not in undone_in_order(j)
    assert not [o for o in j.all_owed() if o.kind in ("resource_undone", "cells_order")]


@pytest.mark.parametrize(("kind", "fate"), [(kind, fate) for kind, row in UNDOING.items() for fate in row.final])
def test_what_cannot_be_undone_says_so(kind: ResourceKind, fate: Fate) -> None:
    j = start("booking")
    j.tell(ReportResource(acquired(j, kind), fate)).tell(LEFT)
    what, instead = UNDOING[kind].final[fate]
    assert CannotBeUndone(what, instead) in j.last
    assert list(irreversible(j.case)) == [(what, instead)]


def test_a_step_that_fails_goes_to_a_person() -> None:
    j = start("submitted")
    acquired(j, "slides")
    j.tell(LEFT)
    [asked] = j.asked("return_material")
    j.tell(RecordOutcome(asked.id, 1, "refused", code="lost_in_the_post"), ENGINE)
    assert j.owed("settle_effect").about.startswith(asked.id)
    assert j.owed("resource_undone").about.startswith(first(j)), "and it is still to come back"


@pytest.mark.parametrize("over", ["declined", "withdrawn"])
def test_material_comes_back_from_every_centre_that_is_no_longer_asked(over: str) -> None:
    j = start("acknowledged")
    acquired(j, "blocks")
    no = DeclinePatient(submission(j), "Dr Li", "cohort_full", "another centre")
    j.tell(no if over == "declined" else WithdrawSubmission(submission(j)))
    [asked] = j.asked("return_material")
    assert j.case.centre_of(asked.about) == "centre-a"
    assert j.case.exit is None


def test_material_stays_where_it_is_looked_at_and_the_payment_is_spent_on_who_was_treated() -> None:
    j = start("acknowledged")
    acquired(j, "slides")
    assert j.asked("return_material") == []
    treated = start("infused")
    acquired(treated, "payment")
    assert undone_in_order(treated.tell(LEFT)).count("refund_payment") == 0


def test_cells_wait_for_a_signed_order_and_then_for_what_became_of_them() -> None:
    j = start("dose_held")
    cells = acquired(j, "patient_cells")
    j.tell(LEFT)
    assert [o.kind for o in j.all_owed() if o.about.startswith(cells)] == ["cells_order"]
    j.tell(OrderCells(cells, "stored", patient(j)))
    assert [o.kind for o in j.all_owed() if o.about.startswith(cells)] == ["resource_undone"]
    assert [e.about for e in j.asked("carry_out_order")] == [f"{cells}/1"]
    j.tell(ReportResource(cells, "stored"))
    assert [o.kind for o in j.all_owed() if o.about.startswith(cells)] == []


def test_cells_that_are_made_anew_need_another_order_when_they_are_there() -> None:
    j = start("dose_held")
    cells = acquired(j, "patient_cells")
    j.tell(LEFT).tell(OrderCells(cells, "remade", patient(j))).tell(ReportResource(cells, "remade"))
    assert j.owed("cells_order").about == f"{cells}/1"
    j.tell(OrderCells(cells, "destroyed", patient(j)))
    assert [e.about for e in j.asked("carry_out_order") if e.state != "withdrawn"][-1] == f"{cells}/2"


def test_after_a_death_the_legal_representative_signs() -> None:
    j = start("dose_held")
    j.tell(AddPerson("legal_representative", "Bina", "Asia/Kolkata", "hi"))
    cells = acquired(j, "patient_cells")
    j.tell(ReportDeath())
    representative = next(p.id for p in j.case.people.values() if p.role == "legal_representative")
    j.tell(OrderCells(cells, "destroyed", representative))
    assert j.asked("carry_out_order")


def test_a_failed_manufacture_is_owed_another_way() -> None:
    j = start("accepted")
    when(j, ReportResource(acquired(j, "manufacturing_slot"), "failed")).then_opens("manufacturing_failed")
    held = start("dose_held")
    held.tell(ReportResource(acquired(held, "manufacturing_slot"), "failed"))
    assert held.all_owed("manufacturing_failed") == [], "a unit of a lot is held: that is another way"


def test_a_registry_is_left_when_its_consent_ends_and_kept_after_cells() -> None:
    j = start("infused")
    acquired(j, "registry_enrolment")
    j.tell(LEFT)
    undone_in_order(j)
    assert j.asked("withdraw_from_registry") == []
    j.tell(WithdrawConsent("registry", patient(j)))
    assert j.asked("withdraw_from_registry")


def test_every_centre_that_was_sent_the_dossier_confirms_that_its_copies_are_gone() -> None:
    j = start("submitted").tell(LEFT)
    undone_in_order(j)
    assert j.case.open
    j.tell(ConfirmDestruction(submission(j), kept_by_law=True))
    assert j.all_owed() == []
    assert not j.case.open


def test_left_again_after_it_was_reopened_what_was_not_given_back_is_owed_anew() -> None:
    j = start("submitted")
    slides = acquired(j, "slides")
    j.tell(LEFT)
    undone_in_order(j)
    j.tell(ReopenCase("they came back"))
    assert j.all_owed("resource_undone") == []
    j.tell(LEFT)
    assert j.owed("resource_undone").about == f"{slides}/0"


def test_it_happened_when_it_happened() -> None:
    j = start("submitted")
    acquired(j, "slides")
    assert [type(e) for e in j.decided] == [ResourceAcquired]
    assert j.refold() == j.case
