"""Sites: a protocol stands differently at each centre, each word for it a lease, and no other word counts there."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from domain.catalogue import site
from domain.catalogue.protocol import CloseProtocol, Protocol, ProtocolClosed, ProtocolOpenConfirmed
from domain.catalogue.site import (
    ConfirmSite,
    InvestigatorNamed,
    NameInvestigator,
    SiteConfirmed,
    SiteLease,
    SiteState,
)
from domain.catalogue.streams import read_model
from domain.core.errors import Reason
from domain.core.personal import ERASED
from tests.domain.catalogue.steps import NOW, given, refused, when
from tests.domain.catalogue.test_protocol import CONFIRMED, LEASE, REGISTERED, STREAM

CENTRE, OTHER = "centre-renji", "centre-other"
TODAY = NOW.date()
OPEN = SiteConfirmed(CENTRE, "open", TODAY, LEASE, "Dr Li")
FULL = SiteConfirmed(OTHER, "full", date(2026, 2, 1), LEASE, "trial office")
KNOWN = given(STREAM, REGISTERED)


def noted(*events: Any) -> Any:
    return read_model(STREAM, given(STREAM, REGISTERED, *events)).get("sites", ())


def test_each_centre_stands_as_somebody_there_said_and_since_when() -> None:
    assert when(STREAM, KNOWN, ConfirmSite(CENTRE, "open", LEASE, "Dr Li")) == [OPEN]
    since = date(2026, 2, 1)
    assert when(STREAM, KNOWN, ConfirmSite(OTHER, "full", LEASE, "trial office", since)) == [FULL]
    leases = (SiteLease(OTHER, "full", since, LEASE), SiteLease(CENTRE, "open", TODAY, LEASE))
    assert noted(OPEN, FULL) == leases, "by centre, whoever came first"
    assert "sites" not in read_model(STREAM, given(STREAM, REGISTERED, CONFIRMED)), "as rows of before there were any"


def test_the_newest_word_of_a_centre_counts_and_touches_no_other() -> None:
    again = replace(OPEN, state="paused", until=LEASE + timedelta(days=1))
    [other, own] = noted(OPEN, FULL, again)
    assert (other.state, own.state, own.until) == ("full", "paused", again.until)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"centre": "Renji"}, "centre"),
        ({"until": NOW}, "until"),
        ({"by": ""}, "by"),
        ({"by": ERASED}, "by"),
        ({"since": TODAY + timedelta(days=1)}, "since"),
    ],
)
def test_a_word_that_cannot_count_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    told = replace(ConfirmSite(CENTRE, "open", LEASE, "Dr Li"), **changes)
    assert refused(STREAM, KNOWN, told) == (Reason.INVALID, field)
    assert refused(STREAM, given(STREAM), ConfirmSite(CENTRE, "open", LEASE, "Dr Li")) == (Reason.NOT_FOUND, None)


def test_what_closes_everywhere_closes_each_site_and_none_is_open_again_by_itself() -> None:
    state = given(STREAM, REGISTERED, OPEN, FULL)
    [closed] = when(STREAM, state, CloseProtocol("on_hold"))
    assert {lease.state for lease in noted(OPEN, FULL, closed)} == {"closed"}
    shut = given(STREAM, REGISTERED, OPEN, closed)
    assert refused(STREAM, shut, ConfirmSite(CENTRE, "open", LEASE, "Dr Li")) == (Reason.NOT_NOW, "state")
    assert when(STREAM, shut, ConfirmSite(CENTRE, "paused", LEASE, "Dr Li")), "what is not open can still be said"
    reopened = given(STREAM, REGISTERED, OPEN, closed, CONFIRMED)
    [lease] = read_model(STREAM, reopened)["sites"]
    assert lease.state == "closed"
    assert when(STREAM, reopened, ConfirmSite(CENTRE, "open", LEASE, "Dr Li")) == [OPEN]


def test_who_answers_at_a_site_is_kept_beside_how_it_stands_and_is_no_word_for_it() -> None:
    named = NameInvestigator(CENTRE, "Dr Wu", "wu@hospital.example", 3)
    [event] = when(STREAM, KNOWN, named)
    assert event == InvestigatorNamed(CENTRE, "Dr Wu", "wu@hospital.example", 3)
    [kept] = cast("Protocol", given(STREAM, REGISTERED, OPEN, event)).sites
    assert (kept.investigator, kept.answers_within, kept.confirmed_by) == ("Dr Wu", 3, "Dr Li")
    assert kept.lease == SiteLease(CENTRE, "open", TODAY, LEASE)
    assert noted(event) == ()
    assert "Dr Wu" not in str(read_model(STREAM, given(STREAM, REGISTERED, OPEN, event)))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"mail": ""}, "mail"),
        ({"mail": "wu"}, "mail"),
        ({"answers_within": -1}, "answers_within"),
    ],
)
def test_an_investigator_has_a_name_and_an_address(changes: dict[str, Any], field: str) -> None:
    named = replace(NameInvestigator(CENTRE, "Dr Wu", "wu@hospital.example"), **changes)
    assert refused(STREAM, KNOWN, named) == (Reason.INVALID, field)


STATES: tuple[SiteState, ...] = ("open", "paused", "full", "closed")
TOLD = st.one_of(
    st.builds(
        SiteConfirmed,
        st.sampled_from((CENTRE, OTHER)),
        st.sampled_from(STATES),
        st.just(TODAY),
        st.sampled_from((LEASE, LEASE + timedelta(days=9))),
        st.just("Dr Li"),
    ),
    st.just(InvestigatorNamed(CENTRE, "Dr Wu", "wu@hospital.example", 3)),
    st.just(ProtocolClosed("on_hold", "")),
    st.just(ProtocolOpenConfirmed(LEASE, "Dr Li")),
)


@over(st.lists(TOLD, max_size=12))
def test_open_is_only_where_the_newest_word_said_so_after_the_newest_closing(told: list[Any]) -> None:
    leases = noted(*told)
    since = max((n for n, event in enumerate(told) if isinstance(event, ProtocolClosed)), default=-1)
    for centre in (CENTRE, OTHER):
        words = [event for event in told[since + 1 :] if isinstance(event, SiteConfirmed) and event.centre == centre]
        expected = words[-1].until if words and words[-1].state == "open" else None
        assert site.until_open(leases, centre) == expected
