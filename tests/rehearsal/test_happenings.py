"""What happens to the demonstration's cases happens once, and a demonstration without such cases goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.case.stage import Stage
from domain.core.fact import Command
from domain.doses.lot import RegisterLot, ReleaseLot
from domain.recalls.recall import RecallOpened
from domain.stages.intake.importing import ImportFacts
from domain.stages.intake.inquiry import OpenCase
from domain.stages.treatment.infusion import RecordInfusion
from infra.ids import fresh_stream
from rehearsal.courses.known import catalogued
from rehearsal.demo import once
from rehearsal.happenings import RECALL, bring_about

LOT = "lot-happens"


async def _case(here: Parts, *commands: Command) -> str:
    case = fresh_stream("case")
    for command in (OpenCase("IN", "en", "Asia/Kolkata", "A. Name", imported=True), *commands):
        await here.commands.record(CommandRequest(case, Meta("demo"), command))
    return case


async def test_a_recall_a_hold_and_a_new_cancer_happen_once_to_whom_they_can(here: Parts) -> None:
    now = datetime.now(UTC)
    head = await here.ledger.head()
    await bring_about(here.commands, here.ledger, now)
    assert await here.ledger.head() == head, "nothing can happen where there is no case"
    protocol = catalogued().protocols[0]
    await once(here.commands, protocol.stream, protocol.command)
    centre = protocol.command.centre or next(iter(catalogued().centres))
    await once(here.commands, centre, catalogued().centres[centre])
    ends = now + timedelta(days=60)
    for command in (RegisterLot(protocol.command.product, ("u1", "u2"), ends, by="lab"), ReleaseLot("quality")):
        await here.commands.record(CommandRequest(LOT, Meta("demo"), command))
    there: dict[str, Any] = {"centre": centre, "protocol": protocol.stream}
    held = ImportFacts(Stage.INFUSION, **there, dose_lot=LOT, dose_unit="u1", dose_until=ends)
    given = await _case(here, held, RecordInfusion("u1", deviation="told late"))
    await _case(here, ImportFacts(Stage.VISA, **there))
    await bring_about(here.commands, here.ledger, now)
    opened = [fact.event for fact in (await here.ledger.load(RECALL)).facts if isinstance(fact.event, RecallOpened)]
    holds = (await here.commands.entry(protocol.stream)).state.holds
    case, _, _ = await here.commands.case(given)
    assert [one.scope for one in opened] == [LOT]
    assert [one.holder for one in holds] == ["regulator"]
    assert [alert.kind for alert in case.alerts.values()].count("malignancy") == 1
    head = await here.ledger.head()
    await bring_about(here.commands, here.ledger, now)
    assert await here.ledger.head() == head, "nothing happens twice"
