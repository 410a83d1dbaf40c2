"""The page for programs: complete, and nothing on it comes from elsewhere."""

import re

from httpx2 import AsyncClient

from domain.journey import COMMANDS


async def test_the_page_for_programs_names_every_command_and_fetches_nothing(nobody: AsyncClient) -> None:
    page = await nobody.get("/docs")
    assert page.status_code == 200
    assert all(command.__name__ in page.text for command in COMMANDS)
    assert not re.search(r"<script|<link|(?:src|href)=[\"'](?:https?:)?//", page.text)
