"""One consent withdrawn shuts every way of a hospital to a dossier at once: interface, reading room, sign-in."""

from __future__ import annotations

import httpx2
import pytest

from api.ports import DevSignIn
from api.run.http_app import http_app
from domain.stages.intake.people import GiveConsent, WithdrawConsent
from tests.api.by_mail import House, browser
from tests.api.conftest import HOST, NO_LIMIT, SECRET, registered
from tests.api.console.conftest import browsing
from tests.api.console.test_reading_room import Clerk, house, mailed
from tests.api.hospitals.test_handing_over import paths

__all__ = ["house"]


@pytest.mark.parametrize("purpose", ["share_with_hospital", "cross_border"])
async def test_consent_withdrawn_shuts_interface_reading_room_and_sign_in(house: House, purpose: str) -> None:
    sent, path = await mailed(house)
    name = next(iter(sent.files))
    address = (await paths(sent))[name]
    app = http_app(house.here, dev=DevSignIn(SECRET, frozenset({HOST})), limits=NO_LIMIT)
    signed = await browsing(app, await registered(house.here, "hospital", house.centre))
    async with browser(house.app) as mailed_to, browser(house.app) as interface:
        room = Clerk(house, sent, path, mailed_to)
        await room.enter(await room.code())

        async def doors() -> tuple[httpx2.Response, ...]:
            return (
                await interface.get(address),
                await room.look(f"/dossier/{name}"),
                await signed.get(f"/hospital/{sent.id}/{sent.submission}/{name}"),
            )

        assert [one.content for one in await doors()] == [sent.files[name]] * 3, "the control: all three are open"
        await sent.tell(WithdrawConsent(purpose, sent.patient, sent.centre))  # type: ignore[arg-type] # one of them
        shut = await doors()
        assert [one.status_code for one in shut] == [410, 410, 404]
        assert not any(sent.files[name] in one.content for one in shut)
        await sent.tell(GiveConsent(purpose, sent.patient, "2", "en", sent.centre))  # type: ignore[arg-type] # as above
        assert [one.status_code for one in await doors()] == [410, 410, 404], "the request ended with it"
