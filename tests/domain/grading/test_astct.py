"""Cytokine release and neurotoxicity as the published tables grade them [safety.crs, safety.icans]."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.grading import astct

CALM: dict[str, Any] = {"fever": False, "suppressed": False, "hypotension": "none", "oxygen": "none"}
WELL: dict[str, Any] = {"ice": 10, "awake": "by_itself", "seizure": "none", "motor": False, "oedema": "none"}
CRS_AXES: dict[str, list[Any]] = {
    "hypotension": list(astct.HYPOTENSION),
    "oxygen": list(astct.OXYGEN),
    "fever": [False, True],
}
ICANS_AXES: dict[str, list[Any]] = {
    "ice": list(range(astct.ICE_MAX, -1, -1)),
    "awake": list(astct.AWAKE),
    "seizure": list(astct.SEIZURE),
    "motor": [False, True],
    "oedema": list(astct.OEDEMA),
}


@pytest.mark.parametrize(
    ("seen", "grade"),
    [
        ({}, 0),
        ({"fever": True}, 1),
        ({"fever": True, "hypotension": "no_vasopressor"}, 2),
        ({"fever": True, "oxygen": "low_flow"}, 2),
        ({"fever": True, "hypotension": "one_vasopressor", "oxygen": "low_flow"}, 3),
        ({"suppressed": True, "oxygen": "high_flow"}, 3),
        ({"fever": True, "hypotension": "several_vasopressors"}, 4),
        ({"fever": True, "oxygen": "positive_pressure"}, 4),
        ({"oxygen": "low_flow"}, 0),
    ],
    ids=str,
)
def test_cytokine_release(seen: dict[str, Any], grade: int) -> None:
    assert astct.crs(**CALM | seen) == grade


@pytest.mark.parametrize(
    ("seen", "grade"),
    [
        ({}, 0),
        ({"ice": 9}, 1),
        ({"ice": 7}, 1),
        ({"ice": 6}, 2),
        ({"ice": 3}, 2),
        ({"ice": 2}, 3),
        ({"ice": 0}, 3),
        ({"ice": 3, "seizure": "resolved"}, 3),
        ({"ice": 8, "awake": "to_voice"}, 2),
        ({"ice": None, "awake": "hardly_or_not"}, 4),
        ({"ice": None}, 0),
        ({"motor": True}, 4),
        ({"oedema": "focal"}, 3),
        ({"oedema": "diffuse"}, 4),
        ({"seizure": "lasting"}, 4),
    ],
    ids=str,
)
def test_neurotoxicity(seen: dict[str, Any], grade: int) -> None:
    assert astct.icans(**WELL | seen) == grade


def _worse(axes: dict[str, list[Any]], data: st.DataObject) -> tuple[dict[str, Any], dict[str, Any]]:
    seen = {axis: data.draw(st.integers(0, len(steps) - 1), label=axis) for axis, steps in axes.items()}
    axis = data.draw(st.sampled_from(sorted(axes)), label="worse on")
    more = data.draw(st.integers(seen[axis], len(axes[axis]) - 1), label="by")
    return ({a: axes[a][n] for a, n in seen.items()}, {a: axes[a][n] for a, n in (seen | {axis: more}).items()})


@given(st.data(), st.booleans())
def test_worse_on_one_axis_never_lowers_cytokine_release(data: st.DataObject, suppressed: bool) -> None:
    before, after = _worse(CRS_AXES, data)
    assert astct.crs(**before, suppressed=suppressed) <= astct.crs(**after, suppressed=suppressed)


@given(st.data())
def test_worse_on_one_axis_never_lowers_neurotoxicity(data: st.DataObject) -> None:
    before, after = _worse(ICANS_AXES, data)
    assert astct.icans(**before) <= astct.icans(**after)
