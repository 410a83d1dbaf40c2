"""Follows the cells of a patient with a new cancer back to their vector lots, and down to everybody with the same."""

from __future__ import annotations

from datetime import datetime

from activities.doses.genealogy import Genealogy
from activities.perform import Delivered
from domain.case.effect import Effect
from domain.case.state import Case
from domain.doses.genealogy import patients_of, units_of
from domain.stages.treatment.look_back import RecordLookBack, infused_lots


class LookingBack:
    """look_back: walks the genealogy in our own ledger; asking twice changes nothing."""

    def __init__(self, genealogy: Genealogy) -> None:
        self._genealogy = genealogy

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Answer with what stands around the patient's cells now."""
        del repeat  # reading again is harmless
        own = infused_lots(case)
        starts = await self._genealogy.shared(own)
        trace = await self._genealogy.trace(starts)
        units = units_of(trace, now)
        others = patients_of(units).keys() - {case.id}
        vectors = tuple(sorted(one for one, made in trace.materials.items() if made.kind == "vector_lot"))
        alike = set(trace.affected) - set(own)
        found = RecordLookBack(effect.about, tuple(own), vectors, len(alike), len(units), len(others))
        return Delivered(f"{len(vectors)}/{len(alike)}/{len(others)}", answer=found)
