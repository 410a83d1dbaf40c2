"""A table of refusals: where the case stands, what is tried, and why it is refused; nothing is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from domain.core.errors import Reason
from tests.domain.course import start
from tests.domain.journey import Journey, when

Tried = Any
"""A command, or what makes one of the case as it stands."""


@dataclass(frozen=True)
class No:
    """One refusal."""

    at: str
    tried: Tried
    reason: Reason
    detail: str
    before: Callable[[Journey], object] = lambda _: None

    def __str__(self) -> str:
        return self.detail.replace(" ", "_")[:60]

    def check(self) -> None:
        j = start(self.at)
        self.before(j)
        j.look()
        facts = list(j.facts)
        command = self.tried(j) if callable(self.tried) else self.tried
        when(j, command).then_refused(self.reason, self.detail)
        assert j.facts == facts
