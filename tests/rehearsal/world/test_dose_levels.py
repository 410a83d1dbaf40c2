"""Dose levels of a trial's file become what the protocol writes, or nothing where that is no number of cells."""

from rehearsal.world.catalogue_data import protocols
from rehearsal.world.dose_levels import cell_doses


def test_levels_of_one_kind_are_a_range_and_what_breaks_off_is_nothing() -> None:
    kilogram = [{"value": 1e6, "unit": "CAR T cells/kg"}, {"value": 3e6, "unit": "CAR T cells/kg"}]
    flat = {"value": 48e7, "unit": "CAR T cells flat"}
    (both,) = cell_doses([*kilogram, flat])
    assert (both.least, both.most, both.per_kg, both.counted) == (1_000_000, 3_000_000, True, "CAR T cells")
    (range_,) = cell_doses([{"value": "300e6-600e6", "unit": "CAR T cells flat"}])
    assert (range_.least, range_.most, range_.per_kg) == (300_000_000, 600_000_000, False)
    (rounds,) = cell_doses([{"value": [6e8, 12e8], "unit": "cells, rounds 1,2"}])
    assert (rounds.most, rounds.counted) == (1_200_000_000, "cells")
    for nothing in (
        None,
        "single",
        [],
        [{"value": None, "unit": "cells flat"}],
        [{"value": "1.x e8", "unit": "cells"}],
    ):
        assert cell_doses(nothing) == ()


def test_protocols_of_the_catalogue_have_the_doses_their_sources_write() -> None:
    told = [one.doses for one in protocols().values()]
    assert sum(bool(doses) and doses[0].per_kg for doses in told) >= 5
    assert any(doses and not doses[0].per_kg for doses in told)
    assert not all(told), "control: some sources say nothing"
