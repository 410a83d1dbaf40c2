"""The page that takes in a file of results: filled by columns, with every fault, and in the language of the page."""

from __future__ import annotations

import httpx2

from tests.api.conftest import Person
from tests.api.console.conftest import ORIGIN, Browser, hidden
from tests.api.results import summaries
from tests.infra.health_links.sharing import FHIR, encrypted, link, sharing

FILE = "Test;Result;Units;Drawn\nHb;9,5;g/dL;05.01.2026\nHb;900;g/dL;06.01.2026\n"
MAPPED = {
    "column.analyte": "Test", "column.value": "Result", "column.unit": "Units", "column.occurred": "Drawn",
    "analytes": "Hb = haemoglobin", "dates": "%d.%m.%Y", "decimal": ",", "delimiter": ";",
}  # fmt: skip


async def sent(mei: Browser, path: str, form: dict[str, str], file: str = FILE) -> httpx2.Response:
    """What a browser sends: it calls a CSV what its system does."""
    files = {"file": ("lab.csv", file.encode(), "application/vnd.ms-excel")}
    return await mei.http.post(path, data=form, files=files, headers={"Origin": ORIGIN})


async def test_a_table_is_taken_from_the_page_once_its_faults_are_left_out(mei: Browser, coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    path = f"/console/cases/{case}/do/ImportResults"
    assert path in (await mei.get(f"/console/cases/{case}/actions")).text
    form = hidden((await mei.get(path)).text) | MAPPED
    refused = await sent(mei, path, form)
    assert refused.status_code == 422
    assert "line 3, value: is not plausible" in refused.text
    again = hidden(refused.text) | MAPPED | {"skip_faults": "true"}
    done = await sent(mei, path, again)
    assert "1 results taken." in done.text
    observations = (await coordinator.get(f"/cases/{case}/observations")).json()["observations"]
    assert [(o["value"], o["unit"]) for o in observations] == [("9.5", "g/dL")]
    empty = await mei.http.post(path, data=hidden(done.text), headers={"Origin": ORIGIN})
    assert empty.status_code == 422


async def test_a_summary_is_taken_from_the_page_and_shown_on_the_case(mei: Browser, coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    path = f"/console/cases/{case}/do/ImportResults"
    files = {"file": ("summary.json", summaries.sent(summaries.WHOLE), "application/json")}
    form = hidden((await mei.get(path)).text)
    done = await mei.http.post(path, data=form, files=files, headers={"Origin": ORIGIN})
    assert "8 statements taken." in done.text
    assert "only words tell of it" in done.text
    shown = (await mei.get(f"/console/cases/{case}")).text
    for words in ("What summaries say", "Penicillin", "Anaphylaxis", "none known", "not said", "summary-7"):
        assert words in shown, words


async def test_a_link_is_opened_from_the_page_and_never_shown_again(mei: Browser, coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    path = f"/console/cases/{case}/do/ImportResults"
    async with sharing(passcode="canary-4711") as far:
        files = [{"contentType": FHIR, "embedded": encrypted(summaries.sent(summaries.WHOLE))}]
        typed = {"link": link(far.shares("manifest", {"files": files}), flag="P"), "passcode": "canary-0"}
        form = hidden((await mei.get(path)).text)
        wrong = await mei.http.post(path, data=form | typed, headers={"Origin": ORIGIN})
        assert (wrong.status_code, "4 more tries" in wrong.text) == (422, True), wrong.text[-2000:]
        assert "canary-0" not in wrong.text
        assert "shlink:/ey" not in wrong.text
        done = await mei.http.post(path, data=form | typed | {"passcode": "canary-4711"}, headers={"Origin": ORIGIN})
        assert "8 statements taken." in done.text
