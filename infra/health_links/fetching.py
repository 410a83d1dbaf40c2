"""Fetches what a SMART Health Link shares: the one file of a direct link, or those a manifest lists."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

import httpx2

from activities.gateways import GatewayRefused
from activities.ports import LinkUnusable, Shared, SharedFile
from infra.health_links.decoding import LARGEST, HealthLink, decoded, manifest, opened

FHIR = "application/fhir+json"
MOST_FILES, MOST_TRIES = 50, 1_000
"""Files of a manifest; tries that are left to guess a passcode, above which nothing is said of them."""
ANSWER = LARGEST * 4 // 3 + 64 * 1024
"""Bytes of an answer: a file of the largest size, written in base64."""
SECONDS = 30
"""For all of it: the manifest and the file."""
OK, UNAUTHORISED, TOO_MANY = 200, 401, 429
GONE = (404, 410)
AWAY = "cannot be reached now; try again later"

Connect = Callable[[], httpx2.AsyncBaseTransport]
"""Makes a transport that calls none but the addresses that may be called."""


class SmartHealthLinks:
    """Opens links, each with a connection of its own that ends with it."""

    def __init__(self, connect: Connect, clock: Callable[[], datetime]) -> None:
        self._connect, self._clock = connect, clock

    async def fetch(self, link: str, passcode: str, recipient: str, file: int = 0) -> Shared:
        """Fetch the FHIR file of a link; `file` counts the listed files from 1 where several are FHIR, 0 = the one.

        Raises LinkUnusable, which says what is wrong, and never repeats link, key or passcode.
        """
        known = decoded(link, self._clock())
        if known.asks_passcode and not passcode:
            raise LinkUnusable("is needed for this link", "passcode")
        try:
            async with asyncio.timeout(SECONDS), self._connect() as far:
                if known.direct:
                    return _direct(await _called(far, "GET", _named(known.url, recipient), None, known), known)
                return await _listed(far, known, passcode, recipient, file)
        except GatewayRefused:
            raise LinkUnusable("leads to an address that is not public, or not by https") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError):
            raise LinkUnusable(AWAY, later=True) from None


def _named(url: str, recipient: str) -> str:
    return str(httpx2.URL(url).copy_merge_params({"recipient": recipient}))


def _direct(body: bytes, known: HealthLink) -> Shared:
    return Shared(opened(body.decode("ascii", "replace"), known.key), ())


async def _listed(
    far: httpx2.AsyncBaseTransport, known: HealthLink, passcode: str, recipient: str, file: int
) -> Shared:
    asked: dict[str, Any] = {"recipient": recipient, "embeddedLengthMax": LARGEST}
    if passcode:
        asked["passcode"] = passcode
    listed = manifest(await _called(far, "POST", known.url, json.dumps(asked).encode(), known)).get("files")
    files = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if not files or len(files) > MOST_FILES:
        raise LinkUnusable(f"lists no files, or more than {MOST_FILES}")
    number = _chosen(files, file)
    one = files[number - 1]
    embedded, location = one.get("embedded"), one.get("location")
    if isinstance(embedded, str):
        content = opened(embedded, known.key)
    elif isinstance(location, str):
        body = await _called(far, "GET", location, None, known)
        content = opened(body.decode("ascii", "replace"), known.key)
    else:
        raise LinkUnusable("lists a file without its content")
    others = tuple(_media(each) for n, each in enumerate(files, 1) if n != number)
    return Shared(SharedFile(content.media or FHIR, content.content), others)


def _chosen(files: Sequence[Mapping[str, Any]], file: int) -> int:
    """The number of the file to take. Raises LinkUnusable where none is FHIR, or several are and none was chosen."""
    fhir = [n for n, one in enumerate(files, 1) if _media(one) == FHIR and one.get("status") not in RETRACTED]
    if not fhir:
        raise LinkUnusable(f"shares no FHIR: only {', '.join(sorted({_media(one) for one in files}))}")
    if file in fhir or (file == 0 and len(fhir) == 1):
        return file or fhir[0]
    numbers = ", ".join(map(str, fhir))
    raise LinkUnusable(f"says which file to take, one of {numbers}: the link shares several", "file")


RETRACTED = ("entered-in-error", "no-longer-valid", "retracted")
MEDIA = (FHIR, "application/smart-health-card", "application/smart-api-access")
"""What a manifest may list; the last two are named and not read."""


def _media(one: Mapping[str, Any]) -> str:
    media = one.get("contentType")
    plain = media.partition(";")[0].strip() if isinstance(media, str) else ""
    return plain if plain in MEDIA else "something else"


async def _called(
    far: httpx2.AsyncBaseTransport, method: str, url: str, body: bytes | None, known: HealthLink
) -> bytes:
    """The body of a good answer, of at most the size that is taken. Raises LinkUnusable.

    The transport is called without a client around it: a client logs each address, and this one is a secret.
    """
    headers = {"Content-Type": "application/json"} if body is not None else {}
    patience = {"timeout": httpx2.Timeout(SECONDS).as_dict()}
    asked = httpx2.Request(method, url, headers=headers, content=body, extensions=patience)
    async with aclosing(await far.handle_async_request(asked)) as answer:
        read = bytearray()
        async for part in answer.aiter_bytes():
            read += part
            if len(read) > ANSWER:
                raise LinkUnusable(f"leads to a file of more than {LARGEST >> 20} MiB")
        if answer.status_code != OK:
            raise _refused(answer.status_code, bytes(read), known)
        return bytes(read)


def _refused(status: int, body: bytes, known: HealthLink) -> LinkUnusable:
    if status in GONE:
        return LinkUnusable("is no longer active; ask for a new one")
    if status == UNAUTHORISED and not known.direct:
        return _wrong_passcode(body)
    if status == TOO_MANY:
        return LinkUnusable("was opened too often just now; try again later", later=True)
    return LinkUnusable(AWAY, later=True)


def _wrong_passcode(body: bytes) -> LinkUnusable:
    try:
        left = json.loads(body).get("remainingAttempts")
    except (ValueError, AttributeError, RecursionError):
        left = None
    known = left if isinstance(left, int) and not isinstance(left, bool) and 0 <= left <= MOST_TRIES else None
    tries = "" if known is None else f"; {known} more tries" if known != 1 else "; 1 more try"
    return LinkUnusable(f"is not the passcode of this link{tries}", "passcode", remaining=known)
