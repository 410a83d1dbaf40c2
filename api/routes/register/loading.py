"""Takes files of protocols and centres: every fault named by its line, a difference shown first, each entry whole."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic_core import to_jsonable_python

from activities.catalogue_files.differing import Plan, another, plan
from activities.catalogue_files.lines import FileFault, FileRefused, Text
from activities.catalogue_files.reading import FileEntry, entries
from api.http.answers import idempotency_key
from api.http.auth import Parts, Who
from api.http.limits import stream_body
from api.http.paging import MOST
from api.http.problems import Fault, Problem, invalid
from api.ports import Service
from api.routes.register.entries import carried_out, request_of
from domain.core.errors import Reason, Refused, require
from domain.core.roles import Action
from domain.roles import Actor, allow

router = APIRouter()
MAX_FILE = 16 * 1024 * 1024
"""Bytes of a file that is read into memory: some thousand protocols with their criteria."""
FAULTS = 100
"""As many are named at once."""


@router.post("/protocols/load", tags=["protocols"], summary="Load a file of protocols, or show what it would change")
async def load_protocols(request: Request, service: Parts, who: Who, *, dry_run: bool = False) -> JSONResponse:
    """Take a list of protocols or study records of ClinicalTrials.gov; a study record becomes a draft."""
    return await _load("protocol", request, service, who, dry_run=dry_run)


@router.post("/centres/load", tags=["centres"], summary="Load a file of centres, or show what it would change")
async def load_centres(request: Request, service: Parts, who: Who, *, dry_run: bool = False) -> JSONResponse:
    """Take a list of centres; how one is reached is proposed, and counts once another person confirms it."""
    return await _load("centre", request, service, who, dry_run=dry_run)


async def _load(prefix: str, request: Request, service: Service, who: Actor, *, dry_run: bool) -> JSONResponse:
    allowed = allow(who, Action.KEEP_CATALOGUE)
    require(allowed, Reason.NOT_ALLOWED, f"a {who.role.value} does not keep the catalogue")
    key = idempotency_key(request)
    body = b"".join([part async for part in stream_body(request, MAX_FILE)])
    try:
        text, said = await to_thread(entries, prefix, body, service.clock(), who.id)
    except FileRefused as refused:
        raise _problem(refused) from None
    plans, mistaken = await _plans(service, prefix, text, said)
    await _tried(service, who, key, text, plans, mistaken)
    if not dry_run:
        for n, one in enumerate(plans):
            await _recorded(request, service, who, f"{key}/{n}", one)
    shown = [await _shown(service, one) for one in plans]
    return JSONResponse({"entries": shown, "dry_run": dry_run}, headers={"Cache-Control": "no-store"})


def _problem(refused: FileRefused) -> Problem:
    named = [Fault(f"line {one.line}: {one.detail}", pointer=one.pointer) for one in refused.faults]
    words = f"the file has {len(named)} faults; nothing was recorded"
    return invalid(words, *named[:FAULTS])


async def _plans(
    service: Service, prefix: str, text: Text, said: Sequence[FileEntry]
) -> tuple[Sequence[Plan], Sequence[FileFault]]:
    """What each entry comes to, and what names something else than it means.

    One whose registry number the catalogue has under another id is that one.
    """
    known = await _known(service, prefix)
    plans: list[Plan] = []
    faults: list[FileFault] = []
    centres = await _known(service, "centre") if prefix == "protocol" else {}
    for one in said:
        stream = one.stream if one.stream in known else known.get(getattr(one.command, "registry", ""), one.stream)
        held = (await service.commands.entry(stream)).state if stream in known else None
        if held is not None and not one.row.stream and another(one, held):
            words = (
                f"the catalogue has something else as {stream}: give this one an id of its own as `stream`, or {stream}"
            )
            faults.append(text.fault(one.row.at("name" if prefix == "centre" else "registry"), words))
        faults += [
            text.fault(f"{one.row.at('sites')}/{n}/centre", "the catalogue has no such centre; load it first")
            for n, site in enumerate(one.sites)
            if site.centre not in centres
        ]
        plans.append(plan(FileEntry(one.row, stream, one.command, one.sites), held))
    return plans, faults


async def _known(service: Service, prefix: str) -> Mapping[str, str]:
    """Each stream, and each registry number, with the stream it names."""
    found: dict[str, str] = {}
    after = ""
    while rows := await service.registers.described(prefix, after, MOST):
        for row in rows:
            found |= {row["stream"]: row["stream"], row["said"].get("registry", row["stream"]): row["stream"]}
        after = rows[-1]["stream"]
    return found


async def _tried(
    service: Service, who: Actor, key: str, text: Text, plans: Sequence[Plan], mistaken: Sequence[FileFault]
) -> None:
    """Decide all of it beforehand, so that a refusal names its line and nothing is recorded."""
    faults, known = [], None
    for one in plans:
        if not one.commands:
            continue
        sent = request_of(service, who, key, one.entry.stream, one.commands[0])
        try:
            known = await service.commands.try_out(sent, one.commands, known)
        except Refused as refused:
            at = one.entry.row.at(refused.field) if refused.field else one.entry.row.pointer
            faults.append(text.fault(at, refused.detail))
    if faults or mistaken:
        raise _problem(FileRefused([*faults, *mistaken]))


async def _recorded(request: Request, service: Service, who: Actor, key: str, one: Plan) -> None:
    for n, command in enumerate(one.commands):
        stream = one.entry.stream
        sent = request_of(service, who, f"{key}/{n}", stream, command, about=stream)
        await carried_out(request, service, sent)


async def _shown(service: Service, one: Plan) -> Mapping[str, Any]:
    """What an entry comes to, and the open cases it touches."""
    touched = await service.registers.watching(one.entry.stream) if one.commands else ()
    return {
        "id": one.entry.stream,
        "name": getattr(one.entry.command, "title", "") or getattr(one.entry.command, "name", ""),
        "what": one.what,
        "changes": [to_jsonable_python(change) for change in one.changes],
        "commands": [command.type for command in one.commands],
        "open_cases": list(touched),
    }
