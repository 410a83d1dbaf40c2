"""A coordinator takes a case from the first call to the visa by what its page leads to, within a budget of clicks."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.stages.treatment.dose import HoldDose
from tests.api.conftest import Person
from tests.api.console.conftest import Screen
from tests.api.console.test_browser import CENTRE, LATER, LOT, PROTOCOL, catalogue, coordinating, mine  # noqa: F401 - fixtures
from tests.api.routes.test_documents import PDF

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
CLICKS, LOADS = 80, 30


class Walk:
    """Counts what a person does: what they press or choose, and the pages that come."""

    def __init__(self, one: Screen) -> None:
        self.one, self.clicks, self.loads = one, 0, 0
        one.page.on("load", self._loaded)

    def _loaded(self, _: Page) -> None:
        self.loads += 1

    async def press(self, link: str) -> None:
        self.clicks += 1
        await self.one.page.locator(f"main {link}").first.click()

    async def record(self, **fields: str | bool | bytes) -> None:
        self.clicks += len(fields) + 1
        await self.one.fill(**fields)
        await self.one.record()
        await self.one.page.locator(".done").wait_for()

    async def give(self, command: str, **fields: str | bool | bytes) -> None:
        """Give a command that the page of the case leads to; nothing of the case is named but by the link."""
        await self.press(f'a[href*="/do/{command}"]')
        await self.one.page.wait_for_url(f"**/do/{command}*")
        await self.record(**fields)


async def test_a_coordinator_takes_a_case_from_the_first_call_to_the_visa(
    mine: Screen,  # noqa: F811 - an argument
    here: Parts,
    people: dict[str, Person],
) -> None:
    await catalogue(here)
    walk = Walk(mine)
    await mine.go("/console/open")
    await walk.record(country="IN", language="hi", zone="Asia/Kolkata", patient_name="Asha Rao")
    case = mine.page.url.partition("/cases/")[2].partition("?")[0]
    await walk.give("ReplyToFamily", channel="call")
    await walk.give("AcknowledgeScope", form_version="1")
    consent = {"form_version": "1", "language": "en"}
    await walk.give("GiveConsent", purpose="data_processing", **consent)
    assert "Records" in await mine.page.locator(".done").inner_text()
    await walk.give("RequestRecord", kind="pathology")
    await walk.give("ReceiveRecord", language="en", file=PDF)
    await walk.give("VerifyRecord")
    await walk.give("DraftSummary", file=PDF)
    signed = await people["reviewer"].send(case, "SignSummary")
    assert signed.json()["stage"] == "eligibility", signed.text
    await mine.page.reload()
    await walk.give("ChooseCentre", centre=CENTRE, protocol=PROTOCOL)
    for purpose in ("share_with_hospital", "cross_border"):
        await walk.give("GiveConsent", purpose=purpose, recipient=CENTRE, **consent)
    await walk.give("SubmitDossier")
    told, submission = people["supervisor"], next(iter((await here.commands.case(case))[0].submissions))
    await told.send(case, "AcceptPatient", submission=submission, clinician="Dr Li")
    valid = LATER.isoformat()
    await told.send(case, "GiveQuote", submission=submission, total=120000, currency="USD", valid_until=valid)
    await mine.page.reload()
    await walk.give("AcceptQuote")
    await told.send(case, "HoldBed", ref="B-1", until=valid)
    await here.commands.record(CommandRequest(case, Meta("engine", "operation"), HoldDose(LOT, "unit-1", LATER)))
    await mine.page.reload()
    assert await mine.page.locator('[aria-current="step"] b').inner_text() == "Visa"
    assert walk.loads > 10, "what is counted happens"
    assert (walk.clicks <= CLICKS, walk.loads <= LOADS) == (True, True), f"{walk.clicks} clicks, {walk.loads} pages"
