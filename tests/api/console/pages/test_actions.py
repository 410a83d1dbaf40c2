"""Actions are found by plain words, without script; what is not possible now says why; the page of a case is small."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from api.console.actions import Act, ActionGroup, found, searched
from tests.api.conftest import Person
from tests.api.console.conftest import Browser

ACTS = (Act("AddNote", "Add note", "A note or the outcome of a call."), Act("Snooze", "Snooze", "No reminders yet."))
GROUPS = (ActionGroup("notes", "Notes", True, False, ACTS),)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("", ["AddNote", "Snooze"]),
        ("CALL", ["AddNote"]),
        ("note call", ["AddNote"]),
        ("notes", ["AddNote", "Snooze"]),
        ("remind", ["Snooze"]),
        ("visa", []),
    ],
)
def test_all_words_stand_in_the_name_the_meaning_or_the_group(asked: str, names: list[str]) -> None:
    assert [act.name for group in searched(GROUPS, asked) for act in group.acts] == names


def test_a_group_of_which_nothing_is_left_is_not_there() -> None:
    assert searched(GROUPS, "visa") == []
    assert found("", "anything")


@pytest.mark.slow
async def test_what_is_searched_is_found_with_what_cannot_be_done_now(
    browsers: Mapping[str, Browser], coordinator: Person
) -> None:
    mei = browsers["coordinator"]
    case = (await coordinator.open(owner=mei.id))["case"]
    page = (await mei.get(f"/console/cases/{case}")).text
    assert f'action="/console/cases/{case}/actions"' in page
    assert len(page.encode()) <= 56_000
    whole = (await mei.get(f"/console/cases/{case}/actions")).text
    led = re.findall(rf'href="/console/cases/{case}/actions#([^"]+)"', page)
    assert len(led) > 5
    assert len(set(led)) == len(led)
    assert [place for place in led if whole.count(f'id="{place}"') != 1] == [], "what is not owed stands there"
    some = (await mei.get(f"/console/cases/{case}/actions?q=note")).text
    assert "/do/AddNote" in whole
    assert "/do/AddNote" in some
    assert "/do/HoldCase" in whole
    assert "/do/HoldCase" not in some
    assert "Grant visa" in whole, "what is not taken at this stage is there with its reason"
    assert "Grant visa" not in some
    assert "No action of these words" in (await mei.get(f"/console/cases/{case}/actions?q=%3Cscript%3Ex")).text
    assert "<script>x" not in (await mei.get(f"/console/cases/{case}/actions?q=%3Cscript%3Ex")).text


@pytest.mark.slow
async def test_what_is_owed_leads_to_its_form_filled_in(browsers: Mapping[str, Browser], coordinator: Person) -> None:
    mei = browsers["coordinator"]
    case = (await coordinator.open(owner=mei.id))["case"]
    page = (await mei.get(f"/console/cases/{case}")).text
    assert "Called for now" in page
    assert f'href="/console/cases/{case}/do/ReplyToFamily"' in page
    assert f"/console/cases/{case}/do/AskBedAgain" not in page, "no bed was ever asked for"
    refused = (await mei.get(f"/console/cases/{case}/actions")).text
    assert "/do/AskBedAgain" not in refused
    form = (await mei.get(f"/console/cases/{case}/do/Snooze")).text
    assert form.count("<option") == form.count('<option value="') > 1, "what it is about is chosen by its name"
