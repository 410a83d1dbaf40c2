"""A resumed verification reads the checkpoints that are new, and sees when an old one was taken away or exchanged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.audit.checkpoints.checkpoint import Checkpoint, signed
from infra.audit.checkpoints.sinks import FolderSink, Sink, checkpoint_name
from infra.audit.verification.found import Break
from infra.audit.verification.stream import verify_case
from infra.audit.verification.verification import VerificationScope, Verified, verify
from infra.ledger.connections import Pool
from infra.ledger.ledger import PgLedger
from tests.infra.audit.log import ORIGIN, Log, recorded

pytestmark = pytest.mark.slow
Admin = asyncpg.Connection
Sessions = Pool
OLD = 5
"""The size of a checkpoint that was compared long ago."""


@dataclass
class Counting:
    """A folder that says what was read of it; `meanwhile` happens before and after it is listed."""

    folder: FolderSink
    read: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[object]] | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    async def names(self) -> set[str]:
        return await self.folder.names()

    async def marks(self) -> dict[str, str]:
        if self.meanwhile:
            await self.meanwhile()
        found = await self.folder.marks()
        if self.meanwhile:
            await self.meanwhile()
        return found

    async def get(self, name: str) -> bytes:
        self.read.append(name)
        return await self.folder.get(name)

    async def kept_at(self, name: str) -> datetime:
        return await self.folder.kept_at(name)

    async def create(self, name: str, content: bytes) -> None:
        await self.folder.create(name, content)

    def checkpoints(self) -> int:
        """How many were read since this was last asked."""
        found = sum(name.startswith("checkpoint") for name in self.read)
        self.read.clear()
        return found


@dataclass
class Kept:
    """Checkpoints of the sizes 3, 5, 7 … 27, verified once with a state file, in chunks of four events."""

    log: Log
    admin: Admin[asyncpg.Record]
    place: Counting
    state: Path
    more: Callable[[], Awaitable[object]]

    async def on(self, state: Path | None = None) -> Verified:
        known = self.log.keys.known()
        sinks: list[Sink] = [self.place, self.log.sinks[1]]
        return await verify(
            VerificationScope(dsn=self.log.dsn, origin=ORIGIN, sinks=sinks, anchors=known, state=state or self.state)
        )

    def file(self, size: int = OLD) -> Path:
        return self.log.folder / "a" / checkpoint_name(size)

    def forgery(self, size: int = OLD) -> str:
        """By the log's own key, of another root."""
        return signed(Checkpoint(ORIGIN, size, bytes(32)), self.log.keys.current())


@pytest.fixture
async def kept(
    ledger: PgLedger, log: Log, pool: Sessions[asyncpg.Record], admin: Admin[asyncpg.Record],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> Kept:  # fmt: skip
    for name, value in {"LEVEL": 2, "CHUNK": 4, "PAGE": 4}.items():
        monkeypatch.setattr(f"infra.audit.verification.chunk.{name}", value)
        monkeypatch.setattr(f"infra.audit.verification.verification.{name}", value, raising=False)

    async def more() -> None:
        await recorded(ledger, 2)
        await log.sealer().round(pool)

    for _ in range(13):
        await more()
    await admin.execute("alter table checkpoint disable trigger all")
    kept = Kept(log, admin, Counting(log.sinks[0]), tmp_path / "state", more)
    first = await kept.on()
    assert (first.broken, first.resumed, first.covered) == (None, 0, 27)
    assert kept.place.checkpoints() == 13
    return kept


async def test_only_what_is_new_is_read_and_one_case_needs_the_newest(kept: Kept) -> None:
    for covered in (27, 29, 31):
        again = await kept.on()
        assert (again.broken, again.covered) == (None, covered)
        assert again.resumed >= 20
        assert kept.place.checkpoints() <= 4, "that of the last whole piece, and what came after it"
        await kept.more()
    question = VerificationScope(dsn=kept.log.dsn, origin=ORIGIN, sinks=[kept.place], anchors=kept.log.keys.known())
    assert (await verify_case(question, "installation")).broken is None
    assert kept.place.checkpoints() == 1


async def test_what_is_sealed_while_places_are_listed_is_no_forgery(kept: Kept) -> None:
    """The ledger's own list is read after the places, or else a checkpoint of this instant is in one and not in it."""
    kept.place.meanwhile = kept.more
    assert (await kept.on()).broken is None
    assert (await kept.on(kept.state.with_name("other"))).broken is None


async def removed(kept: Kept) -> None:
    kept.file().unlink()


async def emptied(kept: Kept) -> None:
    for file in kept.file().parent.iterdir():
        file.unlink()


async def all_emptied(kept: Kept) -> None:
    for place in "ab":
        for file in (kept.log.folder / place).iterdir():
            file.unlink()


async def exchanged(kept: Kept) -> None:
    kept.file().write_text(kept.forgery())


async def exchanged_by_a_stranger(kept: Kept) -> None:
    kept.file().write_text(signed(Checkpoint(ORIGIN, OLD, bytes(32)), Ed25519PrivateKey.generate()))


async def exchanged_everywhere(kept: Kept) -> None:
    """By who holds the signing key, the places and the database."""
    for place in "ab":
        (kept.log.folder / place / checkpoint_name(OLD)).write_text(kept.forgery())
    await kept.admin.execute("update checkpoint set note = $2 where size = $1", OLD, kept.forgery())


FIRST_OF_ALL = 3
MEDDLED: dict[str, tuple[Callable[[Kept], Awaitable[None]], str, int]] = {
    "one removed": (removed, "checkpoint_gone", OLD),
    "a place emptied": (emptied, "checkpoint_gone", FIRST_OF_ALL),
    "every place emptied": (all_emptied, "checkpoint_gone", FIRST_OF_ALL),
    "one exchanged": (exchanged, "checkpoint_forged", OLD),
    "one exchanged by a stranger": (exchanged_by_a_stranger, "key_unknown", OLD),
    "one exchanged everywhere": (exchanged_everywhere, "recomputed", FIRST_OF_ALL + 1),
}


@pytest.mark.parametrize(("meddle", "kind", "position"), MEDDLED.values(), ids=MEDDLED.keys())
async def test_an_old_checkpoint_that_is_not_as_it_was_is_seen_by_who_goes_on_and_by_who_begins_anew(
    kept: Kept, meddle: Callable[[Kept], Awaitable[None]], kind: str, position: int
) -> None:
    await meddle(kept)
    for state in (kept.state, kept.state.with_name("other")):
        broken = (await kept.on(state)).broken
        assert broken
        assert (broken.kind, broken.position) == (kind, position)


async def test_it_is_the_marks_and_the_list_that_tell(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The controls: a place that has no marks tells who goes on nothing, nor does a state without the list."""

    async def named(place: Counting) -> dict[str, str]:
        return dict.fromkeys(await place.folder.names(), "")

    monkeypatch.setattr(Counting, "marks", named)
    assert (await kept.on()).broken is None
    await exchanged(kept)
    assert (await kept.on()).broken is None
    await exchanged_everywhere(kept)
    known = json.loads(kept.state.read_text())
    kept.state.write_text(json.dumps({**known, "compared": None}))
    unseen = await kept.on()
    assert (unseen.broken, unseen.resumed > OLD) == (None, True)


async def test_a_place_that_was_copied_is_read_once_more(kept: Kept, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "a", tmp_path / "copy")
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "copy").rename(tmp_path / "a")
    assert (await kept.on()).broken is None
    assert kept.place.checkpoints() == 13
    assert (await kept.on()).broken is None
    assert kept.place.checkpoints() <= 3


async def test_another_key_is_asked_about_every_checkpoint(kept: Kept) -> None:
    other = Log(kept.log.dsn, kept.log.folder / "theirs")
    other.keys.rotate()
    question = VerificationScope(
        dsn=kept.log.dsn, origin=ORIGIN, sinks=[kept.place], anchors=other.keys.known(), state=kept.state
    )
    broken = (await verify(question)).broken
    assert isinstance(broken, Break)
    assert broken.kind == "key_unknown"
