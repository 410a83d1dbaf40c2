"""One attempt of an effect: claim it, call the far side, record what came of it. Never blindly twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.case_session import Reply
from activities.command_handler import CommandHandler, CommandRequest
from activities.gateways import Gateway, GatewayRefused, Request, Unreachable
from activities.messages import RECORD_UNKNOWN, Order, nameless
from activities.ports import Claim, ClaimHeld, CommandKey, Meta, VersionConflict
from domain.case.effect import Effect
from domain.case.state import Case
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE, Command
from domain.recalls.recall import Recall
from domain.stages.anytime.outcomes import RecordOutcome

CALL = 30.0
"""Seconds one call of a far side may take: half a minute suits most [effects.bounded]."""
LEASE = timedelta(seconds=40)
BLIND_REPEATS = 1


@dataclass(frozen=True, slots=True)
class Delivered:
    """The far side has it; `answer` is a command that already follows from its answer, recorded with the delivery."""

    receipt: str
    possible_repeat: bool = False
    answer: Command | None = None


class PutOff(Exception):
    """Not now: it is quiet where the recipient is, until an instant."""

    def __init__(self, until: datetime) -> None:
        super().__init__("quiet hours")
        self.until = until


class EffectHandler(Protocol):
    """Carries out one kind of effect."""

    async def deliver(self, case: Any, effect: Effect, now: datetime, *, repeat: int) -> Delivered:  # noqa: ANN401 - a Case; of a recall's effects a Recall
        """Call the far side, which `repeat` attempts may have reached. Raises GatewayRefused, PutOff; else unknown."""


class Outward:
    """Takes a request to a far side, honouring what its channel can do."""

    def __init__(self, side: Gateway) -> None:
        self._side = side

    async def deliver(self, request: Request, *, repeat: int) -> Delivered:
        """Ask first where that can be done, repeat where that is harmless, repeat mail once and say so."""
        if repeat and self._side.channel == "asks":
            known = await self._side.ask(request.effect)
            if known is not None:
                return Delivered(known.number)
        if repeat > BLIND_REPEATS and self._side.channel == "blind":
            raise TimeoutError("sent twice already, and nobody can tell whether it arrived")
        receipt = await self._side.send(request)
        again = receipt.possible_repeat or (repeat > 0 and self._side.channel == "blind")
        return Delivered(receipt.number, again)


class Performing:
    """The activities behind every effect; `handlers` has one for every kind."""

    def __init__(self, commands: CommandHandler, handlers: Mapping[str, EffectHandler]) -> None:
        self._commands = commands
        self._handlers = handlers

    def activities(self, kinds: Iterable[str]) -> list[Callable[..., Awaitable[Any]]]:
        """Make one named activity for each of these kinds."""
        return [self._named(kind, self._handlers[kind]) for kind in kinds]

    def _named(self, kind: str, handler: EffectHandler) -> Callable[[Order], Awaitable[None]]:
        async def perform(order: Order) -> None:
            try:
                await self.attempt(order, handler)
            except ClaimHeld as held:
                raise ApplicationError("claimed", type="Claimed", next_retry_delay=_seconds(held.seconds)) from None
            except VersionConflict:
                raise ApplicationError("the case moved on", type="Moved", next_retry_delay=_seconds(0.05)) from None
            except Exception as error:  # noqa: BLE001 - its text may describe a person, and Temporal would keep it
                raise nameless(error) from None

        perform.__doc__ = f"One attempt of {kind}."
        return activity.defn(name=kind)(perform)

    async def attempt(self, order: Order, handler: EffectHandler) -> None:
        """Make one attempt, if it is still wanted. Raises ClaimHeld, or whatever left the outcome unknown."""
        case, now = await self._commands.driven(order.case)
        effect = case.effects.get(order.effect)
        if effect is None or not effect.due(now):
            return
        try:
            claim = await self._commands.ledger.claim(
                case.id, effect.id, expected=case.version, epoch=order.epoch, lease=LEASE
            )
        except Refused as refused:
            if refused.reason in (Reason.SUPERSEDED, Reason.READ_ONLY, Reason.CLOCK_WRONG):
                return
            raise
        await self._call(case, effect, claim, now, handler)

    async def _call(
        self, case: Case | Recall, effect: Effect, claim: Claim, now: datetime, handler: EffectHandler
    ) -> None:
        try:
            delivered = await asyncio.wait_for(handler.deliver(case, effect, now, repeat=claim.before), CALL)
        except (GatewayRefused, PutOff) as no:
            await self._record(case.id, _not_done(effect, claim, no), claim)
            return
        except Unreachable:
            await self._commands.ledger.release(
                claim.effect, claim.attempt
            )  # nothing is unknown, so nothing is repeated
            raise
        reply = Reply(effect.id, claim.attempt, delivered.receipt)
        if delivered.answer is not None:
            await self._record(case.id, delivered.answer, claim, reply)
            return
        again = delivered.possible_repeat
        done = RecordOutcome(effect.id, claim.attempt, "delivered", delivered.receipt, possible_repeat=again)
        await self._record(case.id, done, claim)

    async def _record(self, case: str, command: Command, claim: Claim, reply: Reply | None = None) -> None:
        key = f"{claim.effect}/{claim.attempt}"
        body = sha256(f"{key}/{command.type}".encode()).digest()
        meta = Meta(ENGINE, purpose="operation", key=key)
        await self._commands.record(CommandRequest(case, meta, command, CommandKey(ENGINE, key, body), reply))
        await self._commands.ledger.release(claim.effect, claim.attempt)

    @activity.defn(name=RECORD_UNKNOWN)
    async def record_unknown(self, order: Order) -> None:
        """Ten minutes brought no certainty: the ledger says so, and when it is tried again."""
        case, now = await self._commands.driven(order.case)
        effect = case.effects.get(order.effect)
        if effect is None or not effect.due(now):
            return
        key = f"{effect.id}/unknown/{effect.tries}"
        command = RecordOutcome(effect.id, effect.tries, "unknown")
        ask = CommandRequest(order.case, Meta(ENGINE, purpose="operation", key=key), command, _key(key, command))
        await self._commands.record(ask)


def _not_done(effect: Effect, claim: Claim, why: GatewayRefused | PutOff) -> RecordOutcome:
    if isinstance(why, PutOff):
        return RecordOutcome(effect.id, claim.attempt, "put_off", not_before=why.until)
    return RecordOutcome(effect.id, claim.attempt, "refused", code=why.code, detail=why.detail)


def _key(key: str, command: Command) -> CommandKey:
    return CommandKey(ENGINE, key, sha256(f"{key}/{command.type}".encode()).digest())


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds + 0.05)
