"""What a case shows to whom: codes that trace cells to a patient are masked like the events they were told in."""

import json

import pytest

from api.http.masking import EVERYTHING, NOTHING, Sees, mask
from api.routes.reads import HIDDEN
from tests.domain.course import LOT, UNIT, start
from tests.domain.journey import DAY, Journey


def text(j: Journey, visible: Sees) -> str:
    state = mask(j.case, visible, without=HIDDEN)
    state.pop("sources", None)  # streams are named by opaque ids
    return json.dumps(state)


def recalled() -> Journey:
    return start("home").source(LOT, state="recalled", expires=start("home").now + DAY).look()


@pytest.mark.parametrize("at", ["dose_held", "thawed", "infused", "recalled"])
def test_lot_and_unit_are_masked_for_who_may_not_trace(at: str) -> None:
    j = recalled() if at == "recalled" else start(at)
    for code in (f'"{LOT}"', f'"{UNIT}"'):
        assert code not in text(j, NOTHING)
        assert code not in text(j, frozenset({"identity"}))
    masked = mask(j.case, NOTHING)
    assert masked["lot"] == {"masked": "trace"}
    assert all(pair == [{"masked": "trace"}] * 2 for pair in masked["units"].values())


def test_who_may_trace_reads_them() -> None:
    j = start("infused")
    assert f'"{UNIT}"' in text(j, frozenset({"trace"}))
    assert f'"{LOT}"' in text(j, EVERYTHING)
    [given] = mask(j.case, frozenset({"trace"}))["treatments"][0]["infusions"]
    assert (given["lot"], given["unit"]) == (LOT, UNIT)
    assert mask(j.case, NOTHING)["treatments"][0]["infusions"][0]["lot"] == {"masked": "trace"}


def test_the_plan_of_the_stay_is_masked_as_a_persons() -> None:
    plan = mask(start("planned").case, NOTHING)["stay_plan"]
    assert plan["arrives"] == {"masked": "identity"}
