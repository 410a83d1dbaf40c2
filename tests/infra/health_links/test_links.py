"""SMART Health Links [records.health-link]: both ways to a file, what each fault says, and never the key."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.ports import LinkUnusable, Shared
from domain.catalogue.endpoint import NOTHING_MORE, Allowed
from infra.health_links.decoding import LARGEST, decoded, opened
from infra.health_links.fetching import SmartHealthLinks
from infra.hospitals.pinned import PinnedTransport
from tests.infra.health_links.sharing import FHIR, KEY, Sharing, b64, encrypted, link, sharing

NOW = datetime(2026, 11, 30, tzinfo=UTC)
BUNDLE = b'{"resourceType": "Bundle"}'
HERE = Allowed.of(("127.0.0.1",))
CARD = {"contentType": "application/smart-health-card", "embedded": "x"}


@pytest.fixture
async def far() -> AsyncIterator[Sharing]:
    async with sharing() as one:
        yield one


async def fetch(text: str, passcode: str = "", file: int = 0, allowed: Allowed = HERE) -> Shared:
    links = SmartHealthLinks(lambda: PinnedTransport(allowed), lambda: NOW)
    return await links.fetch(text, passcode, "A clinic", file)


async def refused(text: str, passcode: str = "", file: int = 0, allowed: Allowed = HERE) -> LinkUnusable:
    with pytest.raises(LinkUnusable) as no:
        await fetch(text, passcode, file, allowed)
    said = f"{no.value!r} {no.value.detail} {no.value.__cause__}"
    assert no.value.__suppress_context__ or no.value.__context__ is None
    for secret in (b64(KEY), KEY.hex(), passcode or "no passcode", text[-40:]):
        assert secret not in said
    return no.value


@pytest.mark.parametrize("packed", [{}, {"zip": "DEF"}], ids=["plain", "deflated"])
async def test_a_direct_link_is_fetched_once_in_the_recipients_name(far: Sharing, packed: dict[str, Any]) -> None:
    url = far.shares("file", encrypted(BUNDLE, **packed))
    shared = await fetch(f"https://viewer.example.org/#{link(url, flag='LU')}")
    assert (shared.file.media, shared.file.content, shared.others) == (FHIR, BUNDLE, ())
    assert [(method, target.partition("?")[2]) for method, target, _ in far.asked] == [("GET", "recipient=A+clinic")]


@pytest.mark.parametrize("how", ["embedded", "location"])
async def test_a_manifest_is_asked_with_passcode_and_recipient(how: str) -> None:
    async with sharing(passcode="1234") as far:
        content = encrypted(BUNDLE)
        file = {"contentType": FHIR, how: content if how == "embedded" else far.shares("file", content)}
        url = far.shares("manifest", {"files": [CARD, file]})
        shared = await fetch(link(url, flag="P"), "1234")
        assert (shared.file.content, shared.others) == (BUNDLE, ("application/smart-health-card",))
        assert json.loads(far.asked[0][2]) == {
            "recipient": "A clinic", "embeddedLengthMax": LARGEST, "passcode": "1234",
        }  # fmt: skip


async def test_a_wrong_passcode_says_how_many_tries_are_left() -> None:
    async with sharing(passcode="1234", tries=2) as far:
        url = far.shares("manifest", {"files": []})
        no = await refused(link(url, flag="P"), "9999")
        assert (no.field, no.remaining, no.detail) == ("passcode", 1, "is not the passcode of this link; 1 more try")
        missing = await refused(link(url, flag="P"))
        assert (missing.field, len(far.asked)) == ("passcode", 1), "the host is not asked without one"


async def test_of_several_files_one_is_chosen(far: Sharing) -> None:
    files = [{"contentType": FHIR, "embedded": encrypted(b"{%d}" % n)} for n in range(2)]
    text = link(far.shares("manifest", {"files": [CARD, *files]}))
    no = await refused(text)
    assert (no.field, "one of 2, 3" in no.detail) == ("file", True)
    assert (await fetch(text, file=3)).file.content == b"{1}"
    assert (await refused(text, file=1)).field == "file"


@pytest.mark.parametrize(("manifest", "words"), [
    ({"files": [CARD]}, "shares no FHIR: only application/smart-health-card"), ({"files": []}, "lists no files"),
    ({}, "lists no files"), (b"[]", "answers with no manifest"), (b"<html>", "answers with no manifest"),
    ({"files": [{"contentType": "Wilhelmina"}]}, "only something else"),
    ({"files": [{"contentType": FHIR}]}, "without its content"),
    ({"files": [{"contentType": FHIR, "embedded": "a.b.c"}]}, "is not encrypted"),
    ({"files": [{"contentType": FHIR, "status": "retracted", "embedded": "x"}]}, "shares no FHIR"),
    ({"files": [{"contentType": FHIR, "location": "http://169.254.169.254/x"}]}, "is not public"),
    ({"files": [{"contentType": FHIR, "location": "not an address"}]}, "cannot be reached"),
])  # fmt: skip
async def test_what_a_manifest_lacks_is_said(far: Sharing, manifest: Any, words: str) -> None:
    assert words in (await refused(link(far.shares("manifest", manifest)))).detail


@pytest.mark.parametrize(("status", "words", "later"), [
    (404, "no longer active", False), (410, "no longer active", False), (500, "cannot be reached", True),
    (302, "cannot be reached", True), (429, "too often", True), (401, "cannot be reached", True),
])  # fmt: skip
async def test_what_the_host_answers_is_said(far: Sharing, status: int, words: str, later: bool) -> None:
    no = await refused(link(far.shares("file", b"Wilhelmina", status), flag="U"))
    assert (words in no.detail, no.later, "Wilhelmina" in no.detail) == (True, later, False)


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:1/x", "http://169.254.169.254/latest", "https://10.0.0.1/x", "https://[::1]/x", "https://localhost/",
])  # fmt: skip
async def test_no_link_leads_inside(url: str) -> None:
    assert "is not public" in (await refused(link(url, flag="U"), allowed=NOTHING_MORE)).detail


@pytest.mark.parametrize("url", [
    "https://127.0.0.1:99999/x", "https://a..b/x", f"https://{'a' * 300}.example/x", "https://xn--/x",
])  # fmt: skip
async def test_an_address_that_cannot_be_is_not_reached(far: Sharing, url: str) -> None:
    assert "cannot be reached" in (await refused(link(url, flag="U"))).detail
    file = {"contentType": FHIR, "location": url}
    assert "cannot be reached" in (await refused(link(far.shares("manifest", {"files": [file]})))).detail


async def test_a_host_that_counts_beyond_measure_is_not_quoted(far: Sharing) -> None:
    text = '{"remainingAttempts": ' + "9" * 4000 + "}"
    no = await refused(link(far.shares("manifest", text, 401)))
    assert (no.remaining, no.detail) == (None, "is not the passcode of this link")


async def test_another_key_opens_nothing(far: Sharing) -> None:
    url = far.shares("file", encrypted(BUNDLE, key=bytes(32)))
    assert "does not open its file" in (await refused(link(url, flag="U"))).detail


async def test_more_than_is_taken_is_refused_while_it_comes(far: Sharing) -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = bomb.compress(bytes(LARGEST + 1)) + bomb.flush()
    assert len(packed) < LARGEST // 100
    url = far.shares("file", b"." * (LARGEST * 2))
    assert "more than 16 MiB" in (await refused(link(url, flag="U"))).detail


def test_a_file_that_grows_beyond_measure_is_not_unpacked() -> None:
    with pytest.raises(LinkUnusable, match="more than 16 MiB"):
        opened(encrypted(bytes(LARGEST + 1), zip="DEF"), KEY)
    assert len(opened(encrypted(bytes(LARGEST), zip="DEF"), KEY).content) == LARGEST


URL = "https://shl.example.org/x"
WRONG = [
    ("", "is no SMART"), ("shlink:/", "is no SMART"), ("shlink:/%%%", "is no SMART"),
    ("https://a.example", "is no SMART"),
    ("shlink:/" + b64(b"[]"), "is no SMART"), ("shlink:/" + b64(b"{"), "is no SMART"),
    ("shlink:/" + "A" * 9000, "is no SMART"), (link(URL, v=2), "newer version"),
    (link(URL, key=bytes(16)), "no key of 256 bits"), (link(URL, flag=5), "is no SMART"),
    (link(URL, exp=1), "has expired"), (link(URL, exp="soon"), "is no SMART"), (link(URL, flag="PU"), "and for none"),
    (link("ftp://example.org/"), "no https address"), (link("https://u:p@example.org/"), "no https address"),
    (link("https:///x"), "no https address"), (link("https://example.org:bad/"), "is no SMART"),
    (link(URL, exp=10**400), "is no SMART"), (link(URL, exp=float("nan")), "is no SMART"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_what_is_no_link_says_why(text: str, words: str) -> None:
    with pytest.raises(LinkUnusable, match=words):
        decoded(text, NOW)
    assert decoded(link(URL, exp=NOW.timestamp() + 1, v=1, label="x", extra={}), NOW).url == URL, "the control"


def test_nothing_secret_shows_of_a_link() -> None:
    shown = repr(decoded(link(URL), NOW))
    assert "shl.example.org" not in shown
    assert repr(KEY) not in shown


@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda raw: "shlink:/" + b64(raw)))
def test_any_text_is_a_link_or_refused(text: str) -> None:
    with pytest.raises(LinkUnusable):
        decoded(text, NOW)


@given(
    st.text(alphabet="ABcd01-_.=", max_size=60) | st.binary(max_size=60).map(lambda r: f"{b64(r)}..{b64(r)}.{b64(r)}.x")
)
def test_any_text_is_a_file_or_refused(text: str) -> None:
    with pytest.raises(LinkUnusable):
        opened(text, KEY)
