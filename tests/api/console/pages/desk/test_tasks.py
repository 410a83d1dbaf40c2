"""The page of tasks: every debt, whose it is, and the way to where it is settled."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.api.conftest import Person
from tests.api.console.conftest import Browser

pytestmark = pytest.mark.slow


async def test_each_task_leads_to_where_its_case_says_what_settles_it(mei: Browser, coordinator: Person) -> None:
    case = (await coordinator.open(owner=mei.id, urgent=True))["case"]
    owed = (await coordinator.get(f"/cases/{case}/agenda")).json()["obligations"]
    everything = (await mei.get("/console/tasks?tab=all")).text
    page = (await mei.get(f"/console/cases/{case}")).text
    assert owed
    for one in owed:
        assert f'href="/console/cases/{case}#o-{one["id"]}"' in everything
        assert f'id="o-{one["id"]}"' in page


async def test_filters_wait_to_be_applied_and_unknown_words_are_left_out(mei: Browser, coordinator: Person) -> None:
    calm = (await coordinator.open(owner=mei.id))["case"]
    page = (await mei.get("/console/tasks?tab=mine")).text
    assert calm in page
    assert "data-auto" not in page, "a filter that reloads at each arrow key loses the place"
    assert calm not in (await mei.get("/console/tasks?tab=mine&urgent=1")).text
    assert calm in (await mei.get("/console/tasks?tab=mine&debtor=coordinator&kind=first_reply")).text
    assert calm not in (await mei.get("/console/tasks?tab=mine&debtor=hospital")).text
    assert (await mei.get("/console/tasks?tab=x&kind=y&debtor=z")).status_code == 200


async def test_who_owns_no_cases_sees_what_the_role_owes_and_no_names(
    browsers: Mapping[str, Browser], coordinator: Person
) -> None:
    await coordinator.open(patient_name="Xanthippe Rao")
    for role, named in (("auditor", False), ("operator", False), ("supervisor", True)):
        text = (await browsers[role].get("/console/tasks?tab=all")).text
        assert ("Xanthippe" in text) == named, role
        assert ("tab=mine" in text) == named, role
