"""The page of a stay: what is arranged, what must be there, and the plan, each with the form that goes on from it."""

from __future__ import annotations

import pytest

from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden
from tests.api.routes.test_callbacks import Hospital, hospital, keys
from tests.api.routes.travel.test_slip import planned

__all__ = ["hospital", "keys"]
pytestmark = pytest.mark.slow


async def test_the_page_shows_what_is_arranged_and_its_forms_go_on(
    mei: Browser, supervisor: Person, hospital: Hospital
) -> None:
    case, _ = await planned(supervisor, hospital)
    assert f"/console/cases/{case}/stay" in (await mei.get(f"/console/cases/{case}")).text
    form = (await mei.get(f"/console/cases/{case}/do/AskArrangement")).text
    sent = await mei.post(
        f"/console/cases/{case}/do/AskArrangement",
        kind="lodging",
        asked_of="agency",
        place="Garden Road",
        **hidden(form),
    )
    assert sent.status_code == 200, sent.text
    page = (await mei.get(f"/console/cases/{case}/stay")).text
    for words in ("Lodging", "Agency", "Garden Road", "asked", "Emergency number", "missing", "Infusion", "late"):
        assert words in page
    assert "do/ConfirmArrangement?arrangement=" in page
    assert "do/ChooseSlot" not in page, "no times were offered"
