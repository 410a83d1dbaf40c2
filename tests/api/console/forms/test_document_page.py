"""The page of a document: its preview, what an image tells, and the reason where there is nothing to show."""

from __future__ import annotations

import re
import uuid

import httpx2

from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden
from tests.api.http.files.test_inspection import WORD, image
from tests.api.http.files.test_previews import paper


async def test_it_shows_a_picture_a_header_or_says_why_not(mei: Browser, coordinator: Person) -> None:
    case = str((await coordinator.open())["case"])
    files = [await kept_by(coordinator, case, one) for one in (paper("REPORT"), image("RAO^ASHA"), WORD)]
    over = (await mei.get(f"/console/cases/{case}")).text
    assert "Other files" in over
    pages = list[httpx2.Response]()
    for name in files:
        assert f'/console/cases/{case}/documents/{name}"' in over
        pages.append(await mei.get(f"/console/cases/{case}/documents/{name}"))
    drawn, told, word = (one.text for one in pages)
    assert f'src="/cases/{case}/documents/{files[0]}/preview"' in drawn
    assert (await mei.get(f"/cases/{case}/documents/{files[0]}/preview")).headers["content-type"] == "image/png"
    assert "RAO^ASHA" in told
    assert "There is no preview of files of this type" in word


async def kept_by(coordinator: Person, case: str, content: bytes) -> str:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    answer = await coordinator.http.post(f"/cases/{case}/documents", content=content, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["document"])


async def test_it_is_there_for_nobody_who_may_not_open_it(
    mei: Browser, browsers: dict[str, Browser], coordinator: Person
) -> None:
    case = str((await coordinator.open())["case"])
    path = f"/console/cases/{case}/documents/{await kept_by(coordinator, case, paper())}"
    assert (await mei.get(path)).status_code == 200
    assert (await browsers["operator"].get(path)).status_code == 403
    assert (await mei.get(f"{path}0")).status_code == 404


async def test_a_proposal_fills_the_form_and_a_person_records_it(mei: Browser, coordinator: Person) -> None:
    case = str((await coordinator.open(patient_name="Asha Rao"))["case"])
    for kind in ("labs", "pathology"):
        await coordinator.send(case, "RequestRecord", kind=kind)
    name = await kept_by(
        coordinator, case, paper("Histopathology report of the biopsy\nof Asha Rao, with the date 12 Nov 2020")
    )
    path = f"/console/cases/{case}/documents/{name}"
    plain = (await mei.get(path)).text
    assert "Read the text and propose" in plain
    assert " selected" not in plain.partition('id="item"')[2], "nothing is filled in before somebody asks"
    filled = (await mei.get(f"{path}?read=true")).text
    assert "stands in the text" in filled
    assert "2020-11-12" in filled
    chosen = re.search(r'<option value="([^"]+)" selected>([^<]+)<', filled)
    assert chosen
    assert chosen[2] == "Pathology report" or "athology" in chosen[2]
    assert 'name="language" value="en"' in filled
    sent = {**hidden(filled), "item": chosen[1], "language": "en"}
    done = await mei.post(path, **sent)
    assert done.status_code == 200, done.text
    assert "Record it as what was asked for" not in done.text
    assert "received" in done.text.casefold()
    refused = await mei.post(path, **{**sent, "csrf": "x"})
    assert refused.status_code == 403
    for version in ("9" * 5000, "٣"):
        again = await mei.post(path, **{**sent, "version": version})
        assert again.status_code < 500, "no case has such a version"
