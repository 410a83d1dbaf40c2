"""Finds what is made of what, and who got it: now, and as it was known at any instant [P8]."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from activities.ports import Ledger
from domain.catalogue.streams import fold
from domain.doses import codes
from domain.doses.genealogy import Edge, Trace, Way, streams_of
from domain.doses.kinds import MATERIALS
from domain.doses.material import Material
from domain.doses.stock import Lot

MATERIAL, LOT = "material-", "lot-"


class GenealogyLinks(Protocol):
    """Reads the links between materials and lots, and names the stream a material of some code has.

    infra/reads/genealogy.py implements it, which activities may not see.
    """

    async def reach(self, starts: Sequence[str], way: Way, known_at: datetime | None) -> Sequence[Edge]:
        """Return every link on the way from the starts, as known at an instant; None = now."""

    async def lots_at(self, streams: Sequence[str], known_at: datetime | None) -> Mapping[str, Lot]:
        """Return lots as they were known, without what they lay in; one of which a unit was stopped is left out."""

    async def registered(self, streams: Sequence[str]) -> Mapping[str, Lot]:
        """Return lots as they were registered."""

    async def stream_of(self, kind: str, code: str) -> str:
        """Return the stream of the material of that kind and code, however the code is written."""


class Genealogy:
    """Traces materials and lots over one ledger. Codes that lots were registered with are kept once opened."""

    def __init__(self, ledger: Ledger, links: GenealogyLinks) -> None:
        self.links = links
        self._ledger = ledger
        self._written: dict[str, Lot] = {}

    async def meant(self, words: str) -> Sequence[str]:
        """Return the materials and lots of an id or code that exist; of one code there may be several.

        Where no material has the code, the lots that were registered with it.
        """
        if words.strip().startswith((MATERIAL, LOT)):
            return await self.existing([words.strip()])
        if not codes.folded(words):
            return []
        found = await self.existing([await self.links.stream_of(kind, words) for kind in MATERIALS])
        return found or await self._naming([words])

    async def existing(self, streams: Sequence[str]) -> Sequence[str]:
        """Return those of these materials and lots that exist."""
        return [one.stream for one in await self._ledger.sources(streams)]

    async def trace(self, starts: Sequence[str], known_at: datetime | None = None) -> Trace:
        """Trace all that stands around these, with what each was then."""
        made_of = frozenset(await self.links.reach(starts, "made_of", known_at))
        made_into = frozenset(await self.links.reach(starts, "made_into", known_at))
        below = {*starts, *streams_of(made_into)}
        found = await self._all(below | streams_of(made_of), known_at)
        told = [m.code for stream, m in found.items() if stream in below and isinstance(m, Material)]
        written = [stream for stream in await self._naming([code for code in told if code]) if stream not in found]
        found |= await self._all(written, known_at)
        return Trace(
            tuple(starts),
            made_of,
            made_into,
            {stream: one for stream, one in found.items() if isinstance(one, Material) and one.kind},
            {stream: one for stream, one in found.items() if isinstance(one, Lot) and one.state != "none"},
            [stream for stream in written if found[stream].state != "none"],
        )

    async def shared(self, starts: Sequence[str], known_at: datetime | None = None) -> Sequence[str]:
        """Return these and the vector lots they were made with: what others of the same may have in common.

        A lot that only names the code of its vector lot leads to that too, and to the lots that name the same.
        """
        above = await self.trace(starts, known_at)
        vectors = [stream for stream, one in above.materials.items() if one.kind == "vector_lot"]
        codes = sorted({str(lot.vector_lot) for stream, lot in above.lots.items() if stream in starts} - {""})
        named = await self.existing([await self.links.stream_of("vector_lot", code) for code in codes])
        alike = [one for one in await self._naming(codes) if any(self._written[one].made_with(code) for code in codes)]
        return sorted({*starts, *vectors, *named, *alike})

    async def above(self, lot: str) -> frozenset[str]:
        """Return a lot and all it is made of, what its codes of a donor or vector lot name among it."""
        state = fold(lot, (await self._ledger.load(lot)).facts)
        told = [("donor", state.donor), ("vector_lot", state.vector_lot)] if isinstance(state, Lot) else []
        starts = [lot, *[await self.links.stream_of(kind, str(code)) for kind, code in told if code]]
        return streams_of(await self.links.reach(starts, "made_of", None)) | set(starts)

    async def donors(self, lot: str) -> Sequence[frozenset[str]]:
        """Return the HLA alleles of each donor a lot was made of; empty for one that nobody typed."""
        above = sorted(stream for stream in await self.above(lot) if stream.startswith(MATERIAL))
        known = [fold(stream, (await self._ledger.load(stream)).facts) for stream in above]
        return [frozenset(one.alleles) for one in known if isinstance(one, Material) and one.kind == "donor"]

    async def _all(self, streams: Collection[str], known_at: datetime | None) -> dict[str, Any]:
        """Read many as they were then: lots all at once, materials and lots with a stopped unit one by one."""
        lots = await self.links.lots_at([one for one in streams if one.startswith(LOT)], known_at)
        return {one: lots.get(one) or await self._then(one, known_at) for one in streams}

    async def _then(self, stream: str, known_at: datetime | None) -> Any:  # noqa: ANN401 - a Material or Lot
        facts = (await self._ledger.load(stream)).facts
        return fold(stream, facts if known_at is None else [fact for fact in facts if fact.at <= known_at])

    async def _naming(self, words: Sequence[str]) -> Sequence[str]:
        """Return the lots that were registered with one of these codes; what one was registered with never changes."""
        every = await self._ledger.streams(LOT) if words else ()
        self._written |= await self.links.registered([one for one in every if one not in self._written])
        return [stream for stream, lot in self._written.items() if any(lot.written(code) for code in words)]
