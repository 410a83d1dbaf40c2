"""The far sides of the journey: whom Caravel asks for something, and how an answer of theirs arrives."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

REFERENCE = "must be 1 to 64 letters, digits and . / _ : -"
UNUSABLE = "unusable reference, ask by effect id"
"""The receipt of somebody who has it under a number that is none: asked about our effect's id, they can tell."""
FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_:-]{0,63}")


def is_reference(text: str) -> bool:
    """Return whether a text of somebody outside may be kept in plain: one word that is bounded, as numbers are."""
    return FORM.fullmatch(text) is not None


Channel = Literal["asks", "dedupes", "blind"]
"""Can be asked by effect id; recognises a repeat by itself; can do neither [effects.channels]."""


@dataclass(frozen=True, slots=True)
class Request:
    """Holds one attempt of one effect as it goes out.

    `effect` is the idempotency key sent outside, `case` an opaque id, `about` and `to` as in EffectRequested,
    `centre` the stream of the centre it concerns or empty. `body` holds what this kind of effect needs said: for a
    hospital the inputs of infra/hospitals/codes.py, for mail the address, the language and the facts of the notice.
    `documents` are SHA-256 digests of stored ciphertexts, and `links` the address at which each can be fetched now.
    """

    effect: str
    kind: str
    case: str
    about: str
    to: str
    centre: str
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    documents: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The far side has it, under its own number. `possible_repeat`: it may have it twice, and cannot tell."""

    number: str
    possible_repeat: bool = False


class GatewayRefused(Exception):
    """A definite no; a repeat would be answered the same. `detail` may describe a person, so str() leaves it out.

    Halves of characters and NULs are taken out of it: they cannot be kept, and the no would be lost with them.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail.encode(errors="replace").decode().replace("\0", "")


class Unreachable(Exception):
    """The far side has nothing of it for certain, and could not say no either: a repeat is no repeat."""


class Gateway(Protocol):
    """Reaches one party in one way. `channel` says what may be done after an attempt whose outcome is unknown."""

    channel: Channel

    async def send(self, request: Request) -> Receipt:
        """Hand the request over, in at most half a minute. Raises GatewayRefused, Unreachable; any other = unknown."""

    async def ask(self, effect: str) -> Receipt | None:
        """Ask whether the far side has this effect already; only where `channel` is "asks". Any exception = unknown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Holds what a hospital says: one domain command as JSON. `callback` is its id and serves as idempotency key."""

    callback: str
    in_reply_to: str | None
    case: str
    command: Mapping[str, Any] = field(repr=False)
