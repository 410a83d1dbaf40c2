"""A list of personal values is masked as one value is: its members were shown in full, whoever looked."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from api.console.text.fact_text import FactWriter
from api.console.text.texts import Texts
from api.console.text.times import ViewerClock
from api.http.masking import EVERYTHING, NOTHING, Sees
from domain.core.personal import ERASED
from domain.stages.treatment.look_back import LookedBack
from tests.domain.course import start

FOUND = LookedBack("a", ("lot-secret",), (), 0, 1, 0)


@pytest.mark.parametrize(
    ("found", "visible", "says"),
    [
        (FOUND, NOTHING, "[masked]"),
        (FOUND, EVERYTHING, "lot-secret"),
        (LookedBack("a", (ERASED,), (), 0, 1, 0), EVERYTHING, "[erased]"),
    ],
)
def test_each_member_of_a_list_is_told_only_to_who_may_see_it(found: LookedBack, visible: Sees, says: str) -> None:
    j = start("records")
    writer = FactWriter(j.case, ViewerClock(j.now, ZoneInfo("UTC"), Texts("en")), visible, {})
    assert says in dict(writer.values(found)).values()
    assert writer.said(found, "lots") == says
