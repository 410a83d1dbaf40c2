"""An older backup is put back while Temporal and the checkpoints outside are ahead of it: said, and accepted or not."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from pydantic import SecretStr

from activities.access_log import Looks
from activities.attend import Attending
from activities.messages import Attend
from activities.ports import Meta
from api.cli.outcome import REFUSED
from api.run.backups.make import backup
from api.run.backups.recover import recover
from api.run.loss import Accepting, explained, find, whole
from api.run.sealing import signing_keys
from api.run.wiring import Parts, parts
from domain.core.errors import Reason, Refused
from infra.audit.checkpoints.checkpoint import Checkpoint, signed
from infra.audit.checkpoints.sealer import Sealer, SealingLimits, sessions
from infra.audit.checkpoints.sinks import checkpoint_name, sink_of
from infra.audit.verification.verification import VerificationScope, Verified, verify
from infra.embedded.postgres_server import PostgresServer
from infra.embedded.temporal_server import TemporalServer
from infra.ids import fresh_id
from infra.leader import SEALER, supersede
from infra.settings import Settings
from tests.api.cli.test_cli import Cli
from tests.api.conftest import registered
from tests.conftest import execute
from tests.workflows.rig import Engine, command, engine, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass
class Scene:
    """A restored ledger of which Temporal and checkpoints know more; `a` went on after the backup, `c` began."""

    settings: Settings
    temporal: TemporalServer
    a: str
    b: str
    c: str
    person: str
    other: str
    effects: set[str]
    kept: int
    covered: int

    async def seal(self) -> None:
        keys = signing_keys(self.settings)
        sinks = [sink_of(place) for place in self.settings.checkpoint_places]
        dsn = self.settings.database_url.get_secret_value()
        async with sessions(dsn) as pool:
            sealer = Sealer(dsn, keys, sinks, SealingLimits(events=1))
            sealer._fence = await self._leading(dsn)
            await sealer.round(pool)

    @staticmethod
    async def _leading(dsn: str) -> int:
        """Lead in place of the workers' sealer."""
        connection = await asyncpg.connect(dsn)
        try:
            return await supersede(connection, SEALER)
        finally:
            await connection.close()

    async def verified(self) -> Verified:
        keys = signing_keys(self.settings)
        sinks = [sink_of(place) for place in self.settings.checkpoint_places]
        dsn = self.settings.database_url.get_secret_value()
        return await verify(VerificationScope(dsn=dsn, origin=keys.origin, sinks=sinks, anchors=keys.known()))

    def engine(self, *, working: bool) -> AbstractAsyncContextManager[Engine]:
        dsn = self.settings.database_url.get_secret_value()
        return engine(dsn, self.temporal.address, self.settings.home, working=working)


@pytest.fixture
async def scene(
    dsn: str, own_temporal: TemporalServer, postgres_server: PostgresServer, tmp_path: Path
) -> AsyncIterator[Scene]:
    before = Settings(database_url=SecretStr(dsn), home=tmp_path, installation="test")
    name = f"test_{uuid4().hex[:12]}"
    await execute(postgres_server.dsn, f"create database {name}")
    after = Settings(database_url=SecretStr(postgres_server.dsn_of(name)), home=tmp_path, installation="test")
    found = Scene(before, own_temporal, "", "", "", "", "", set(), 0, 0)
    async with engine(dsn, own_temporal.address, tmp_path) as here:
        async with parts(before, connections=2) as opened:
            found.person = await registered(opened, "supervisor")
            found.other = await registered(opened, "coordinator")
        found.a, found.b = await here.open(), await here.open()
        await eventually(lambda: quiet(here))
        await found.seal()
        folder = await backup(before, tmp_path)
        signing_keys(before).rotate()
        await here.restore(take_over=True)  # the lost part knows a newer key, and a newer epoch
        await here.send(found.a, command("RequestRecord", "labs"))
        found.c = await here.open()
        await eventually(lambda: quiet(here))
        found.effects = {*(await here.case(found.a)).effects, *(await here.case(found.c)).effects}
        await found.seal()
        found.covered = await here.ledger.head()
    await recover(after, folder)
    async with parts(after, connections=2) as opened:
        found.kept = await opened.ledger.head()
    found.settings = after
    yield found
    await execute(postgres_server.dsn, f"drop database {name} with (force)")


async def quiet(here: Engine) -> bool:
    """Nothing is unattended and no effect is under way."""
    unfinished = "select count(*) from effect_view where state in ('requested', 'unknown')"
    unattended = "select count(*) from attention where attended < version"
    return not await here.ledger.pool.fetchval(unfinished) and not await here.ledger.pool.fetchval(unattended)


WORDS = "caravel restore --take-over --accept-loss --reason backup_restored --by"


def variables(scene: Scene) -> dict[str, str]:
    return {
        "CARAVEL_DATABASE_URL": scene.settings.database_url.get_secret_value(),
        "CARAVEL_HOME": str(scene.settings.home),
        "CARAVEL_INSTALLATION": scene.settings.installation,
        "TEMPORAL_ADDRESS": scene.temporal.address,
        "COLUMNS": "1000",
    }


async def started(scene: Scene, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.cli", *words, env={**os.environ, **variables(scene)}, stdout=PIPE, stderr=STDOUT
    )


async def caravel(scene: Scene, *words: str) -> tuple[int, str]:
    """A command as people give it: its exit code and what it said."""
    said = await Cli(variables(scene))(*words)
    return said.code, said.out + said.err


async def says(process: asyncio.subprocess.Process, words: str) -> str:
    """Everything up to the line with these words."""
    assert process.stdout
    said = ""
    async with asyncio.timeout(90):
        while words not in said:
            line = (await process.stdout.readline()).decode()
            assert line, said
            said += line
    return said


async def refused(asked: Awaitable[object], reason: Reason = Reason.LEDGER_BEHIND) -> str:
    with pytest.raises(Refused) as no:
        await asked
    assert no.value.reason is reason
    return no.value.detail


async def nothing_goes_on(scene: Scene, opened: Parts) -> None:
    """Reads do; commands, looks of the engine, claims and a plain restore do not."""
    async with scene.engine(working=True) as here:
        await refused(here.send(scene.b, command("AddNote", "note", "x")))
        assert (await here.case(scene.a)).open, "reading goes on"
        await Looks(opened.ledger, fresh_id).record(Meta(scene.person, "audit"), "case", [scene.a], [])
        await asyncio.sleep(2)
        assert here.hands.calls == [], "nobody is called"
        with pytest.raises(Exception, match="ledger_behind"):
            await Attending(here.commands).attend(Attend(scene.b, 99, 0))


async def test_it_is_explained_nothing_goes_on_and_a_person_may_go_on_without_it(scene: Scene) -> None:
    async with parts(scene.settings, connections=4) as opened, scene.engine(working=False) as here:
        found = await find(opened, here.client)
        assert found
        assert (found["kept"], found["covered"], found["missing"]) == (
            scene.kept, scene.covered, scene.covered - scene.kept,
        )  # fmt: skip
        cases = {one["case"]: one for one in found["cases"]}
        assert set(cases) == {scene.a, scene.c}, "b is as it was"
        assert cases[scene.c]["there"] == 0
        assert cases[scene.a]["effects"], "what the hospital or the family may have"
        assert {effect for _, effect in cases[scene.a]["effects"]} <= scene.effects
        text = "\n".join(explained(found))
        assert f"positions {scene.kept + 1} to {scene.covered} of the former history" in text
        assert scene.c in text
        worker = await started(scene, "worker")
        try:
            said = await says(worker, WORDS)
            assert f"positions {scene.kept + 1} to {scene.covered} of the former history" in said
            await nothing_goes_on(scene, opened)
            restoring, verifying = [
                await caravel(scene, *words) for words in (("restore",), ("audit", "verify", "--no-rules"))
            ]
            assert "BROKEN: " in verifying[1], "the control: nobody has accepted it, and the end is gone"
            for code, said in (restoring, verifying):
                assert code == REFUSED
                assert WORDS in said

            await refused(whole(opened, here.client, Accepting("disk_failed", scene.other)), Reason.NOT_ALLOWED)
            accepting = ("--take-over", "--accept-loss", "--reason", "backup_restored", "--by")
            code, said = await caravel(scene, "restore", *accepting, scene.person)
            assert (code, "epoch 3: " in said) == (0, True), "later than any the lost part gave out"
            await says(worker, "worker ready")
        finally:
            worker.terminate()
            await worker.wait()
        assert await find(opened, here.client) is None
        await refused(whole(opened, here.client, Accepting("backup_restored", scene.person)), Reason.ALREADY)
        code, said = await caravel(scene, "audit", "verify", "--no-rules")
        assert code == 0, said
        assert f"positions {scene.kept + 1} to {scene.covered} of the former history are lost: accepted by" in said
        await here.start()
        await here.send(scene.a, command("RequestRecord", "labs"))
        await here.settled(scene.a)
        await goes_on(scene, here)


async def goes_on(scene: Scene, here: Engine) -> None:
    """Sealing grows past the lost sizes and says nothing twice; the loss is told; another cut is still found."""
    for _ in range(scene.covered - scene.kept + 2):
        await here.send(scene.b, command("AddNote", "note", "x"))
        await scene.seal()
    fine = await scene.verified()
    assert fine.broken is None
    assert fine.covered > scene.covered
    [line] = fine.lost
    assert f"positions {scene.kept + 1} to {scene.covered} of the former history are lost" in line
    assert scene.person in line
    dsn = scene.settings.database_url.get_secret_value()
    folder = Path(scene.settings.checkpoint_places[0])
    note = (folder / checkpoint_name(scene.covered)).read_bytes()
    keys = signing_keys(scene.settings)
    other = signed(Checkpoint(keys.origin, scene.covered, bytes(32)), keys.current())
    (folder / checkpoint_name(scene.covered)).write_text(other)
    forged = (await scene.verified()).broken
    assert forged, "only the very checkpoint that was accepted is excused"
    (folder / checkpoint_name(scene.covered)).write_bytes(note)
    admin = await asyncpg.connect(dsn)
    for table in ("event", "tree_node", "checkpoint"):
        await admin.execute(f"alter table {table} disable trigger all")
    cut = fine.covered - 1
    await admin.execute("delete from event where position > $1", cut)
    await admin.execute("delete from checkpoint where size > $1", cut)
    await admin.execute("delete from tree_node where (index + 1) << level > $1", cut)
    await admin.close()
    second = (await scene.verified()).broken
    assert second
    assert (second.kind, second.position) == ("tail_cut", cut + 1)
    async with parts(scene.settings, connections=2) as again:
        found = await find(again)
        assert found
        assert found["covered"] == fine.covered, "and it is refused until somebody accepts that one, too"
