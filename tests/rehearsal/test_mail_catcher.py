"""Whoever looks into the catcher sees each message as its reader would, and nothing a sender wrote becomes a page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.infra.gateways import Mail, hospital, mail

pytestmark = pytest.mark.slow


async def page(rig: Mail, path: str) -> str:
    return (await rig.process.web.get(rig.process.health + path)).text


async def test_messages_are_listed_found_and_read(tmp_path: Path) -> None:
    async with mail(tmp_path) as rig:
        request = rig.request()
        request = replace(request, body={**request.body, "number": "<script>alert(1)</script>"})
        await rig.side.send(request)
        await rig.side.send(rig.request())
        found = await rig.process.get(f"/messages?to={request.body['address']}")
        assert [m["effect"] for m in found] == [request.effect]
        shown = await rig.process.get(f"/messages/{found[0]['id']}")
        assert "最近的血液检查结果" in shown["body"]
        for path in ("/", f"/read/{found[0]['id']}"):
            html = await page(rig, path)
            assert "&lt;script&gt;" in html
            assert "<script>" not in html
        assert (await rig.process.web.get(f"{rig.process.health}/read/99")).status_code == 404
        assert (await rig.process.web.get(f"{rig.process.health}/messages/99")).status_code == 404


@pytest.mark.parametrize(("start", "program"), [(mail, "process"), (hospital, "simulator")])
async def test_a_page_of_another_site_that_is_led_here_is_not_answered(
    tmp_path: Path, start: Any, program: str
) -> None:
    """A browser sends the name it was given; one that was made to lead to this machine is not ours."""
    async with start(tmp_path) as rig:
        for name, status in (
            ("evil.example", 400),
            ("evil.example:8025", 400),
            ("localhost", 200),
            ("127.0.0.1:9", 200),
        ):
            there = getattr(rig, program)
            answer = await there.web.get(f"{there.health}/healthz", headers={"Host": name})
            assert answer.status_code == status, name
