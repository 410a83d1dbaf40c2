"""What is owed leads to the form that settles it, filled in with what it is about, and to none that must fail."""

from __future__ import annotations

from datetime import UTC, datetime

from api.console.forms.case_ids import IDS
from api.console.overview.called_for import MOST, CalledFor, called_for, first_called
from api.console.overview.case_status import waits
from api.console.session import Visitor
from api.console.text.fact_text import FactWriter
from api.console.text.texts import Texts
from api.console.text.times import ViewerClock
from domain.core.roles import Role
from domain.engine.possible import Probe
from domain.journey import COMMANDS
from domain.roles import Actor
from domain.stages.records.records import RequestRecord
from tests.domain.course import item, patient, start
from tests.domain.journey import Journey

NOW = datetime(2026, 5, 1, tzinfo=UTC)
EVERYTHING = {command.__name__ for command in COMMANDS}


def queries(j: Journey, may: set[str] = EVERYTHING) -> dict[str, list[tuple[str, str]]]:
    speaker = FactWriter(j.case, ViewerClock(j.now, UTC, Texts("en")), frozenset(("clinical", "identity")), {})
    viewer = Visitor(Actor("person-1", Role.COORDINATOR), "Mei", UTC, "UTC", Texts("en"), "", demo=False)
    known = {name: [one for one, _ in choices(speaker)] for name, choices in IDS.items()}
    owed = waits(j.case, j.now, speaker)
    settling = called_for(viewer, owed, may, Probe(j.case, j.now, j.policy, known, viewer.who.id))
    assert len(first_called(settling)) <= MOST
    return {one.kind: [(a.name, a.query) for a in settling[one.id]] for one in owed}


def test_a_document_that_is_awaited_is_received_without_choosing_it() -> None:
    j = start("asked_records")
    assert ("ReceiveRecord", f"item={item(j)}") in queries(j)["record"]


def test_each_of_two_documents_has_its_own_link() -> None:
    j = start("received")
    j.tell(RequestRecord("labs", "home_oncologist"))
    labs = list(j.case.records)[-1]
    found = queries(j)
    assert found["record_from_doctor"][0] == ("ReceiveRecord", f"item={labs}")
    assert found["record_check"][0][1] != found["record_from_doctor"][0][1]


def test_a_visa_is_granted_to_whom_it_was_asked_for() -> None:
    j = start("filed")
    assert queries(j)["visa_outcome"] == [(name, f"person={patient(j)}") for name in ("GrantVisa", "RefuseVisa")]


def test_nothing_is_offered_that_this_viewer_may_not_give() -> None:
    assert queries(start("filed"), may={"AddNote"})["visa_outcome"] == []


def test_those_on_top_are_of_different_obligations_first() -> None:
    def one(name: str, about: str) -> CalledFor:
        return CalledFor(name, name, about, "", NOW, "")

    settling = {"a": [one("Receive", "a"), one("Waive", "a")], "b": [one("Verify", "b")]}
    assert [act.name for act in first_called(settling)] == ["Receive", "Verify", "Waive"]
