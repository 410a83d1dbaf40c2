"""A hospital asked over FHIR R4: conditional create by effect id, search by effect id, no retries of its own."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2

from activities.gateways import UNUSABLE, Channel, GatewayRefused, Receipt, Request, Unreachable
from infra.hospitals import fhir_map, recall_tasks
from infra.hospitals.codes import EFFECT

OK, CREATED, EMPTY, REQUEST_ERROR, SERVER_ERROR = 200, 201, 204, 400, 500
ALREADY = (409, 412)
LATER = (401, 403, 407, 408, 425, 429)
"""No answer about the request: another time, or with a credential that is ours to mend."""
NOT_TAKEN = ("rejected", "cancelled", "entered-in-error", "failed")
"""States of a Task that say no to it."""
PAGES = 20
"""Pages of a search that are read; a search for one of our ids has one."""
LARGEST = 1 << 20
ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
"""FHIR's type id."""
ISSUES = (
    "invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired", "forbidden",
    "suppressed", "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
    "code-invalid", "extension", "too-costly", "business-rule", "conflict", "transient", "lock-error", "no-store",
    "exception", "timeout", "incomplete", "throttled", "informational",
)  # fmt: skip
"""FHIR's value set issue-type, which is closed."""
LONGEST_REASON = 500
FHIR_JSON = "application/fhir+json"
Body = bytes | AsyncIterator[bytes] | None


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for the connection, for each read, and for all of one attempt."""

    connect: float = 10
    read: float = 10
    total: float = 25


class NotUnderstood(Exception):
    """The hospital answered neither yes nor no; what became of the request is unknown."""


class FhirGateway:
    """Reaches one hospital's FHIR endpoint."""

    channel: Channel = "asks"

    def __init__(self, http: httpx2.AsyncClient, base: str, patience: Patience | None = None) -> None:
        self._http, self._base = http, base.rstrip("/")
        self._patience = patience or Patience()

    async def send(self, request: Request) -> Receipt:
        """Create the Task unless the hospital has it. Raises GatewayRefused, Unreachable; any other = unknown."""
        try:
            body = json.dumps(recall_tasks.task(request)).encode()
        except fhir_map.Unmapped as error:
            raise GatewayRefused("unmapped", str(error)) from error
        headers = {"If-None-Exist": _by_effect(request.effect), "Prefer": "return=representation"}
        async with asyncio.timeout(self._patience.total):
            status, answer, location = await self._call("POST", "/Task", body, headers)
            if status in ALREADY:
                return await self._already(request.effect)
            return _receipt(status, answer, location, request.effect)

    async def ask(self, effect: str) -> Receipt | None:
        """Return the receipt of an earlier request; None = the hospital never got it. Any exception = unknown."""
        async with asyncio.timeout(self._patience.total):
            return await self._found(effect)

    async def _found(self, effect: str) -> Receipt | None:
        """What every page of the search says; only a whole answer that counts none says that there is none."""
        path, counted, others = f"/Task?{_by_effect(effect)}", None, False
        for _ in range(PAGES):
            status, bundle, _ = await self._call("GET", path)
            if status != OK or bundle is None or bundle.get("resourceType") != "Bundle":
                raise NotUnderstood(f"search answered {status}")
            tasks = [entry.get("resource") for entry in _list(bundle, "entry")]
            for task in tasks:
                if number := _number(task, effect):
                    return Receipt(number)
            others = others or bool(tasks) or bundle.get("type") != "searchset"
            counted = bundle.get("total", counted)
            following = _next(bundle)
            if following is None:
                break
            path = self._beneath(following)
        else:
            raise NotUnderstood("search goes on for ever")
        if others or type(counted) is not int or counted != 0:
            raise NotUnderstood("search does not say that there is none")
        return None

    def _beneath(self, url: str) -> str:
        """The path of a page below our own base; another server is not asked."""
        if not url.startswith((f"{self._base}/", f"{self._base}?")):
            raise NotUnderstood("search goes on at another server")
        return url.removeprefix(self._base)

    async def put(self, name: str, media: str, size: int, content: AsyncIterator[bytes]) -> str:
        """Upload a document as a Binary under an id of ours, so that a repeat writes the same; return where it is.

        It is streamed. Raises GatewayRefused, Unreachable; any other = unknown.
        """
        headers = {"Content-Type": media, "Content-Length": str(size)}
        async with asyncio.timeout(self._patience.total):
            status, answer, _ = await self._call("PUT", f"/Binary/{name}", content, headers)
        if status not in (OK, CREATED, EMPTY):
            raise _no(status, answer)
        return f"{self._base}/Binary/{name}"

    async def _already(self, effect: str) -> Receipt:
        receipt = await self.ask(effect)
        if receipt is None:
            raise NotUnderstood("a conflict about something the hospital does not have")
        return receipt

    async def _call(
        self, method: str, path: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any] | None, str]:
        """Status, JSON object if it is one, Location. Reads at most a mebibyte. Raises Unreachable."""
        try:
            return await self._answered(method, path, body, headers or {})
        except (httpx2.ConnectError, httpx2.ConnectTimeout):  # no connection, so not a byte of it went out
            raise Unreachable from None

    async def _answered(
        self, method: str, path: str, body: Body, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any] | None, str]:
        sent = {"Accept": FHIR_JSON, "Content-Type": FHIR_JSON, **headers}
        timeout = httpx2.Timeout(self._patience.read, connect=self._patience.connect)
        url = self._base + path
        async with self._http.stream(method, url, content=body, headers=sent, timeout=timeout) as response:
            read = bytearray()
            async for part in response.aiter_bytes():
                read += part
                if len(read) > LARGEST:
                    raise NotUnderstood(f"an answer of more than {LARGEST} bytes")
            return response.status_code, _object(bytes(read)), response.headers.get("Location", "")


def _by_effect(effect: str) -> str:
    return urlencode({"identifier": f"{EFFECT}|{effect}"})


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def _list(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = holder.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _next(bundle: Mapping[str, Any]) -> str | None:
    links = [link.get("url") for link in _list(bundle, "link") if link.get("relation") == "next"]
    return next((url for url in links if isinstance(url, str)), "" if links else None)


def _receipt(status: int, answer: dict[str, Any] | None, location: str, effect: str) -> Receipt:
    if status in (OK, CREATED):
        number = _number(answer, effect) or (_located(location) if answer is None else "")
        if number:
            return Receipt(number)
        raise NotUnderstood(f"{status} without our Task in it")
    raise _no(status, answer)


def _no(status: int, answer: dict[str, Any] | None) -> Exception:
    """Return what an answer that is no yes comes to: a refusal where it is one for good, else nobody can say."""
    final = REQUEST_ERROR <= status < SERVER_ERROR and status not in LATER
    if final and answer and answer.get("resourceType") == "OperationOutcome":
        return _refusal(status, answer)
    return NotUnderstood(f"answered {status}")


def _number(task: object, effect: str) -> str:
    """The hospital's own name of our Task; empty = this is not it. Raises GatewayRefused where it says no to it."""
    if not isinstance(task, dict) or task.get("resourceType") != "Task" or not isinstance(task.get("id"), str):
        return ""
    ours = any((i.get("system"), i.get("value")) == (EFFECT, effect) for i in _list(task, "identifier"))
    if ours and task.get("status") in NOT_TAKEN:
        reason = task.get("statusReason")
        said = reason.get("text") if isinstance(reason, dict) else ""
        raise GatewayRefused(task["status"], str(said or "")[:LONGEST_REASON])
    return _named(task["id"]) if ours else ""


def _named(number: str) -> str:
    """Task/ID, where the id is one of FHIR's; anything else could name somebody, in plain and for ever."""
    return f"Task/{number}" if ID.fullmatch(number) else UNUSABLE


def _located(location: str) -> str:
    """Task/ID of ".../Task/ID/_history/1": the answer of a server that returns no body."""
    _, found, rest = location.rpartition("/Task/")
    return _named(rest.split("/", maxsplit=1)[0]) if found and rest else ""


def _refusal(status: int, outcome: Mapping[str, Any]) -> GatewayRefused:
    issues = [i for i in _list(outcome, "issue") if i.get("severity") in ("error", "fatal")]
    issue = issues[0] if issues else {}
    details = issue.get("details")
    text = issue.get("diagnostics") or (details.get("text") if isinstance(details, dict) else "")
    code = issue.get("code")
    known = code if isinstance(code, str) and code in ISSUES else str(status)
    return GatewayRefused(known, str(text or "")[:LONGEST_REASON])
