"""What is looked up for a moment: once, however many ask, and anew after it was forgotten."""

from __future__ import annotations

import asyncio

import pytest

from api.http.auth import Briefly


class Shelf:
    """Answers when it is let, with how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.may = asyncio.Event()

    async def look_up(self, _key: str) -> int:
        self.asked += 1
        mine = self.asked
        await self.may.wait()
        return mine


async def test_many_who_ask_together_are_answered_by_one_look() -> None:
    briefly, shelf = Briefly(), Shelf()
    asking = [asyncio.create_task(briefly.get("a", shelf.look_up)) for _ in range(32)]
    await asyncio.sleep(0)
    shelf.may.set()
    assert await asyncio.gather(*asking) == [1] * 32
    assert await briefly.get("a", shelf.look_up) == 1
    assert await briefly.get("b", shelf.look_up) == 2


async def test_who_gives_up_does_not_take_the_answer_along() -> None:
    briefly, shelf = Briefly(), Shelf()
    first, second = (asyncio.create_task(briefly.get("a", shelf.look_up)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    shelf.may.set()
    assert await second == 1


async def test_what_was_forgotten_while_it_was_looked_up_is_looked_up_again() -> None:
    briefly, shelf = Briefly(), Shelf()
    before = asyncio.create_task(briefly.get("a", shelf.look_up))
    await asyncio.sleep(0)
    briefly.forget("a")
    after = asyncio.create_task(briefly.get("a", shelf.look_up))
    await asyncio.sleep(0)
    shelf.may.set()
    assert [await before, await after, await briefly.get("a", shelf.look_up)] == [1, 2, 2]


async def test_a_look_that_failed_is_tried_again() -> None:
    async def away(_key: str) -> int:
        raise ConnectionResetError

    briefly, shelf = Briefly(), Shelf()
    shelf.may.set()
    failed = await asyncio.gather(*(briefly.get("a", away) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in failed] == [ConnectionResetError] * 3
    with pytest.raises(ConnectionResetError):
        await briefly.get("a", away)
    assert await briefly.get("a", shelf.look_up) == 1


async def test_what_is_not_found_is_not_kept() -> None:
    briefly, asked = Briefly(), []

    async def look_up(key: str) -> str | None:
        asked.append(key)
        return key if key == "known" else None

    for _ in range(3):
        assert await briefly.get("guessed" * 1000, look_up) is None
        assert await briefly.get("known", look_up) == "known"
    assert asked == ["guessed" * 1000, "known", *["guessed" * 1000] * 2]
