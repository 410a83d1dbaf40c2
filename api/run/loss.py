"""The end of the history is lost (a backup was put back): found, explained once, and accepted by a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from temporalio.client import Client

from activities.ports import Append, Meta
from api.run.ahead import ahead
from api.run.sealing import signing_keys
from api.run.wiring import Parts, actor_of
from domain.catalogue.installation import STREAM, LossAccepted, LossReason
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Draft
from domain.core.roles import Role
from infra.audit.checkpoints.checkpoint import origin_of
from infra.audit.checkpoints.loss import beyond, told
from infra.audit.checkpoints.sinks import sink_of
from infra.ledger.connections import Reads
from infra.ledger.encoding.errors import guarded
from infra.ledger.queries import NOTE_LOSS
from infra.settings import Settings

log = structlog.get_logger()
Found = Mapping[str, Any]


async def find(here: Parts, client: Client | None = None, *, note: bool = True) -> Found | None:
    """Find and note in the ledger what is missing, as far as checkpoints outside and, with a client, Temporal know.

    None where nothing is. What was noted before stands until it is accepted.
    """
    found = await _by_checkpoints(here.settings, here.ledger.pool)
    if before := await here.ledger.loss():  # what was looked at since was not there before
        found |= {name: before[name] for name in ("kept", "last_at")}
        found["missing"] = max(0, found["covered"] - found["kept"])
    found["cases"] = [] if client is None else await ahead(here, client, found["last_at"])
    missing = bool(found["checkpoints"] or found["cases"])
    if missing and note and not here.ledger.read_only:
        await here.ledger.note_loss(found, more=client is not None)
    return await here.ledger.loss() or (found if missing else None)


async def note_before_anybody_records(settings: Settings, reads: Reads) -> None:
    """Note what checkpoints outside say a database lacks, in the session that holds recording."""
    if (found := await _by_checkpoints(settings, reads))["checkpoints"]:
        await guarded(reads.execute(NOTE_LOSS, json.dumps(found), False))


async def _by_checkpoints(settings: Settings, reads: Reads) -> dict[str, Any]:
    keys = signing_keys(settings).known() if settings.signing.exists() else ()
    sinks = [sink_of(place) for place in settings.checkpoint_places]
    return await told(reads, await beyond(reads, sinks, origin_of(settings.installation), keys))


@dataclass(frozen=True, slots=True)
class Accepting:
    """A person's word that it goes on without what is lost."""

    reason: LossReason
    by: str


MAY_ACCEPT = (Role.SUPERVISOR, Role.OPERATOR)


async def whole(here: Parts, client: Client, word: Accepting | None) -> int:
    """Return only when nothing is missing, or a person goes on without it. Raises Refused: all that is known.

    Answers with the newest epoch that runs of the lost part have: only a later one takes over from them, too.
    """
    found = await find(here, client)
    if found is None:
        require(word is None, Reason.ALREADY, "nothing is missing here; there is no loss to accept")
    elif word is None:
        raise Refused(Reason.LEDGER_BEHIND, "\n".join(explained(found)))
    else:
        actor = await actor_of(here, word.by)
        require(actor.role in MAY_ACCEPT, Reason.NOT_ALLOWED, "a supervisor or an operator accepts a loss", "by")
        await accept(here, found, word.reason, word.by)
        log.warning("loss accepted", kept=found["kept"], covered=found["covered"], by=word.by)
        return max((one["epoch"] for one in found["cases"]), default=0)
    return 0


async def accept(here: Parts, found: Found, reason: LossReason, by: str) -> None:
    """Record that a person goes on without what is lost; from then on the ledger takes commands again."""
    event = LossAccepted(
        kept=found["kept"],
        covered=found["covered"],
        checkpoints=tuple(found["checkpoints"]),
        cases=tuple(f"{one['case']} {one['seen']}" for one in found["cases"]),
        reason=reason,
        by=by,
    )
    version = await here.ledger.last_version(STREAM)
    await here.ledger.append(Append(STREAM, version, [Draft(event, here.commands.ids())], Meta(by, "operation")))


SHOWN = 20


def explained(found: Found) -> list[str]:
    """Explain to whoever runs this what is missing, what is not affected, and what to do."""
    cases = found["cases"]
    said = ["This database ends before what others have kept of it: most likely an older backup was put back."]
    said += [_range(found)] if found["covered"] else []
    said += [f"It was recorded after {found['last_at']}, the last event that is here."]
    said += [f"The newest checkpoint of it was kept outside at {found['kept_at']}."] if found["kept_at"] else []
    said += [f"Temporal had seen more of {len(cases)} cases than is here:"] if cases else []
    said += [_case(one) for one in cases[:SHOWN]]
    said += [f"  and {len(cases) - SHOWN} more" for _ in cases[SHOWN : SHOWN + 1]]
    return [*said, *WHAT_NOW]


def _range(found: Found) -> str:
    first, last = found["kept"] + 1, found["covered"]
    return f"At least {found['missing']} events are missing: positions {first} to {last} of the former history."


def _case(one: Mapping[str, Any]) -> str:
    asked = ", ".join(f"{kind} {effect}" for kind, effect in one["effects"])
    behind = f"{one['seen'] - one['there']} events more" if one["there"] else "opened in the lost part; not here at all"
    return f"  {one['case']}: {behind}" + (f"; was sent or attempted outside, ask there: {asked}" if asked else "")


WHAT_NOW = (
    "Not affected: every event that is here, its proofs, keys, documents, and what was forgotten stays forgotten.",
    "Until somebody decides, everything can be read, nothing is recorded, nobody is called and nothing is sent.",
    "If a newer backup exists, put that one back instead. If not:",
    "caravel restore --take-over --accept-loss --reason backup_restored --by PERSON",
)
