"""A form with a file: the file is stored first, then the command that names it; a refused try loses neither."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any

from activities.command_handler import Recorded
from activities.ports import DocumentErased, DocumentKeyless, DocumentMissing
from api.console.forms.uploads import ASIDE, FILE, UploadForm
from api.http.problems import Fault, Problem, invalid
from api.ports import Service
from api.routes.documents import Sent, WaitingFile, put_aside, recorded, stored
from domain.roles import Actor


async def waiting(service: Service, pairs: Mapping[str, str], case: str) -> WaitingFile | None:
    """Find the file an earlier try of this form left, if it is still there."""
    if not pairs.get(ASIDE):
        return None
    try:
        found = WaitingFile(*json.loads(await service.seal.open(pairs[ASIDE])))
    except ValueError:
        return None
    return found if found.case == case else None


async def record_upload(
    service: Service, who: Actor, case: str, sent: Sent, given: UploadForm, tree: Callable[[], Mapping[str, Any]]
) -> Recorded:
    """Store and record. `tree` reads what was typed; whatever it or the rules refuse, the file waits for another try.

    Raises Problem, Refused; then `given.pairs` says where the file waits.
    """
    earlier = await waiting(service, dict(given.pairs), case)
    name, media, content = await _content(service, given, earlier)
    sent = replace(sent, name=name, media=media)
    try:
        kept, noted = await stored(service, who, case, sent, content)
    except Problem as problem:
        raise replace(problem, faults=[Fault(one.detail, f"#/{FILE}") for one in problem.faults]) from None
    try:
        told = {**tree(), "type": sent.told["type"]}
        return await recorded(service, who, case, replace(sent, told=told), kept, noted)
    except Exception:
        sealed = await put_aside(service, WaitingFile(case, kept.name, media, name))
        given.pairs[:] = [*(pair for pair in given.pairs if pair[0] != ASIDE), (ASIDE, sealed)]
        raise


async def _content(
    service: Service, given: UploadForm, earlier: WaitingFile | None
) -> tuple[str, str, AsyncIterator[bytes]]:
    """Of the file that was sent, else of the one that waits. Raises Problem when there is neither."""
    if given.name:
        return given.name, given.media, given.content
    if earlier:
        try:
            opened = await service.documents.open(earlier.case, earlier.stored, aside=True)
        except (DocumentMissing, DocumentErased, DocumentKeyless):
            given.pairs[:] = [pair for pair in given.pairs if pair[0] != ASIDE]
        else:
            return earlier.name, earlier.media, opened.content
    raise invalid("choose a file first", Fault("choose a file first", f"#/{FILE}"))
