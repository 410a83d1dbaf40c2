"""Each way of changing history with all rights on the database is found and named, by the check made for it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.proof.merkle import Frontier
from infra.audit.checkpoints.checkpoint import Checkpoint, origin_of, signed
from infra.audit.checkpoints.signing import SigningKeys
from infra.audit.checkpoints.sinks import checkpoint_name, key_name
from infra.audit.verification.found import ALL, Check, Kind
from infra.audit.verification.verification import VerificationScope, Verified, verify
from infra.ledger.connections import Pool
from infra.ledger.ledger import PgLedger
from tests.infra.audit.log import ORIGIN, Log, recorded
from tests.infra.ledger.cases import Counted, writing

pytestmark = pytest.mark.slow
Admin = asyncpg.Connection
Sessions = Pool
Attack = Callable[["Scene"], Awaitable[None]]
TABLES = ("event", "tree_node", "checkpoint")

REHASH = """
create or replace function rehash(text) returns void language plpgsql as $$
declare r record; link bytea := null;
begin
    for r in select * from event where stream = $1 order by version loop
        link := caravel_event_hash(link, r.stream, r.version, r.id, r.type, r.schema_version, r.occurred_earliest,
            r.occurred_latest, r.precision, r.recorded_at, r.salts, r.data, r.sealed, r.meta);
        update event set hash = link where position = r.position;
    end loop;
end $$
"""
SHIFT = """
alter table event drop constraint event_pkey;
update event set position = position {by} where position > {after};
alter table event add primary key (position)
"""
SWAP = """
update event set position = -1 where position = {one};
update event set position = {one} where position = {other};
update event set position = {other} where position = -1
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """Positions: 1 the naming, 2-5 stream a, 6-8 b, checkpoint 8, 9-11 c, 12-13 d, checkpoint 13, 14-15 a, 16-17 e."""

    log: Log
    admin: "Admin[asyncpg.Record]"
    a: str
    b: str

    async def run(self, sql: str) -> None:
        await self.admin.execute(sql)

    async def found(self, checks: frozenset[Check] = ALL, **more: object) -> Verified:
        known = self.log.keys.known()
        told = {"dsn": self.log.dsn, "origin": ORIGIN, "sinks": self.log.sinks, "checks": checks, **more}
        return await verify(VerificationScope(anchors=known, **told))  # type: ignore[arg-type]

    async def grow_again(self) -> None:
        """The tree and the ledger's own list of checkpoints, made to fit the rows; only the signature is missing."""
        frontier, notes = Frontier(), {8: b"", 13: b""}
        nodes = []
        for row in await self.admin.fetch("select hash from event order by position limit 13"):
            nodes += frontier.append(row["hash"])
            if frontier.size in notes:
                notes[frontier.size] = frontier.root()
        await self.run("delete from tree_node")
        await self.admin.copy_records_to_table("tree_node", records=nodes)
        for size, root in notes.items():
            await self.admin.execute("update checkpoint set root = $2 where size = $1", size, root)

    def write(self, name: str, content: str, sinks: str = "ab") -> None:
        for sink in sinks:
            (self.log.folder / sink / name).write_text(content)


@pytest.fixture
async def scene(ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]", admin: "Admin[asyncpg.Record]") -> Scene:
    a, b = await recorded(ledger, 4, 3)
    await log.sealer().round(pool)
    await recorded(ledger, 3, 2)
    await log.sealer().round(pool)
    await ledger.append(writing(a, 4, Counted(), Counted()))
    await recorded(ledger, 2)
    assert log.kept() == [8, 13]
    for table in TABLES:
        await admin.execute(f"alter table {table} disable trigger all")
    await admin.execute(REHASH)
    return Scene(log, admin, a, b)


def sql(text: str) -> Attack:
    async def attack(scene: Scene) -> None:
        await scene.run(text)

    return attack


async def recompute_stream(scene: Scene) -> None:
    await scene.run(f"update event set data = '{{}}' where position = 2; select rehash('{scene.a}')")


async def recompute_everything(scene: Scene) -> None:
    await recompute_stream(scene)
    await scene.grow_again()


async def swap_between_streams(scene: Scene) -> None:
    """What two events say, and every hash of both streams after it."""
    await scene.run(
        "update event e set data = o.data, salts = o.salts, meta = o.meta from event o "
        "where (e.position, o.position) in ((4, 6), (6, 4));"
        f"select rehash('{scene.a}'); select rehash('{scene.b}')"
    )


async def swap_and_recompute(scene: Scene) -> None:
    await swap_between_streams(scene)
    await scene.grow_again()


async def insert(scene: Scene) -> None:
    await scene.run(SHIFT.format(by="+ 1", after=8))
    await scene.run(
        "insert into event select 9, 'case-new', 1, id, type, schema_version, occurred_earliest, occurred_latest, "
        "precision, recorded_at, data, sealed, meta, salts, hash from event where position = 8;"
        "select rehash('case-new')"
    )


async def delete_and_close_the_gap(scene: Scene) -> None:
    await scene.run("delete from event where position = 8;" + SHIFT.format(by="- 1", after=8))


async def cut_with_tree(scene: Scene) -> None:
    await scene.run(
        "delete from event where position > 10; delete from tree_node where (index + 1) << level > 8;"
        "delete from checkpoint where size = 13"
    )


async def forge(scene: Scene) -> None:
    """A changed root under the old signature, in one of the two places."""
    note = (scene.log.folder / "b" / checkpoint_name(8)).read_text()
    lines = note.split("\n")
    scene.write(checkpoint_name(8), "\n".join([*lines[:2], "A" * 43 + "=", *lines[3:]]), "b")


async def sign_for_them(scene: Scene) -> None:
    """What somebody writes who has a key of his own and all rights on database and folders."""
    await recompute_everything(scene)
    private = Ed25519PrivateKey.generate()
    for size in (8, 13):
        root = await scene.admin.fetchval("select root from checkpoint where size = $1", size)
        note = signed(Checkpoint(ORIGIN, size, root), private)
        scene.write(checkpoint_name(size), note)
        await scene.admin.execute("update checkpoint set note = $2 where size = $1", size, note)


async def announce(scene: Scene) -> None:
    """The same with an announcement of that key, which no key of the log vouches for."""
    theirs = SigningKeys(scene.log.folder / "theirs", ORIGIN)
    theirs.rotate()
    scene.write(key_name(2), theirs.announcements()[1][1])


async def another_log(scene: Scene) -> None:
    note = signed(Checkpoint(origin_of("there"), 13, bytes(32)), Ed25519PrivateKey.generate())
    scene.write(checkpoint_name(13), note)


SEALED: frozenset[Check] = frozenset({"tree", "checkpoints"})
OUTSIDE: frozenset[Check] = frozenset({"checkpoints"})
ATTACKS: dict[str, tuple[Attack, Kind, int, frozenset[Check]]] = {
    "edit": (sql("update event set data = data || ' ' where position = 4"), "edited", 4, SEALED | {"chain"}),
    "edit before it is sealed": (
        sql("update event set data = data || ' ' where position = 16"), "edited", 16, frozenset({"chain"})),
    "edit the clock": (
        sql("update event set recorded_at = recorded_at - interval '1 year' where position = 14"),
        "reordered", 14, frozenset({"chain", "places"})),
    "delete": (sql("delete from event where position = 13"), "deleted", 13, SEALED | {"places"}),
    "delete before it is sealed": (
        sql("delete from event where position = 15"), "deleted", 15, frozenset({"places"})),
    "delete and close the gap": (delete_and_close_the_gap, "deleted", 8, SEALED),
    "swap": (sql(SWAP.format(one=11, other=12)), "reordered", 11, SEALED | {"places"}),
    "swap before it is sealed": (sql(SWAP.format(one=15, other=16)), "reordered", 16, frozenset({"places"})),
    "swap between streams": (swap_between_streams, "recomputed", 4, SEALED),
    "swap between streams and recompute": (swap_and_recompute, "recomputed", 1, OUTSIDE),
    "insert": (insert, "inserted", 9, SEALED),
    "cut the end": (sql("delete from event where position > 10"), "tail_cut", 11, SEALED),
    "cut the end and the tree": (cut_with_tree, "tail_cut", 11, OUTSIDE),
    "recompute a stream": (recompute_stream, "recomputed", 2, SEALED),
    "recompute everything": (recompute_everything, "recomputed", 1, OUTSIDE),
    "change the tree": (
        sql("update tree_node set hash = sha256(hash) where (level, index) = (2, 1)"), "tree_differs", 1,
        frozenset({"tree"})),
    "forge a checkpoint": (forge, "checkpoint_forged", 8, OUTSIDE),
    "sign with an unknown key": (sign_for_them, "key_unknown", 8, OUTSIDE),
    "announce an unknown key": (announce, "key_unknown", 0, OUTSIDE),
    "put a checkpoint of another log": (another_log, "key_unknown", 13, OUTSIDE),
}  # fmt: skip


@pytest.mark.parametrize(("attack", "kind", "position", "by"), ATTACKS.values(), ids=ATTACKS.keys())
async def test_an_attack_is_found_where_it_is_for_what_it_is_and_only_by_its_checks(
    scene: Scene, attack: Attack, kind: Kind, position: int, by: frozenset[Check]
) -> None:
    before = await scene.found()
    assert (before.broken, before.events, before.covered) == (None, 17, 13)
    await attack(scene)
    for alone in by:
        broken = (await scene.found(frozenset({alone}))).broken
        assert broken, f"{alone} alone does not see it"
    broken = (await scene.found()).broken
    assert broken
    assert (broken.kind, broken.position) == (kind, position)
    # The control: without the checks made for it, it passes unseen.
    assert (await scene.found(ALL - by)).broken is None


async def test_a_key_that_was_rotated_out_signs_no_other_history(
    scene: Scene, pool: "Sessions[asyncpg.Record]"
) -> None:
    """Of who kept the old private key and has the database and both places, while one checkpoint of the next stands."""
    stolen = scene.log.keys.current()
    scene.log.keys.rotate()
    await scene.log.sealer().round(pool)
    assert scene.log.kept() == [8, 13, 17]
    assert (await scene.found()).broken is None
    await recompute_stream(scene)
    frontier, roots, nodes = Frontier(), {}, []
    for row in await scene.admin.fetch("select hash from event order by position"):
        nodes += frontier.append(row["hash"])
        roots[frontier.size] = frontier.root()
    await scene.run("delete from tree_node")
    await scene.admin.copy_records_to_table("tree_node", records=nodes)
    for size in (8, 13):
        note = signed(Checkpoint(ORIGIN, size, roots[size]), stolen)
        scene.write(checkpoint_name(size), note)
        await scene.admin.execute("update checkpoint set root = $2, note = $3 where size = $1", size, roots[size], note)
    broken = (await scene.found()).broken
    assert broken
    assert (broken.kind, broken.position) == ("recomputed", 14), "what the next key signed they cannot sign"
    # The control: where that one is taken away everywhere, the old key is as good as ever; the places are for that.
    for place in "ab":
        (scene.log.folder / place / checkpoint_name(17)).unlink()
    await scene.run("delete from checkpoint where size = 17")
    await scene.run("update sealing set outside = 13, sinks = '[]'")
    assert (await scene.found()).broken is None


async def test_what_came_after_the_newest_checkpoint_can_be_cut_unseen(scene: Scene) -> None:
    """The exposure window is no figure of speech."""
    await scene.run("delete from event where position > 13")
    assert (await scene.found()).broken is None


async def test_a_place_that_is_away_is_said_and_the_other_is_enough(scene: Scene, tmp_path: Path) -> None:
    for file in (tmp_path / "a").iterdir():
        file.unlink()
    (tmp_path / "a").rmdir()
    (tmp_path / "a").write_text("not a folder")
    await recompute_everything(scene)
    found = await scene.found()
    assert list(found.away) == [str(tmp_path / "a")]
    assert found.broken
    assert found.broken.kind == "recomputed"


async def test_many_pieces_on_two_processes_and_from_where_it_stopped(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]", admin: "Admin[asyncpg.Record]", tmp_path: Path
) -> None:
    (name,) = await recorded(ledger, 4000)
    for _ in range(4):
        await recorded(ledger, 4000)
        await log.sealer().round(pool)
    for number in range(5):  # one stream that runs through every piece
        await ledger.append(writing(name, 4000 + number, Counted(number)))
    await log.sealer().round(pool)
    scene = Scene(log, admin, name, "")
    state = tmp_path / "state"
    told: list[int] = []
    found = await scene.found(state=state, tell=lambda done, _all_of: told.append(done))
    assert (found.broken, found.resumed, found.covered) == (None, 0, 20006)
    assert told == [8192, 16384, 20006]
    again = await scene.found(state=state)
    assert (again.broken, again.resumed, again.events) == (None, 16384, 20006)
    parallel = await scene.found(jobs=2)
    assert (parallel.broken, parallel.events, parallel.checkpoints) == (None, 20006, len(log.kept()))
    await admin.execute("alter table event disable trigger all")
    for position in (17000, 9000):
        await admin.execute("update event set data = data || ' ' where position = $1", position)
        for jobs in (1, 2):
            broken = (await scene.found(jobs=jobs)).broken
            assert broken
            assert (broken.kind, broken.position) == ("edited", position)
    # What was verified before stays unread: that is what a state file means, and the answer says so.
    resumed = await scene.found(state=state)
    assert (resumed.resumed, resumed.broken and resumed.broken.position) == (16384, 17000)


async def test_a_state_of_another_log_or_of_another_checkpoint_is_not_believed(scene: Scene, tmp_path: Path) -> None:
    state = tmp_path / "state"
    root = scene.log.checkpoint(13).root.hex()
    fits = {"origin": ORIGIN, "chunks": 0, "peaks": [], "events": 0, "at": None, "size": 13, "root": root}
    for wrong in (
        {},
        {"origin": "caravel/there"},
        {"root": "00" * 32},
        {"size": 12},
        {"peaks": ["00" * 32]},
        {"more": 1},
    ):
        state.write_text(json.dumps({**fits, "events": 99, **wrong} if wrong else "nonsense"))
        assert (await scene.found(state=state)).resumed == 0


async def test_a_small_ledgers_newest_events_are_missed_once_a_run_has_seen_them(scene: Scene, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert (await scene.found(state=state)).broken is None
    assert json.loads(state.read_text())["head"] == 17
    assert (await scene.found(state=state)).broken is None, "the control: nothing was cut"
    await scene.run("delete from event where position > 15")
    assert (await scene.found()).broken is None, "the control: no checkpoint covers what was cut"
    broken = (await scene.found(state=state)).broken
    assert broken
    assert (broken.kind, broken.position) == ("tail_cut", 16)
    assert "the run before saw 17 events" in broken.says


async def test_what_a_run_has_seen_and_no_checkpoint_covers_cannot_be_written_anew(
    scene: Scene, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    assert (await scene.found(state=state)).broken is None
    await scene.run("update event set data = '{}' where position = 17; "
                    "select rehash((select stream from event where position = 17))")  # fmt: skip
    assert (await scene.found()).broken is None, "the control: it was never sealed"
    broken = (await scene.found(state=state)).broken
    assert broken
    assert (broken.kind, broken.position) == ("recomputed", 14)


async def test_a_log_that_was_never_sealed_is_remembered_as_well(
    ledger: PgLedger, log: Log, admin: "Admin[asyncpg.Record]", tmp_path: Path
) -> None:
    await recorded(ledger, 3)
    await admin.execute("alter table event disable trigger all")
    scene = Scene(log, admin, "", "")
    state = tmp_path / "state"
    assert (await scene.found(state=state)).broken is None
    await recorded(ledger, 2)
    assert (await scene.found(state=state)).broken is None, "the control: more is no less"
    await scene.run("delete from event where position > 4")
    broken = (await scene.found(state=state)).broken
    assert broken
    assert broken.kind == "tail_cut"
