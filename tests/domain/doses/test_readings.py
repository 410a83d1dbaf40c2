"""Temperatures of a store: what is an excursion, however the readings are cut into files, and what cannot be read."""

from __future__ import annotations

import json
from array import array
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.doses import readings
from domain.doses.readings import Excursion, StoreRule, UnreadableError, excursion_of, parse, summarise
from infra.ledger.encoding.rows import source_text

START = datetime(2026, 3, 1, tzinfo=UTC)
RULE = StoreRule(-150.0, 300, 600)
"""Above -150 °C for more than five minutes, or ten minutes without a reading."""


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def made(*told: tuple[float, float]) -> readings.Readings:
    return array("d", [at(minute).timestamp() for minute, _ in told]), array("d", [value for _, value in told])


def every_minute(*values: float) -> readings.Readings:
    return made(*enumerate(values))


def test_a_short_rise_is_tolerated_and_a_long_one_is_not() -> None:
    cold, warm = -180.0, -140.0
    assert summarise(every_minute(cold, *[warm] * 5, cold), RULE).excursions == ()
    found = summarise(every_minute(cold, *[warm] * 3, -120.0, *[warm] * 2, cold), RULE)
    assert found.excursions == (Excursion(kind="warm", began=at(1), ended=at(7), warmest=-120.0),)
    assert (found.count, found.coldest, found.warmest, found.first, found.tail.last) == (8, cold, -120.0, START, at(7))
    assert summarise(every_minute(*[-150.0] * 20), RULE).excursions == (), "the limit itself is within"


def test_a_gap_is_an_excursion_of_which_nobody_knows_how_warm() -> None:
    assert summarise(made((0, -180.0), (10, -180.0)), RULE).excursions == ()
    [gap] = summarise(made((0, -180.0), (10.1, -180.0)), RULE).excursions
    assert (gap.kind, gap.began, gap.ended, gap.warmest) == ("gap", START, at(10.1), None)


def test_what_began_in_the_file_before_goes_on_in_the_next() -> None:
    first = summarise(every_minute(-180.0, -140.0, -130.0, -140.0), RULE)
    assert first.excursions == ()
    second = summarise(made((4, -140.0), (5, -140.0), (6, -140.0), (7, -140.0)), RULE, first.tail)
    assert second.excursions == (Excursion(kind="warm", began=at(1), ended=at(7), warmest=-130.0),)
    third = summarise(made((8, -140.0), (9, -180.0)), RULE, second.tail)
    assert [one.ended for one in third.excursions] == [at(9)]
    assert third.excursions[0].id != second.excursions[0].id, "one that went on is another"
    [gap] = summarise(made((40, -180.0)), RULE, third.tail).excursions
    assert (gap.kind, gap.began, gap.ended) == ("gap", at(9), at(40))


def plain(told: readings.Readings, rule: StoreRule) -> list[tuple[str, datetime, datetime, float | None]]:
    """As one would write it down, reading by reading."""
    found: list[tuple[str, datetime, datetime, float | None]] = []
    run: list[tuple[datetime, float]] = []
    before = None
    for seconds, value in zip(*told, strict=True):
        now = datetime.fromtimestamp(seconds, UTC)
        if before is not None and (now - before).total_seconds() > rule.gap:
            found.append(("gap", before, now, None))
        if value > rule.warmest:
            run.append((now, value))
        if run and (value <= rule.warmest or seconds == told[0][-1]):
            if (now - run[0][0]).total_seconds() > rule.tolerated:
                found.append(("warm", run[0][0], now, max(warm for _, warm in run)))
            run = []
        before = now
    return sorted(found, key=lambda one: (one[0], one[1]))


told = st.lists(
    st.tuples(st.sampled_from([1, 1, 1, 2, 6, 11, 30]), st.sampled_from([-190.0, -151.0, -150.0, -149.0, -90.0])),
    min_size=1,
    max_size=60,
)


@given(told, st.integers(1, 60))
def test_it_finds_what_one_would_write_down_however_files_are_cut(steps: Any, cut: int) -> None:
    minute, rows = 0, []
    for step, value in steps:
        minute += step
        rows.append((float(minute), value))
    whole = made(*rows)
    found = summarise(whole, RULE)
    assert sorted((one.kind, one.began, one.ended, one.warmest) for one in found.excursions) == plain(whole, RULE)
    if cut < len(rows):
        first = summarise(made(*rows[:cut]), RULE)
        rest = summarise(made(*rows[cut:]), RULE, first.tail)
        parts = {one.id for one in (*first.excursions, *rest.excursions)}
        assert {one.id for one in found.excursions} <= parts
        assert rest.tail == found.tail


def test_a_file_is_read_with_or_without_a_first_line() -> None:
    body = "2026-03-01T00:00:00Z,-181.5\n2026-03-01T08:01:00+08:00,-180\n"
    expected = made((0, -181.5), (1, -180.0))
    assert parse(body) == parse(f"\ufefftime,celsius\r\n{body}\n\n") == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("time,celsius\n", 1),
        ("2026-03-01T00:00:00Z,-180\n2026-03-01T00:01:00Z\n", 2),
        ("2026-03-01T00:00:00Z,-180\n2026-03-01T00:01:00Z,cold\n", 2),
        ("2026-03-01T00:00:00,-180\n", 1),
        ("2026-03-01T00:00:00Z,nan\n", 1),
        ("2026-03-01T00:00:00Z,-280\n", 1),
        ("time,celsius\n2026-03-01T00:01:00Z,-180\n2026-03-01T00:00:00Z,-180\n", 3),
        ("2026-03-01T00:00:00Z,-180,x\n", 1),
        ("2026-03-01T00:00:00Z -180\n", 1),
    ],
)
def test_a_fault_is_named_by_its_line(text: str, line: int) -> None:
    with pytest.raises(UnreadableError) as caught:
        parse(text)
    assert [number for number, _ in caught.value.faults] == [line]


@given(st.text("0123456789-:TZ,.+ \nenaif\u00e9", max_size=120))
@example("2026-03-01T00:00:00Z,-180\n,\n")
def test_whatever_the_file_it_is_read_or_refused_with_a_line(text: str) -> None:
    try:
        times, values = parse(text)
    except UnreadableError as no:
        told = len(no.faults)
        assert told
    else:
        assert len(times) == len(values) > 0
        assert list(times) == sorted(set(times))


def test_an_excursion_comes_back_from_json() -> None:
    one = Excursion(kind="warm", began=at(1), ended=at(7), warmest=-120.0)
    assert excursion_of(json.loads(source_text({"e": one}))["e"]) == one


def test_a_file_may_name_its_columns_in_any_words() -> None:
    read = parse("2026-03-01T00:00:00Z,-151\n")
    for head in ("Time stamp, Temperature (°C)\r\n", "\n  when;what\n", "\ufefftime,°C\n"):
        assert parse(f"{head}2026-03-01T00:00:00Z,-151\n") == read
    with pytest.raises(UnreadableError):
        parse("only words")


@pytest.mark.parametrize(
    "instant",
    ["0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2000-01-01T00:00:00Z"],
)
def test_a_clock_that_nobody_set_is_named_by_its_line(instant: str) -> None:
    with pytest.raises(UnreadableError) as no:
        parse(f"{instant},-151\n")
    assert no.value.faults == [(1, "nobody set the logger's clock; a reading is from 2000 on")]


def test_thousands_of_excursions_are_told_as_few_that_cover_all() -> None:
    """A logger that reads more seldom than the store's limit says would stop each unit thousands of times."""
    seldom = made(*((11 * n, -140.0 + n % 2 * -40) for n in range(3000)))
    found = summarise(seldom, RULE).excursions
    assert {one.kind for one in found} == {"gap", "warm"}
    assert len(found) <= 2 * readings.MOST_EXCURSIONS
    gaps = [one for one in found if one.kind == "gap"]
    assert (gaps[0].began, gaps[-1].ended) == (at(0), at(11 * 2999))
    assert all(before.ended == after.began for before, after in pairwise(gaps))
    assert {one.warmest for one in found if one.kind == "warm"} == {-140.0}
    few = summarise(made(*((11 * n, -180.0) for n in range(101))), RULE).excursions
    assert len(few) == 100, "as many as are told one by one"
