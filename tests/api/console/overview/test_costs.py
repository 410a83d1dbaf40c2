"""The costs on a case's page: each line of the estimate beside the hospital's price."""

from __future__ import annotations

import pytest

from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.test_callbacks import Hospital, hospital, keys
from tests.api.test_costs import priced

__all__ = ["hospital", "keys"]
pytestmark = pytest.mark.slow


async def test_the_page_shows_what_differs_and_what_the_trial_bears(
    mei: Browser, supervisor: Person, hospital: Hospital
) -> None:
    case = await priced(supervisor, hospital)
    page = (await mei.get(f"/console/cases/{case}")).text
    for words in ("5,000 USD more", "borne by the trial", "depends on: trial or approved use", "What the family pays"):
        assert words in page
    form = (await mei.get(f"/console/cases/{case}/do/IssueEstimate")).text
    assert 'name="hospital_charges.low"' in form
