"""Addresses as links, monitors and people mangle them: heads without bodies, and nonsense that breaks nothing."""

from __future__ import annotations

from urllib.parse import quote

import httpx2
import pytest

from api.http.paging import cursor_of
from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.test_documents import PDF

pytestmark = pytest.mark.slow
FAR = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00", "9999-12-31T23:59")


def after(stream: str) -> str:
    return cursor_of({"next_due": None, "stream": stream, "urgent": False, "open": True})


CURSORS = (
    "", "x", "%00", "===", "a" * 5000, quote("محمد"), after("case-1"), after(""), "W10", "WzEsMl0",
    "WyIyMDI2LTAxLTAxIiwgImNhc2UtMSJd", "W251bGwsIG51bGxd", "bnVsbA", "eyJhIjoxfQ", "WyI5OTk5OTktMDEtMDEiLCAieCJd",
)  # fmt: skip
WORDS = (
    "tab=", "tab=nobody", "tab=mine&tab=all", "stage=%00", "stage=closed", "stage=inquiry&stage=visa", "debtor=all",
    "overdue=yes", "urgent=1&urgent=0", "country=%F0%9F%87%A8%F0%9F%87%B3", "country=" + "X" * 3000, "sort=%27;--",
    "q=%20", "q=C-0000-0000", "q=%00", "q=" + quote("../../etc"), "known_at=yesterday", "then=%E2%80%AE", "%FF=%FE",
)  # fmt: skip

ENDS = (
    "/at?recorded=-1&happened=99999999999999999999", "/timeline?before=-5", "/timeline?before=99999999999999999999",
    "?done=9-1&again=maybe", "/do/AddNote?kind=%00&text=%F0%9F%98%80",
)  # fmt: skip


@pytest.fixture(scope="module")
async def case(mei: Browser, coordinator: Person) -> str:
    opened: str = (await coordinator.open(owner=mei.id))["case"]
    return opened


async def test_a_head_is_what_a_get_says_without_its_body(mei: Browser, case: str) -> None:
    module = (await mei.get("/console/")).text.partition('src="')[2].partition('"')[0]
    pages = ("/console/", f"/console/cases/{case}", f"/console/cases/{case}/timeline", "/console/open", module)
    for path in (*pages, "/console/cases/none", "/healthz", "/"):
        get, head = await mei.http.get(path), await mei.http.head(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        names = set(get.headers) | set(head.headers)
        differs = {name for name in names if get.headers.get(name) != head.headers.get(name)}
        assert differs <= {"content-length"}, path  # the page names its own moment
        assert int(head.headers["content-length"]) == pytest.approx(len(get.content), rel=0.01), path


async def test_a_download_has_a_head_too(mei: Browser, coordinator: Person, case: str) -> None:
    await coordinator.send(case, "RequestRecord", kind="pathology")
    item = next(iter((await coordinator.get(f"/cases/{case}")).json()["case"]["records"]))
    filed = await coordinator.http.post(
        f"/cases/{case}/documents",
        params={"item": item, "language": "en", "filename": "scan.pdf"},
        content=PDF,
        headers={"Content-Type": "application/pdf", "Idempotency-Key": "head"},
    )
    assert filed.status_code == 201, filed.text
    path = filed.headers["location"]
    get, head = await coordinator.http.get(path), await coordinator.http.head(path)
    assert get.content == PDF
    assert (head.status_code, head.content, head.headers["content-type"]) == (200, b"", "application/pdf")


async def test_what_has_no_end_and_what_only_takes_has_no_head(mei: Browser) -> None:
    for path in ("/stream", "/console/search", "/console/bulk", "/console/sign-out"):
        assert (await mei.http.head(path)).status_code == 405, path


async def test_a_head_leaves_its_connection_as_it_was(site: str) -> None:
    """Over a real socket, where a body too many would be read as the next answer."""
    async with httpx2.AsyncClient(base_url=site) as http:
        for method in ("HEAD", "GET", "HEAD", "GET"):
            answer = await http.request(method, "/console/sign-in")
            assert answer.status_code == 200
            assert bool(answer.content) == (method == "GET")


@pytest.mark.parametrize("sort", ["due", "longest", "oldest", "newest"])
async def test_no_cursor_breaks_the_worklist(mei: Browser, case: str, sort: str) -> None:
    for cursor in CURSORS:
        answer = await mei.get(f"/console/?tab=all&sort={sort}&after={cursor}")
        assert answer.status_code in (200, 400), (cursor, answer.text)
        assert answer.headers["content-type"].startswith("text/html"), "said on a page, with a way on"
        assert 'href="/console/"' in answer.text
    assert case in (await mei.get(f"/console/?tab=all&sort={sort}")).text, "the control"


async def test_nonsense_in_an_address_is_left_out(mei: Browser, case: str) -> None:
    for words in (*WORDS, *(f"{name}={quote(at)}" for at in FAR for name in ("then", "known_at"))):
        answer = await mei.get(f"/console/?{words}")
        assert answer.status_code in (200, 404), (words, answer.status_code)
        assert answer.headers["content-type"].startswith("text/html")
    for end in (*ENDS, *(f"?known_at={quote(at)}&as_of={quote(at)}" for at in FAR)):
        answer = await mei.get(f"/console/cases/{case}{end}")
        assert answer.status_code in (200, 404, 422), (end, answer.status_code)
