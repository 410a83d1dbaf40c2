"""Has a virus scanner look at a file while it is stored, where one is set; a file that is infected does not stay."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from activities.ports import Kept, Scanner, ScannerDown
from api.http.problems import Fault, Problem

WhenDown = Literal["refuse", "take"]
NOT_SCANNED = "not_scanned"
"""The trouble of a file that was taken while no scanner looked at it."""
Keep = Callable[[AsyncIterator[bytes]], Awaitable[Kept]]


@dataclass(frozen=True, slots=True)
class Scanning:
    """Says who looks at files, None = nobody; and what becomes of one that could not be looked at."""

    scanner: Scanner | None = None
    when_down: WhenDown = "refuse"

    async def kept(
        self, content: AsyncIterator[bytes], keep: Keep, remove: Callable[[str], Awaitable[None]]
    ) -> tuple[Kept, tuple[str, ...]]:
        """Store a file while it is scanned; return it, and `not_scanned` where that is so.

        Raises Problem 422 `infected` by the name of the signature, 503 `not_scanned`; then nothing of it is kept.
        """
        if self.scanner is None:
            return await keep(content), ()
        try:
            scan = await self.scanner.begin()
        except ScannerDown as down:
            if self.when_down == "refuse":
                raise _not_scanned(down) from None
            return await keep(content), (NOT_SCANNED,)
        try:
            kept = await keep(scan.passing(content))
        except BaseException:
            scan.close()
            raise
        try:
            found = await scan.verdict()
        except ScannerDown as down:
            if self.when_down == "take":
                return kept, (NOT_SCANNED,)
            await remove(kept.name)
            raise _not_scanned(down) from None
        if found:
            await remove(kept.name)
            detail = f"the virus scanner found {found} in this file; nothing of it was kept"
            raise Problem(422, "infected", detail, [Fault(f"holds {found}", header="Content-Type")])
        return kept, ()


def _not_scanned(down: ScannerDown) -> Problem:
    detail = f"the file could not be scanned for viruses ({down}); nothing of it was kept, send it again later"
    return Problem(503, NOT_SCANNED, detail, headers={"Retry-After": "60"})
