"""What the custody report of one unit says: what it is made of, where it lay, who checked and who got it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.papers.sheet import PaperWriter
from domain.case.state import Case
from domain.case.supply.shipments import Shipment
from domain.core.fact import Fact
from domain.doses import codes
from domain.doses.genealogy import Trace
from domain.doses.stock import Lot
from domain.doses.store import Store
from domain.doses.unit import IN_STOCK, Unit

BEDSIDE = (
    "IdentityScanned",
    "IdentityChecked",
    "IdentityMismatched",
    "ThawStarted",
    "UnitDestroyed",
    "InfusionDeviated",
    "InfusionCompleted",
)
"""What of a case is about the unit a patient gets; each names it, or what was scanned for it."""


@dataclass(frozen=True, slots=True)
class Custody:
    """Holds everything the report of one unit is made from; `case` is its patient's, None = nobody's."""

    stream: str
    lot: Lot
    facts: Sequence[Fact[Any]]
    unit: Unit
    trace: Trace
    stores: Mapping[str, Store]
    readings: Mapping[str, Sequence[Fact[Any]]]
    number: str
    case: Case | None
    told: Sequence[Fact[Any]]
    names: Mapping[str, str]

    def name(self, stream: str) -> str:
        """Return what somebody or something is called."""
        return self.names.get(stream, stream)


def report(w: PaperWriter, c: Custody) -> dict[str, Any]:
    """Return the report; the same for the same facts, whenever it is asked for."""
    t, lot = w.t, c.lot
    state = IN_STOCK if c.unit.state == "free" else c.unit.state
    lines = [
        f"{t('paper.lot')}: {c.stream} ({lot.product}), {t.named('lot_state', lot.state)}",
        f"{t('paper.unit')}: {c.unit.id}, {t.named('dose_state', state)}",
        f"{t('paper.expires')}: {w.say(lot.expires)}",
        *([f"{t('paper.case')}: {c.number}"] if c.number else []),
    ]
    versions = f"{c.stream} {lot.version}" + (f" · {c.number} {c.case.version}" if c.case else "")
    sections = [
        _made_of(w, c),
        _stores(w, c),
        _excursions(w, c),
        _labels(w, c),
        _moves(w, c),
        _handovers(w, c),
        _bedside(w, c),
    ]
    return w.paper(t("paper.custody"), [w.say(line) for line in lines], sections, t("paper.footer", versions=versions))


def _made_of(w: PaperWriter, c: Custody) -> dict[str, Any]:
    parents: dict[str, list[str]] = {}
    for made, of in sorted(c.trace.made_of):
        parents.setdefault(of, []).append(made)
    rows = [
        (w.t.named("material_kind", one.kind), one.code, stream, ", ".join(parents.get(stream, ())))
        for stream, one in sorted(c.trace.materials.items())
    ]
    written = [f"{w.t('paper.donor')}: {c.lot.donor}"] if c.lot.donor else []
    written += [f"{w.t('paper.vector_lot')}: {c.lot.vector_lot}"] if c.lot.vector_lot else []
    return w.section("made_of", ("kind", "code", "id", "made_into"), rows, *written)


def _stores(w: PaperWriter, c: Custody) -> dict[str, Any]:
    rows = []
    for stay in c.unit.stays:
        read = [fact.event for fact in c.readings.get(stay.store, ())]
        during = [one for one in read if stay.since <= one.last and (stay.until is None or one.first <= stay.until)]
        coldest = min((one.coldest for one in during), default=None)
        warmest = max((one.warmest for one in during), default=None)
        spread = "" if coldest is None else f"{coldest} … {warmest} °C ({sum(one.count for one in during)})"
        name = c.stores[stay.store].name if stay.store in c.stores else stay.store
        rows.append((name, stay.position, stay.since, stay.until, spread))
    return w.section("stores", ("store", "position", "since", "until", "readings"), rows)


def _excursions(w: PaperWriter, c: Custody) -> dict[str, Any]:
    rows = []
    for stay in c.unit.stays:
        store = c.stores.get(stay.store)
        for one in store.excursions if store else ():
            if one.overlaps(stay.since, stay.until):
                mark = f"{stay.store} {one.id}"
                judged = "judged" if mark in c.unit.judged else "stopped" if mark in c.unit.stopped else "found"
                warmest = "" if one.warmest is None else f"{one.warmest} °C"
                name, word = store.name if store else stay.store, w.t(f"paper.{judged}")
                rows.append((name, w.t(f"paper.excursion_{one.kind}"), one.began, one.ended, warmest, word))
    return w.section("excursions", ("store", "kind", "since", "until", "warmest", "decided"), rows)


def _labels(w: PaperWriter, c: Custody) -> dict[str, Any]:
    printed = [one for one in c.lot.labels.printings if one.unit == c.unit.id]
    rows = [(one.copy_number, one.version, c.name(one.by), one.at) for one in printed]
    return w.section("labels", ("copy", "version", "by", "at"), rows)


def _moves(w: PaperWriter, c: Custody) -> dict[str, Any]:
    """Every fact of the lot about this unit, in the order it was recorded; placing and printing stand above."""
    about = [f for f in c.facts if getattr(f.event, "unit", None) == c.unit.id]
    told = [f for f in about if f.event.type not in ("UnitPlaced", "LabelPrinted")]
    rows = [(w.t.named("unit_event", f.event.type), f.at, c.name(getattr(f.event, "by", "") or f.actor)) for f in told]
    return w.section("moves", ("what", "at", "by"), rows)


def _gap(w: PaperWriter, one: Shipment, at: datetime) -> Sequence[str]:
    """Say that whoever gave it on then had not taken it, and whether two people found that nobody can explain that."""
    said = "custody.gap" if at in one.open_gaps else "custody.unexplained"
    return [w.t(said)] if at in one.gaps else []


def _handovers(w: PaperWriter, c: Custody) -> dict[str, Any]:
    """Who gave it to whom on every way it went for this patient; persons stand in the case, not on this paper."""
    t = w.t
    ways = c.case.shipments.values() if c.case else ()
    own = [one for one in ways if one.lot == c.stream and codes.same(one.carries, c.unit.id)]
    rows = [
        (
            t("custody.hands", giver=t.named("giver", h.giver), taker=t.named("taker", h.taker)),
            h.at,
            f"{h.seal} → {h.new_seal}" if h.new_seal else h.seal,
            t.named("condition", h.condition),
            ", ".join([*(w.say(t.named("findings", found)) for found in h.findings), *_gap(w, one, h.at)]),
        )
        for one in own
        for h in one.handovers
    ]
    return w.section("handovers", ("what", "at", "seal", "condition", "findings"), rows)


def _bedside(w: PaperWriter, c: Custody) -> dict[str, Any]:
    rows = []
    for fact in c.told:
        event = fact.event
        if event.type not in BEDSIDE or not _about(event, c.unit.id):
            continue
        who = ", ".join(str(getattr(event, name)) for name in ("first", "second") if getattr(event, name, ""))
        differs = ", ".join(w.say(w.t.named("mismatches", one)) for one in getattr(event, "mismatches", ()))
        cells = getattr(event, "cells", "")
        at = fact.occurred.earliest or fact.at
        rows.append((w.t.named("event", event.type), at, who or c.name(fact.actor), differs or w.say(cells)))
    return w.section("bedside", ("what", "at", "by", "told"), rows)


def _about(event: Any, unit: str) -> bool:  # noqa: ANN401 - an event of any stage
    """A scan is about the unit it was made for, whatever was read."""
    return event.type in ("IdentityScanned", "IdentityMismatched") or codes.same(event.unit, unit)
