"""A change of the catalogue reaches every open case once, though two workers follow it and one of them is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from activities.following import first_ranks
from activities.following.first_ranks import FollowingCatalogue
from activities.ports import CatalogueSpan
from api.run.wiring import Parts
from domain.case.effect import EffectRequested
from domain.stages.eligibility.ranking import FirstRankChanged, NoteFirstRank
from infra.reads.followed import FollowedCatalogue
from tests.api.conftest import Person
from tests.api.routes.eligibility.test_matches import centre, site
from tests.api.routes.test_screening import protocol

pytestmark = pytest.mark.slow
KIND = "tell_owner_of_first_rank"
AT_ONCE = timedelta(0)


class Killed(FollowedCatalogue):
    """A worker that dies after the first case."""

    async def go_on(self, holder: str) -> bool:
        raise asyncio.CancelledError(holder)


def worker(here: Parts, name: str, followed: FollowedCatalogue | None = None) -> FollowingCatalogue:
    return FollowingCatalogue(here.commands, followed or FollowedCatalogue(here.ledger.pool), name)


async def told(here: Parts, case: str) -> Sequence[FirstRankChanged]:
    facts = (await here.ledger.load(case)).facts
    asked = [f.event for f in facts if isinstance(f.event, EffectRequested) and f.event.kind == KIND]
    changed = [f.event for f in facts if isinstance(f.event, FirstRankChanged)]
    assert len(asked) == len(changed), "one mail for each"
    return changed


async def done(here: Parts) -> int:
    return int(await here.ledger.pool.fetchval("select done from followed"))


@pytest.fixture(scope="module")
async def ways(people: Mapping[str, Person], here: Parts) -> tuple[str, str, str]:
    """Two protocols at one centre, open and not known; followed already."""
    first, second, where = await protocol(people), await protocol(people), await centre(people)
    await site(people, first, where)
    await site(people, second, where, "paused")
    await worker(here, "before").round()
    return first, second, where


async def opened(people: Mapping[str, Person], many: int) -> Sequence[str]:
    return [(await people["coordinator"].open())["case"] for _ in range(many)]


async def turn(people: Mapping[str, Person], ways: tuple[str, str, str], open_: int) -> None:
    """The one closes and the other opens, while cases are open."""
    first, second, where = ways
    for n, stream in enumerate((first, second)):
        await site(people, stream, where, "open" if n == open_ else "paused")


async def test_two_workers_tell_each_case_once_and_pages_say_what_turned(
    people: Mapping[str, Person], here: Parts, ways: tuple[str, str, str]
) -> None:
    cases = await opened(people, 3)
    assert await worker(here, "a").round() == 0, "the control: nothing changed in the catalogue since they were opened"
    assert [await told(here, case) for case in cases] == [[], [], []]
    await turn(people, ways, 1)
    both = await asyncio.gather(*(worker(here, name).round() for name in ("a", "b")))
    assert sum(both) == 3
    assert await worker(here, "b").round() == 0
    first, second, where = ways
    for case in cases:
        [event] = await told(here, case)
        assert [(w.protocol, w.centre, w.turned) for w in event.before] == [(first, where, ("protocol",))]
        assert [(w.protocol, w.centre, w.turned) for w in event.after] == [(second, where, ("protocol",))]
        assert event.position <= await done(here)
    mine = people["coordinator"]
    body = (await mine.get(f"/cases/{cases[0]}/matches", limit=100)).json()
    assert body["first_rank_changed"]["after"] == [{"protocol": second, "centre": where, "turned": ["protocol"]}]
    assert body["matches"][0]["protocol"] == second
    events = (await mine.get(f"/cases/{cases[0]}/events")).json()["events"]
    assert [e["type"] for e in events].count("FirstRankChanged") == 1


async def test_a_change_that_leaves_the_first_where_it_was_is_told_to_nobody(
    people: Mapping[str, Person], here: Parts, ways: tuple[str, str, str]
) -> None:
    [case] = await opened(people, 1)
    await worker(here, "a").round()
    at = await done(here)
    third = await protocol(people)
    await site(people, third, ways[2], "full")
    assert await worker(here, "a").round() == 0
    assert await done(here) > at, "it was followed all the same"
    assert await told(here, case) == []


async def test_what_changed_before_a_case_was_opened_is_no_change_for_it(
    people: Mapping[str, Person], here: Parts, ways: tuple[str, str, str]
) -> None:
    """All of it is one range for the worker, which was away meanwhile."""
    await turn(people, ways, 1)
    await worker(here, "a").round()
    [early] = await opened(people, 1)
    await turn(people, ways, 0)
    [late] = await opened(people, 1)
    await worker(here, "a").round()
    assert [len(await told(here, case)) for case in (early, late)] == [1, 0]
    await turn(people, ways, 1)
    await worker(here, "a").round()
    assert [len(await told(here, case)) for case in (early, late)] == [2, 1], "the control: the next one is"


async def test_a_killed_worker_leaves_its_range_to_the_next_which_tells_the_rest(
    people: Mapping[str, Person], here: Parts, ways: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_ranks, "RENEW", 0)
    monkeypatch.setattr(first_ranks, "PAGE", 2)
    cases = await opened(people, 3)
    await worker(here, "a").round()
    before = {case: len(await told(here, case)) for case in cases}
    await turn(people, ways, 0)
    at = await done(here)
    with pytest.raises(asyncio.CancelledError):
        await worker(here, "killed", Killed(here.ledger.pool, AT_ONCE)).round()
    assert await done(here) == at, "nothing counts as followed"
    begun = await here.ledger.pool.fetchval("select upto from followed")
    await turn(people, ways, 1)  # and back again, before anybody takes over
    taken = FollowedCatalogue(here.ledger.pool, AT_ONCE)
    assert await taken.begin("other") == CatalogueSpan(at, begun), "the very same range"
    told_now = await worker(here, "next", taken).round()
    assert told_now >= len(cases) - 1
    assert await done(here) == begun
    assert [len(await told(here, case)) - before[case] for case in cases] == [1, 1, 1]
    await worker(here, "next").round()
    assert [len(await told(here, case)) - before[case] for case in cases] == [2, 2, 2], "the way back is a change too"


async def test_while_one_follows_nobody_else_does_and_its_end_frees_it(
    people: Mapping[str, Person], here: Parts, ways: tuple[str, str, str]
) -> None:
    await opened(people, 1)
    followed = FollowedCatalogue(here.ledger.pool)
    span = await followed.begin("one")
    assert span is not None
    assert await followed.begin("two") is None
    assert (await followed.go_on("one"), await followed.go_on("two")) == (True, False)
    assert await worker(here, "two").round() == 0
    assert await done(here) == span.done, "not touched by who does not hold it"
    await followed.finish(span.upto)
    assert await done(here) == span.upto
    await turn(people, ways, 1)
    assert await followed.begin("two") is not None
    await followed.finish(span.upto)
    assert await done(here) == span.upto, "an earlier range ends nothing"
    newer = await here.ledger.pool.fetchval("select upto from followed")
    await followed.finish(newer)


async def test_who_lost_the_lease_on_the_way_stops_and_leaves_the_end_to_the_other(
    people: Mapping[str, Person], here: Parts, ways: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_ranks, "RENEW", 0)
    await opened(people, 2)
    await worker(here, "a").round()
    await turn(people, ways, 0)
    at = await done(here)

    class Late(FollowedCatalogue):
        async def go_on(self, holder: str) -> bool:
            assert await FollowedCatalogue(here.ledger.pool).begin("other")
            return await super().go_on(holder)

    assert await worker(here, "late", Late(here.ledger.pool, AT_ONCE)).round() == 0
    assert await done(here) == at
    assert await worker(here, "other", FollowedCatalogue(here.ledger.pool, AT_ONCE)).round() == 0, "the lease holds"
    span = await here.ledger.pool.fetchval("select upto from followed")
    await FollowedCatalogue(here.ledger.pool).finish(span)


async def test_the_position_only_grows(here: Parts) -> None:
    for statement in ("update followed set done = done - 1", "update followed set upto = upto - 1, done = done - 1"):
        with pytest.raises(asyncpg.PostgresError, match="not undone"):
            await here.ledger.pool.execute(statement)


async def test_people_cannot_say_it(people: Mapping[str, Person], ways: tuple[str, str, str]) -> None:
    [case] = await opened(people, 1)
    body: dict[str, Any] = {"before": [], "after": [], "position": 1}
    answer = await people["supervisor"].send(case, NoteFirstRank.__name__, **body)
    assert answer.status_code == 403, answer.text
