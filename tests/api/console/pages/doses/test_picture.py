"""The picture of a genealogy: nothing overlaps or leaves it, every link is drawn, what has no room counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.console.pages.doses.genealogy import layers
from api.console.pages.doses.picture import ACROSS, BOX, HEIGHT, LONGEST, ROWS, WIDTH, Box, Picture, cut, picture
from domain.doses.kinds import KINDS, LOT

ROOM = ACROSS * ROWS


@st.composite
def answers(draw: st.DrawFn) -> Mapping[str, Any]:
    """An answer as a trace gives it: some of each kind, made of what may stand above."""
    ids = [f"{kind}-{n}" for kind in KINDS for n in range(draw(st.integers(0, 14 if kind == LOT else 3)))]
    kind = {one: one.rpartition("-")[0] for one in ids}
    may = [(child, parent) for child in ids for parent in ids if kind[parent] in KINDS[kind[child]].made_of]
    edges = draw(st.lists(st.sampled_from(may), unique=True, max_size=30)) if may else []
    of = draw(st.lists(st.sampled_from(ids), max_size=2, unique=True)) if ids else []
    lots = [one for one in ids if kind[one] == LOT]
    units = [{"lot": lot, "unit": f"u{n}"} for lot in lots for n in range(2)]
    return {
        "of": of,
        "materials": [{"id": one, "kind": kind[one], "code": f"C-{one}"} for one in ids if kind[one] != LOT],
        "lots": [{"id": one, "state": "released"} for one in lots],
        "made_of": [list(edge) for edge in edges],
        "made_into": [],
        "only_written": lots[:1] if of and lots[:1] != of[:1] else [],
        "units": units,
        "patients": [{"case": "case-1", "units": units[:3]}],
    }


def drawn(answer: Mapping[str, Any]) -> tuple[Picture, list[Box]]:
    made = picture(answer, layers(answer))
    assert made
    return made, [box for band in made.bands for box in band.boxes]


@given(answers())
def test_boxes_stay_inside_and_never_overlap(answer: Mapping[str, Any]) -> None:
    if not (answer["materials"] or answer["lots"]):
        assert picture(answer, layers(answer)) is None
        return
    made, boxes = drawn(answer)
    for one in boxes:
        assert 0 <= one.x <= WIDTH - BOX
        assert 0 <= one.y <= made.height - HEIGHT
    for n, one in enumerate(boxes):
        for other in boxes[n + 1 :]:
            assert abs(one.x - other.x) >= BOX or abs(one.y - other.y) >= HEIGHT


@given(answers())
def test_everything_is_drawn_or_counted_and_every_link_is_a_line(answer: Mapping[str, Any]) -> None:
    every = [*answer["materials"], *answer["lots"]]
    if not every:
        return
    made, boxes = drawn(answer)
    assert sum(box.more or 1 for box in boxes) == len(every)
    shown = {box.id: box for box in boxes if box.id}
    assert set(answer["of"]) <= shown.keys(), "what was asked for is never among those without room"
    lines = {(line.x1, line.y1, line.x2, line.y2) for line in made.lines if not line.written}
    for child, parent in answer["made_of"]:
        if child in shown and parent in shown:
            above, below = shown[parent], shown[child]
            assert (above.x + BOX // 2, above.y + HEIGHT, below.x + BOX // 2, below.y) in lines
            assert above.y + HEIGHT < below.y, "what something was made of stands above it"
    assert bool(lines) == bool(answer["made_of"])


def test_a_band_without_room_says_how_many_more_and_counts_are_those_of_the_lot() -> None:
    lots = [{"id": f"lot-{n:02}", "state": "recalled" if n == 1 else "released"} for n in range(ROOM + 3)]
    units = [{"lot": "lot-11", "unit": "a"}, {"lot": "lot-11", "unit": "b"}, {"lot": "lot-01", "unit": "c"}]
    empty: dict[str, Any] = {"materials": [], "made_of": [], "made_into": [], "only_written": []}
    answer = {**empty, "of": ["lot-11"], "lots": lots, "units": units, "patients": [{"case": "x", "units": units[:2]}]}
    _, boxes = drawn(answer)
    assert (len(boxes), boxes[-1].more) == (ROOM, 4)
    assert (boxes[0].id, boxes[0].here, boxes[0].units, boxes[0].patients) == ("lot-11", True, 2, 1)
    assert [(box.units, box.stopped) for box in boxes if box.id == "lot-01"] == [(1, True)]


@given(st.text(max_size=40))
def test_a_code_fits_its_box(code: str) -> None:
    assert len(cut(code)) <= LONGEST
    assert code.startswith(cut(code)[:5])
    assert code.endswith(cut(code)[6:])
