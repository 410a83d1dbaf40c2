"""A silent logger and a decision nobody makes reach quality assurance by real mail, once; an empty store does not."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from activities.effect_handlers.mail import desks_of
from activities.following.chasing import ChasingOverdue
from activities.telling import TellingChanges
from api.run.wiring import Parts
from domain.core.telling.notices import NoticeEnded
from domain.doses import stock
from infra.reads.registers import RegisterQueries
from tests.api.conftest import Person, Staffed
from tests.api.routes.doses.test_genealogy import lot, told
from tests.api.routes.doses.test_readings import FILE, HOUR, NOW, sent, store
from tests.infra.gateways import SENDER, mail

pytestmark = pytest.mark.slow


async def test_quality_is_told_once_of_a_silent_logger_and_of_a_decision_that_is_owed(
    people: Mapping[str, Person], staffed: Staffed, here: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quality, unit = people["quality"], f"u-{uuid.uuid4().hex[:8]}"
    freezer, empty, batch = await store(quality), await store(quality), await lot(quality, unit)
    since = (NOW - 5 * HOUR).isoformat()
    await told(quality, batch, "PlaceUnit", unit=unit, store=freezer, position="A1", since=since)
    for one in (freezer, empty):
        assert (await sent(quality, one, FILE)).is_success
    chasing = [ChasingOverdue(here.commands, RegisterQueries(here.ledger.pool)) for _ in range(2)]
    async with mail(tmp_path) as post:
        link = "https://caravel.example/console/operations"
        telling = TellingChanges(
            here.commands, here.ledger.owing_notices, post.side, link, SENDER, desks_of(here.ledger, {})
        )

        async def recorded() -> list[tuple[str, str, str]]:
            """What was mailed since the last time: recipient, and the page it leads to."""
            before = len(await post.process.get("/messages?limit=1000"))
            await asyncio.gather(*(one.round() for one in chasing))
            await asyncio.gather(*(telling.round() for _ in range(2)))
            found = await post.process.get("/messages?limit=1000")
            new = [await post.process.get(f"/messages/{one['id']}") for one in found if one["id"] > before]
            return [(one["recipient"], one["subject"], one["body"]) for one in new]

        await telling.round()  # of the staff that was registered
        (to, subject, text), *others = await recorded()
        assert len(others) == len(staffed.ids["quality"]) - 1, [one[1] for one in others]
        assert (to, subject.startswith("Caravel: no readings of F-")) == ("staff@example.org", True)
        assert f"https://caravel.example/console/stores/{freezer}" in text
        assert await recorded() == [], "once"
        assert not (await here.commands.entry(empty)).state.chase.taken, "nothing lies in it"
        monkeypatch.setattr(stock, "REMIND", timedelta(0))  # a day has passed
        (to, subject, text), *others = await recorded()
        assert len(others) == len(staffed.ids["quality"]) - 1, [one[1] for one in others]
        assert (to, subject) == ("staff@example.org", "Caravel: a decision about a lot is owed")
        assert f": {unit}\r\n" in text
        assert f"https://caravel.example/console/lots/{batch}" in text
        assert await recorded() == []
    facts = (await here.commands.entry(batch)).facts
    ends = [f.event for f in facts if isinstance(f.event, NoticeEnded)]
    told_of = sorted((one.what, one.to, one.outcome) for one in ends)
    assert told_of == sorted(("undecided", one, "sent") for one in staffed.ids["quality"]), "each of the two, once"
