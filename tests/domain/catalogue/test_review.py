"""Reviews, amended centres and approvals: an entry says as of when it is, and by whom."""

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any, cast

import pytest

from domain.catalogue.centre import AmendCentre, Centre, CentreAmended, EndpointChanged
from domain.catalogue.product import ApprovalRecorded, Depletion, RecordApproval, in_force
from domain.catalogue.protocol import (
    AmendProtocol,
    ConfirmProtocolOpen,
    Protocol,
    ProtocolAmended,
    ProtocolRegistered,
    RegisterProtocol,
)
from domain.catalogue.review import EntryReviewed, Review, ReviewEntry
from domain.catalogue.site import ConfirmSite
from domain.catalogue.streams import read_model
from domain.core.errors import Reason
from infra.ledger.encoding.upcasting import UPCASTERS
from tests.domain.catalogue.steps import NOW, given, refused, when
from tests.domain.catalogue.test_centre import REGISTERED as RENJIS
from tests.domain.catalogue.test_centre import STREAM as RENJI
from tests.domain.catalogue.test_protocol import FIELDS, LEASE, REGISTERED, STREAM

TODAY = NOW.date()
CENTRE = replace(RENJIS, as_of=date(2026, 1, 15))
SEEN = ReviewEntry("registry page, version of today", TODAY)
STREAMS = ((STREAM, REGISTERED), (RENJI, CENTRE))


@pytest.mark.parametrize(("stream", "registered"), STREAMS)
def test_an_entry_is_held_against_its_source_again_and_falls_due_so_long_after_that_day(
    stream: str, registered: Any
) -> None:
    before: Any = given(stream, registered)
    assert before.review == Review(registered.source, registered.as_of, "somebody")
    assert when(stream, before, SEEN) == [EntryReviewed(SEEN.source, TODAY)]
    after: Any = given(stream, registered, EntryReviewed(SEEN.source, TODAY))
    assert after.review == Review(SEEN.source, TODAY, "somebody")
    assert after.review.due(timedelta(days=90)).date() == TODAY + timedelta(days=90)
    assert read_model(stream, after) == read_model(stream, before), "no case is woken by it"


@pytest.mark.parametrize(("stream", "registered"), STREAMS)
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source": ""}, "source"),
        ({"as_of": TODAY + timedelta(days=2)}, "as_of"),
        ({"as_of": date(2020, 1, 1)}, "as_of"),
    ],
)
def test_no_source_can_have_said_it_before_what_is_known_or_after_today(
    stream: str, registered: Any, changes: dict[str, Any], field: str
) -> None:
    assert refused(stream, given(stream, registered), replace(SEEN, **changes)) == (Reason.INVALID, field)
    assert refused(stream, given(stream), SEEN) == (Reason.NOT_FOUND, None)


def amended(**changes: Any) -> AmendCentre:
    names = {f.name for f in fields(AmendCentre)} - {"change", "type", "as_of"}
    said = {name: getattr(CENTRE, name) for name in names}
    return AmendCentre(**{**said, "as_of": TODAY, "change": "a transplant unit", **changes})


def test_a_centre_is_amended_and_reached_as_before() -> None:
    before = given(RENJI, CENTRE, EndpointChanged("", "desk@renji.example", ""))
    [event] = when(RENJI, before, amended(capabilities=("cell_therapy", "transplant"), city="Pudong"))
    assert isinstance(event, CentreAmended)
    after = cast("Centre", given(RENJI, CENTRE, EndpointChanged("", "desk@renji.example", ""), event))
    assert (after.capabilities, after.city, after.mail) == (
        ("cell_therapy", "transplant"),
        "Pudong",
        "desk@renji.example",
    )
    assert after.review == Review(CENTRE.source, TODAY, "somebody")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"country": "China"}, "country"),
        ({"zone": "Asia/Nowhere"}, "zone"),
        ({"capabilities": ("transplant",)}, "capabilities"),
        ({"change": ""}, "change"),
        ({"as_of": date(2020, 1, 1)}, "as_of"),
    ],
)
def test_an_amendment_of_a_centre_is_held_to_what_its_registration_is(changes: dict[str, Any], field: str) -> None:
    assert refused(RENJI, given(RENJI, CENTRE), amended(**changes)) == (Reason.INVALID, field)


def test_a_draft_is_opened_nowhere_before_a_person_structured_it() -> None:
    draft = given(STREAM, replace(REGISTERED, draft=True))
    for told in (ConfirmProtocolOpen(LEASE, "Dr Li"), ConfirmSite("centre-renji", "open", LEASE, "Dr Li")):
        assert refused(STREAM, draft, told) == (Reason.NOT_NOW, "type")
        structured = AmendProtocol(**FIELDS, label="structured", change="criteria as data")
        [event] = when(STREAM, draft, structured)
        assert when(STREAM, given(STREAM, replace(REGISTERED, draft=True), event), told)
    assert when(STREAM, draft, ConfirmSite("centre-renji", "full", LEASE, "Dr Li")), "what is not open can be said"


APPROVED = RecordApproval("US", "FDA", "approved", date(2026, 1, 5), "r/r B-ALL", "label")


def test_a_products_approvals_are_dated_rows_and_the_newest_of_each_indication_is_in_force() -> None:
    known = given(STREAM, REGISTERED)
    [event] = when(STREAM, known, APPROVED)
    assert event == ApprovalRecorded("US", "FDA", "approved", date(2026, 1, 5), "r/r B-ALL", "label")
    other = replace(event, country="CN", regulator="NMPA", status="conditional")
    gone = replace(event, status="withdrawn", decided=date(2026, 2, 5))
    state = cast("Protocol", given(STREAM, REGISTERED, gone, event, other))
    assert state.approvals == (gone, event, other)
    assert in_force(state.approvals) == [other]
    assert in_force((event, other)) == [other, event]
    assert refused(STREAM, state, APPROVED) == (Reason.ALREADY, "decided")


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"country": "USA"}, "country"), ({"decided": TODAY + timedelta(days=1)}, "decided"), ({"source": ""}, "source")],
)
def test_an_approval_has_a_country_a_day_and_a_source(changes: dict[str, Any], field: str) -> None:
    assert refused(STREAM, given(STREAM, REGISTERED), replace(APPROVED, **changes)) == (Reason.INVALID, field)


def test_what_a_protocol_gives_is_kept_and_older_shapes_say_nothing_of_it() -> None:
    make: dict[str, Any] = {
        "access": "hospital_programme", "cell_source": "healthy donor", "edits": ("TRAC", "CD52"),
        "vector": "lentiviral",
        "lymphodepletion": (Depletion(drug="fludarabine", dose="30", unit="mg/m2/d", days=(-5, -4, -3)),),
    }  # fmt: skip
    [event] = when(STREAM, given(STREAM), RegisterProtocol(**FIELDS, **make))
    state = cast("Protocol", given(STREAM, event))
    assert state.description
    assert {name: getattr(state.description, name) for name in make} == make
    for kind in (ProtocolRegistered, ProtocolAmended):
        lifted = UPCASTERS[kind.__name__, 2]({})
        names = {f.name for f in fields(kind)}
        assert set(lifted) <= names
        assert lifted["draft"] is False
