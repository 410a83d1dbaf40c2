"""What a rehearsal sends in the background comes to the same as one append after another, in few transactions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.ports import Append, Attention, VersionConflict, Views
from domain.catalogue import installation
from domain.catalogue.installation import end_rehearsal
from infra.ledger.ledger import PgLedger
from tests.conftest import fresh
from tests.infra.audit.proved import broken
from tests.infra.ledger.cases import Counted, case_row, effect, obligation, opened, writing

THEN = datetime(2011, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HEARS_ALL = 2**31 - 1
TOLD, LOOKED = Attention(), Attention(attended=True, woken=HEARS_ALL)
SEEN = (
    """
select json_agg(e order by position) from (select position, stream, version, type, recorded_at, data from event) e
""",
    """
select json_agg(c order by stream) from case_view c""",
    """
select json_agg(o order by id) from obligation_view o""",
    """
select json_agg(e order by id) from effect_view e""",
    """
select json_agg(w order by w) from watch w""",
    """
select json_agg(s order by stream) from source s""",
    """
select json_agg(a order by stream) from (select stream, version, attended >= version as attended from attention) a""",
)


def story() -> list[Append]:
    """Two cases and a lot, mixed; each kind of row comes, changes, stays as it was and goes."""

    def case(name: str, expected: int, hour: int, views: Views, attention: Attention = TOLD) -> Append:
        given = writing(name, expected, Counted(hour), views=views, attention=attention, at=THEN + hour * HOUR)
        return replace(given, calls=False)

    def row(name: str, **more: Any) -> dict[str, Any]:
        return case_row(name, **{"detail": "", **more})

    def lot(expected: int, hour: int, state: str) -> Append:
        return writing("lot-1", expected, Counted(hour), views=Views(source={"state": state}), at=THEN + hour * HOUR)

    new, same = {"detail": '{"n":1}', "stage": "records"}, None
    return [
        case("case-a", 0, 1, Views(row("a", **new), [obligation("o-1")], [effect("e-1")], ["lot-1"])),
        case("case-a", 1, 2, Views(row("a"), same, [effect("e-1", state="unknown")], same)),
        case("case-b", 0, 2, Views(row("b", **new), [obligation("o-2")], [], ["lot-1"])),
        lot(0, 3, "released"),
        case("case-a", 2, 4, Views(row("a"), [obligation("o-3")], same, same), LOOKED),
        case("case-b", 1, 5, Views(row("b", detail='{"n":2}'), same, [effect("e-2")], []), LOOKED),
        lot(1, 6, "recalled"),
        writing("case-b", 2, attention=LOOKED, at=THEN + 6 * HOUR),
        case("case-a", 3, 7, Views(row("a", stage="closed"), [], same, same)),
    ]


async def rehearsal(postgres: str, name: str, folder: Path) -> PgLedger:
    return await opened(await fresh(postgres, name), folder, kind="rehearsal", start=THEN)


async def seen(ledger: PgLedger) -> Sequence[str]:
    return [await ledger.pool.fetchval(query) for query in SEEN]


async def test_behind_comes_to_the_same(postgres: str, tmp_path: Path) -> None:
    one, other = [await rehearsal(postgres, f"behind_{n}", tmp_path / str(n)) for n in range(2)]
    try:
        told = [await one.append(append) for append in story()]
        foretold = [await other.append_in_background(append) for append in story()]
        await other.settled()
        assert [[(f.version, f.at, f.event) for f in facts] for facts in foretold] == [
            [(f.version, f.at, f.event) for f in facts] for facts in told
        ]
        assert await seen(other) == await seen(one)
        transactions = "select count(distinct xmin::text) from event where stream <> 'installation'"
        assert (await other.pool.fetchval(transactions), await one.pool.fetchval(transactions)) == (3, 8)
        assert await broken(other) is None
        ended = end_rehearsal(installation.fold((await other.load(installation.STREAM)).facts))
        await other.append_in_background(writing(installation.STREAM, 1, ended, at=THEN + 8 * HOUR))
        await other.settled()
    finally:
        await one.close()
        await other.close()


async def test_what_was_refused_is_told_to_whoever_comes_next(postgres: str, tmp_path: Path) -> None:
    ledger = await rehearsal(postgres, "behind_refused", tmp_path)
    try:
        with pytest.raises(TypeError, match="given instant"):
            await ledger.append_in_background(writing("case-a", 0, Counted()))
        await ledger.append_in_background(writing("case-a", 0, Counted(), at=THEN))
        await ledger.append_in_background(writing("case-a", 5, Counted(), at=THEN))  # somebody else wrote, or a mistake
        for _ in range(2):
            with pytest.raises(VersionConflict):
                await ledger.settled()
        with pytest.raises(VersionConflict):
            await ledger.append_in_background(writing("case-b", 0, Counted(), at=THEN))
        assert await ledger.head() == 1
    finally:
        await ledger.close()
