"""Whatever stands in a file, it is taken or refused with faults; nothing of it makes the reader fail."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from activities.catalogue_files.differing import plan
from activities.catalogue_files.lines import FileFault, FileRefused
from activities.catalogue_files.reading import entries
from rehearsal.world.catalogue_data import CENTRES, PROTOCOLS
from tests.activities.catalogue_files.files import OWN, STUDY
from tests.drawing import draws

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
LISTED = json.loads(PROTOCOLS.read_text())
BARE = {name: value for name, value in LISTED["protocols"][9].items() if name != "criteria"}
FILES: tuple[tuple[str, Any], ...] = (
    ("protocol", {"protocols": [OWN, {**OWN, "registry": "N2", "sites": [{"centre": "centre-a"}]}]}),
    ("protocol", STUDY),
    ("protocol", {"brought_in": "2026-11-22", "protocols": [LISTED["protocols"][0], BARE, LISTED["unsourced"][0]]}),
    ("centre", {"centres": json.loads(CENTRES.read_text())["centres"][:3]}),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=5,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a tree where something else could stand: what holds it, and under what."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inside:
        yield value, name
        yield from places(one)


@given(st.sampled_from(FILES), st.data(), JSON, st.booleans())
@draws(300)
def test_no_file_makes_the_reader_fail(file: tuple[str, Any], data: st.DataObject, other: Any, gone: bool) -> None:
    prefix, tree = file[0], copy.deepcopy(file[1])
    holder, name = data.draw(st.sampled_from(list(places(tree))))
    if gone and isinstance(holder, dict):
        del holder[name]
    else:
        holder[name] = other
    faults: list[FileFault] = []
    try:
        found = entries(prefix, json.dumps(tree, indent=1).encode(), NOW, "person-1")[1]
    except FileRefused as refused:
        found, faults = [], refused.faults
    assert found or faults
    assert all(fault.line >= 1 and fault.detail for fault in faults)
    assert all(plan(entry, None).commands for entry in found)
