"""Whoever looks into the catcher sees each message as its reader would, and nothing a sender wrote becomes a page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.infra.gateways import Mail, mail

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
