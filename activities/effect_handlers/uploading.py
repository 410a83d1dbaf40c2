"""Uploads the documents of a dossier to a hospital whose entry says so, one after another, each recorded by digest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from activities.access_log import Looks
from activities.command_codec import Commands
from activities.command_handler import CommandHandler, CommandRequest
from activities.gateways import GatewayRefused, Unreachable
from activities.ports import (
    CommandKey,
    DocumentChanged,
    DocumentErased,
    DocumentKeyless,
    DocumentMissing,
    Documents,
    Meta,
)
from domain.case.phases.submissions import Submission
from domain.case.state import Case
from domain.catalogue.centre import Centre
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE, Fact
from domain.journey import COMMANDS
from domain.stages.eligibility.handing_over import DocumentHandedOver, HandOverDocument, require_readable

MOST = 16 * 1024 * 1024
"""Bytes of a document that is uploaded; a larger one is fetched at an address of ours [doors.documents]."""
SPELL = 10.0
"""Seconds after which an attempt begins no other document; the next one goes on there."""
WAY = "binary upload"
CASE = Commands(COMMANDS)


class Uploads(Protocol):
    """Takes documents at one hospital; infra/hospitals/fhir_client.py implements it, which activities may not see."""

    async def put(self, name: str, media: str, size: int, content: AsyncIterator[bytes]) -> str:
        """Upload a document, once however often; return where it is there. Raises GatewayRefused, Unreachable."""


@dataclass(frozen=True, slots=True)
class Uploading:
    """Hands documents over as the centre's entry says. `side` reaches the endpoint of a centre."""

    commands: CommandHandler
    documents: Documents
    looks: Looks
    addresses: Callable[[str, Submission], Awaitable[Mapping[str, str]]]
    side: Callable[[str, str], Uploads]

    async def handed(self, case: str, known: Submission, centre: Centre) -> Mapping[str, str]:
        """Say where the hospital has each document. Raises GatewayRefused, Unreachable; any other = unknown."""
        links: dict[str, str] = {**await self.addresses(case, known)}
        if centre.documents != "binary":
            return links
        side, began = self.side(known.centre, centre.endpoint), asyncio.get_running_loop().time()
        for name in known.documents:
            state, facts = await self._readable(case, known)
            file = state.stored.get(name)
            if file is None or file.bytes > MOST or name in state.unfit:
                continue
            if not _uploaded(facts, known, name):
                if asyncio.get_running_loop().time() - began > SPELL:
                    raise Unreachable
                await self._upload(side, state, known, name)
            links[name] = f"{centre.endpoint.rstrip('/')}/Binary/{name}"
        return links

    async def _readable(self, case: str, known: Submission) -> tuple[Case, Sequence[Fact[Any]]]:
        """Return the case while the centre may read: asked before each document. Raises GatewayRefused."""
        state, facts, _ = await self.commands.case(case)
        try:
            require_readable(state, known.id, known.round)
        except Refused:
            raise GatewayRefused("not_to_be_read") from None
        return state, facts

    async def _upload(self, side: Uploads, case: Case, known: Submission, name: str) -> None:
        try:
            opened = await self.documents.open(case.id, name)
        except (DocumentMissing, DocumentChanged, DocumentErased, DocumentKeyless) as error:
            raise GatewayRefused("document_unreadable") from error
        await self.looks.record(Meta(known.centre, "treatment"), "document", [case.id], {opened.key_class})
        digest = sha256()

        async def passing() -> AsyncIterator[bytes]:
            async for part in opened.content:
                digest.update(part)
                yield part

        await side.put(name, opened.media_type, case.stored[name].bytes, passing())
        await self._record(case.id, known, name, digest.hexdigest())

    async def _record(self, case: str, known: Submission, name: str, digest: str) -> None:
        command = HandOverDocument(known.id, known.round, name, digest)
        key = f"uploaded/{known.id}/{known.round}/{name}"
        meta = Meta(ENGINE, "treatment", key=key, on_behalf_of=known.centre, provenance=WAY)
        remembered = CommandKey(ENGINE, key, CASE.digest(case, command))
        try:
            await self.commands.record(CommandRequest(case, meta, command, remembered))
        except Refused as refused:
            if refused.reason is Reason.LAPSED:  # the consent ended while it was on its way: nothing more follows
                raise GatewayRefused("not_to_be_read") from None
            if refused.reason is not Reason.ALREADY:  # it was opened at an address before
                raise


def _uploaded(facts: Sequence[Fact[Any]], known: Submission, name: str) -> bool:
    """Return whether this round's document was uploaded in an earlier attempt."""
    which = (known.id, known.round, name)
    return any(
        isinstance(e := fact.event, DocumentHandedOver)
        and (e.submission, e.round, e.document) == which
        and fact.provenance == WAY
        for fact in facts
    )
