"""Which protocol is offered at which centre: nobody is sent where nobody said that it runs [P7]."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from domain.catalogue.centre import Centre
from domain.catalogue.product import ApprovalRecorded
from domain.catalogue.protocol import ProtocolClosed
from domain.stages.eligibility.matching import offers
from tests.domain.catalogue.steps import NOW, given
from tests.domain.catalogue.test_protocol import CONFIRMED, REGISTERED, STREAM
from tests.domain.catalogue.test_site import CENTRE, FULL, OPEN, OTHER

CENTRES = {name: Centre(1, name, "X", "CN") for name in (CENTRE, OTHER)}


def doors(*events: Any, centre: str = "") -> dict[str, str]:
    state = given(STREAM, replace(REGISTERED, centre=centre), *events)
    return {one.centre: one.door for one in offers({STREAM: state}, CENTRES, NOW)}  # type: ignore[dict-item]


def test_where_nobody_says_that_it_runs_its_door_is_not_known() -> None:
    assert doors(CONFIRMED) == {CENTRE: "not_known", OTHER: "not_known"}
    assert doors(CONFIRMED, ProtocolClosed("completed", "")) == {CENTRE: "shut", OTHER: "shut"}


def test_at_its_only_centre_its_own_word_counts() -> None:
    assert doors(CONFIRMED, centre=CENTRE) == {CENTRE: "open"}
    assert doors(centre=CENTRE) == {CENTRE: "not_known"}


def test_with_sites_it_is_offered_there_and_nowhere_else() -> None:
    assert doors(CONFIRMED, OPEN) == {CENTRE: "open"}
    assert doors(OPEN, FULL) == {CENTRE: "open", OTHER: "shut"}


def test_what_is_come_by_as_approved_needs_an_approval_in_the_centres_country() -> None:
    """The newest word of that country's regulator counts for each indication; in a trial nobody asks for one."""
    approved = ApprovalRecorded("CN", "NMPA", "approved", date(2026, 1, 5), "r/r B-ALL", "label")
    gone = replace(approved, status="withdrawn", decided=date(2026, 2, 5))
    elsewhere = replace(approved, country="US", regulator="FDA")

    def said(*events: Any, access: Any = "approved_use") -> set[Any]:
        state = given(STREAM, replace(REGISTERED, access=access), *events)
        return {one.approvals for one in offers({STREAM: state}, CENTRES, NOW)}  # type: ignore[dict-item]

    assert said(approved, elsewhere) == {(("r/r B-ALL", True),)}
    assert said(approved, gone) == said(gone, approved) == {(("r/r B-ALL", False),)}
    assert said(elsewhere) == said() == {()}
    assert said(approved, access="trial") == {None}
