"""Names in another script than the page's keep their own direction, wherever a page shows them."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from tests.api.conftest import Person
from tests.api.console.conftest import Browser

pytestmark = pytest.mark.slow
VOID = frozenset({"input", "meta", "link", "br", "img", "hr"})


class Where(HTMLParser):
    """Finds every place of a name: whether it is kept apart there, and by what."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._inside: list[tuple[str, bool]] = []
        self.found: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        apart = tag == "bdi" or ("dir", "auto") in attrs
        if any(self._name in (value or "") for key, value in attrs if key == "value"):
            self.found.append((tag, apart))
        if tag not in VOID:
            self._inside.append((tag, apart))

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._name in data:
            tag = self._inside[-1][0]
            self.found.append((tag, tag == "option" or any(apart for _, apart in self._inside)))


def places(page: str, name: str) -> list[tuple[str, bool]]:
    reader = Where(name)
    reader.feed(page)
    return reader.found


async def pages(mei: Browser, coordinator: Person, name: str) -> Iterator[tuple[str, str]]:
    """Every page of a coordinator that shows who a patient is."""
    case = (await coordinator.open(owner=mei.id, patient_name=name))["case"]
    facts = (await coordinator.get(f"/cases/{case}/events")).json()["events"]
    before = facts[-1]["recorded_at"]
    await coordinator.send(case, "AddPerson", role="attendant", name=name, language="ur", zone="Asia/Karachi")
    person = next(f["id"] for f in facts if f["type"] == "PersonAdded")
    there = f"/console/cases/{case}"
    paths = ("/console/?tab=all&sort=newest", there, f"{there}/facts", f"{there}/timeline", f"{there}/do/AddNote",
             f"{there}/do/CorrectFact?fact={person}", f"{there}?known_at={before.replace('+00:00', 'Z')}")  # fmt: skip
    shown = [(path, (await mei.get(path)).text) for path in paths]
    found = await mei.post("/console/search", csrf=await mei.csrf(), q=name)
    return iter([*shown, ("search", found.text)])


@pytest.mark.parametrize(("language", "name"), [("en", "سارہ فلاں"), ("ar", "Max Mustermann"), ("ar", "王某某")])
async def test_a_name_is_kept_apart_from_what_stands_around_it(
    mei: Browser, coordinator: Person, language: str, name: str
) -> None:
    await mei.post("/console/language", language=language)
    try:
        for path, page in await pages(mei, coordinator, name):
            found = places(page, name)
            assert found, path
            assert all(apart for _, apart in found), (path, found)
    finally:
        await mei.post("/console/language", language="en")


def test_a_name_that_is_not_kept_apart_is_found() -> None:
    page = '<p><bdi>Max</bdi> <b>Max</b> <input value="Max"> <input value="Max" dir="auto"><select><option>Max'
    assert places(page, "Max") == [("bdi", True), ("b", False), ("input", False), ("input", True), ("option", True)]
