"""Holds what a decision of the catalogue rests on beside its own stream: what may be reached."""

from __future__ import annotations

from dataclasses import dataclass

from domain.catalogue.endpoint import NOTHING_MORE, Allowed


@dataclass(frozen=True, slots=True)
class Around:
    """Tells what may be reached beside public addresses."""

    allowed: Allowed = NOTHING_MORE
