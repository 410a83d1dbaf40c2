"""Rehearsed histories are what their rules say; a history remade with all rights and the signing key is not."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from api.run.verifying import question_of, verify_with, views_of
from api.run.wiring import EVERY_EVENT
from domain.proof.merkle import Frontier
from infra.audit.checkpoints.checkpoint import Checkpoint, origin_of, signed
from infra.audit.checkpoints.sealer import Sealer, SealingLimits, sessions
from infra.audit.checkpoints.signing import SigningKeys
from infra.audit.checkpoints.sinks import FolderSink, checkpoint_name
from infra.audit.verification.found import ALL, Check
from infra.audit.verification.progress import Rules
from infra.audit.verification.rules import Means, verify_rules
from infra.audit.verification.verification import Verified
from infra.keys import FolderKeys
from infra.ledger.encoding.codec import Codec
from infra.ledger.rebuild import Rebuild
from infra.policy.reading import POLICY, load_policy
from infra.settings import Settings
from rehearsal.cohort.cohort_run import rehearse_cohort
from tests.conftest import fresh
from tests.infra.audit.verification.test_attacks import REHASH

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
NAME = "rehearsal"
BEGINS = datetime(2019, 1, 7, tzinfo=UTC)
Admin = asyncpg.Connection


@dataclass(frozen=True, slots=True)
class Scene:
    """A rehearsed ledger with one checkpoint over all of it, and everything somebody needs to sign another."""

    settings: Settings
    admin: Admin[asyncpg.Record]
    keys: SigningKeys

    async def found(self, checks: frozenset[Check] = ALL, case: str = "", **more: Any) -> Verified:
        question = replace(question_of(self.settings, (), 1, None, checks, quiet=True), **more)
        return (await verify_with(question, self.settings, case))[0]

    async def sign_again(self) -> None:
        """Chain, tree, read models and checkpoint made to fit the rows, under the log's own key."""
        frontier = Frontier()
        nodes = []
        for row in await self.admin.fetch("select hash from event order by position"):
            nodes += frontier.append(row["hash"])
        await self.admin.execute("delete from tree_node")
        await self.admin.copy_records_to_table("tree_node", records=nodes)
        note = signed(Checkpoint(self.keys.origin, frontier.size, frontier.root()), self.keys.current())
        name = checkpoint_name(frontier.size)
        (Path(self.settings.checkpoint_places[0]) / name).write_text(note)
        await self.admin.execute("update checkpoint set root = $1, note = $2", frontier.root(), note)
        keys = FolderKeys(self.settings.keys, kek=self.settings.kek, destroyed=self.settings.destroyed_keys)
        await Rebuild(self.admin, keys, Codec(EVERY_EVENT), views_of).run(swap=True)
        await self.admin.execute("reset role")


@pytest.fixture(scope="module")
async def scene(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    dsn, home = await fresh(postgres, "rules_hold"), tmp_path_factory.mktemp("home")
    await rehearse_cohort(2, 11, timedelta(days=60), database=dsn, folder=home, start=BEGINS)
    settings = Settings(
        home=home, installation=NAME, kind="rehearsal", database_url=SecretStr(dsn), checkpoints=(str(home / "away"),)
    )
    keys = SigningKeys(settings.signing, origin_of(NAME))
    async with sessions(dsn) as pool:
        await Sealer(dsn, keys, [FolderSink(home / "away")], SealingLimits(1)).round(pool)
    admin = await asyncpg.connect(dsn)
    for table in ("event", "tree_node", "checkpoint"):
        await admin.execute(f"alter table {table} disable trigger all")
    await admin.execute(REHASH)
    yield Scene(settings, admin, keys)
    await admin.close()


async def test_every_automatic_event_is_what_its_rule_says(scene: Scene) -> None:
    found = await scene.found()
    automatic = await scene.admin.fetchval("""select count(*) from event where meta like '%"why":{%'""")
    assert (found.broken, found.rechecked, found.unchecked) == (None, automatic, {})
    assert automatic > 50
    case = await scene.admin.fetchval("select stream from case_view limit 1")
    one = await scene.found(case=case)
    assert one.broken is None
    assert 0 < one.rechecked < automatic


async def test_what_somebody_with_all_rights_and_the_key_remade_only_the_rule_shows(scene: Scene) -> None:
    """The due date of one obligation is a day later; everything that is computed was computed anew."""
    row = await scene.admin.fetchrow(
        "select position, stream, version, data from event where type = 'ObligationOpened' order by position limit 1"
    )
    assert row
    due = datetime.fromisoformat(json.loads(row["data"])["due"]) + timedelta(days=1)
    data = json.dumps({**json.loads(row["data"]), "due": due.isoformat()}, sort_keys=True, separators=(",", ":"))
    await remake(scene, row["position"], row["stream"], data)
    for jobs, case in ((1, ""), (2, ""), (1, row["stream"])):
        broken = (await scene.found(jobs=jobs, case=case)).broken
        assert broken
        assert (broken.kind, broken.position, broken.stream) == ("rule_differs", row["position"], row["stream"])
        assert (broken.version, broken.says) == (row["version"], "rule what_is_owed 1: due")
    # The control: every other check holds, so without this one nobody sees it.
    assert (await scene.found(ALL - {"rules"})).broken is None
    await remake(scene, row["position"], row["stream"], row["data"])
    assert (await scene.found()).broken is None


async def test_a_rule_version_that_was_made_up_is_named_and_not_counted_as_checked(scene: Scene) -> None:
    """By somebody with all rights and the key; what such an event says may be anything, so its number is said."""
    row = await scene.admin.fetchrow(
        "select position, stream, meta from event where type = 'ObligationOpened' order by position limit 1"
    )
    assert row
    before = await scene.found()
    made_up = re.sub('"rule_version":[0-9]+', '"rule_version":99', row["meta"])
    await scene.admin.execute("update event set meta = $2 where position = $1", row["position"], made_up)
    await remake(scene, row["position"], row["stream"])
    found = await scene.found()
    assert found.broken is None
    assert found.unchecked == {"rule what_is_owed 99 is not known here": 1}
    assert found.rechecked == before.rechecked - 1
    await scene.admin.execute("update event set meta = $2 where position = $1", row["position"], row["meta"])
    await remake(scene, row["position"], row["stream"])
    assert (await scene.found()).unchecked == {}


async def remake(scene: Scene, position: int, stream: str, data: str | None = None) -> None:
    await scene.admin.execute("update event set data = coalesce($2, data) where position = $1", position, data)
    await scene.admin.execute(f"select rehash('{stream}')")
    await scene.sign_again()


def other_policy(scene: Scene) -> Path:
    """The same words, other bytes."""
    other = scene.settings.home / "other.yaml"
    other.write_bytes(b"# another\n" + POLICY.read_bytes())
    return other


async def test_a_policy_that_nobody_kept_is_said_and_is_no_break(scene: Scene) -> None:
    """Control: with the policy kept in the ledger this machine needs not have it."""
    elsewhere = replace(scene, settings=scene.settings.model_copy(update={"policy": other_policy(scene)}))
    assert (await elsewhere.found()).unchecked == {}
    kept = await scene.admin.fetchrow("delete from policy returning *")
    assert kept
    gone = await elsewhere.found()
    assert gone.broken is None
    assert set(gone.unchecked) == {f"policy {kept['hash'][:12]} is not known here"}
    with pytest.raises(asyncpg.CheckViolationError):
        await scene.admin.execute("insert into policy values ($1, $2, $3)", kept["hash"], b"x", kept["calendars"])
    await scene.admin.execute("insert into policy values ($1, $2, $3)", *kept)


async def test_what_an_earlier_run_held_is_not_run_again(scene: Scene) -> None:
    settings, policy = scene.settings, load_policy()
    means = Means(settings.keys, settings.kek, settings.destroyed_keys, {policy.hash: policy})
    question = question_of(settings, (), 1, None, quiet=True)
    head = await scene.admin.fetchval("select max(position) from event")
    names = sorted(row["stream"] for row in await scene.admin.fetch("select stream from case_view"))

    async def run(earlier: Rules) -> int:
        found = Verified(rules=earlier)
        await verify_rules(question, means, found)
        assert found.broken is None
        return found.rechecked

    every = await run(Rules())
    assert await run(Rules(upto=head)) == await run(Rules(0, head, names[-1])) == 0
    assert 0 < await run(Rules(0, head, names[0])) < every
    half = "select percentile_disc(0.5) within group (order by position) from event where stream like 'case-%'"
    assert 0 < await run(Rules(upto=await scene.admin.fetchval(half))) < every


async def test_without_the_keys_nothing_is_called_broken(scene: Scene, tmp_path: Path) -> None:
    elsewhere = replace(scene, settings=scene.settings.model_copy(update={"home": tmp_path}))
    anchors = scene.keys.known()
    found = await elsewhere.found(ALL - {"read_models"}, anchors=anchors)
    assert found.broken is None
    assert set(found.unchecked) <= {"no key on this machine"}
    assert found.rechecked + found.unchecked.total() == (await scene.found()).rechecked
