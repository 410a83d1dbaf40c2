"""Looks back after a new cancer: the lots the patient got, the vector lots behind them, and who else got of the same.

The engine counts over the genealogy at once [doses.look-back]; whether a recall follows, quality assurance decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.case.phases.treatment import Alert, LookBack
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Takes, Wants
from domain.case.treatment import Infusion
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Trace
from domain.core.policy import Party, Policy
from domain.core.roles import Action

KIND = "look_back"


@dataclass(frozen=True, slots=True)
class RecordLookBack:
    """Tells what stands around the cells of a patient with a new cancer; only the engine says this.

    `lots` were given to the patient, `vector_lots` are the materials behind them; `alike` counts the other lots of the
    same vector lots, `units` what was made of all, `patients` the others who got or are to get of it.
    """

    alert: str
    lots: tuple[Trace, ...]
    vector_lots: tuple[Trace, ...]
    alike: int
    units: int
    patients: int
    type: Literal["RecordLookBack"] = "RecordLookBack"


Command = RecordLookBack


@dataclass(frozen=True, slots=True)
class LookedBack:
    """After a new cancer the lots, the vector lots behind them and everybody else with cells of the same were found."""

    alert: str
    lots: tuple[Trace, ...]
    vector_lots: tuple[Trace, ...]
    alike: int
    units: int
    patients: int
    type: Literal["LookedBack"] = "LookedBack"


Event = LookedBack

TAKES = (Takes(RecordLookBack, (LookedBack,), at=EVERY_STAGE, by=Action.ENGINE),)


def infused_lots(case: Case) -> Sequence[str]:
    """Return the lots, and vector lots given themselves, that went into the patient, as far as they can be read."""
    lots = [i.lot if isinstance(i.lot, str) and i.lot else i.vector for i in case.infusions]
    return list(dict.fromkeys(filter(None, lots)))


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Record it once for each alert. Raises Refused."""
    known = case.alerts.get(command.alert)
    if known is None or known.kind != "malignancy":
        raise Refused(Reason.NOT_FOUND, "no new cancer of this case has that alert", "alert")
    require(known.looked_back is None, Reason.ALREADY, "it was looked back from that alert", "alert")
    c = command
    return [LookedBack(c.alert, c.lots, c.vector_lots, c.alike, c.units, c.patients)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold what was found."""
    event = fact.event
    lots, vectors = ([one for one in some if isinstance(one, str)] for some in (event.lots, event.vector_lots))
    found = LookBack(tuple(lots), tuple(vectors), event.alike, event.units, event.patients, fact.at)
    known = case.alerts.get(event.alert)
    return replace(case, alerts={**case.alerts, known.id: replace(known, looked_back=found)}) if known else case


def _to_look(case: Case) -> Iterable[str]:
    """Every new cancer of somebody who has cells that can be followed, unless it was there before the first of them."""
    news = [a for a in case.alerts.values() if a.kind == "malignancy" and a.looked_back is None]
    return [a.id for a in news if infused_lots(case) and any(_may_follow(a, i) for i in case.infusions)]


def _may_follow(alert: Alert, infusion: Infusion) -> bool:
    """Whether it may have come after that infusion; where either date is unknown it may."""
    latest = alert.occurred.latest if alert.occurred else None
    return latest is None or infusion.occurred.earliest is None or infusion.occurred.earliest <= latest


def _looked(case: Case, alert: str) -> bool:
    return alert in case.alerts and case.alerts[alert].looked_back is not None


WANTS = (Wants(KIND, Party.SUPERVISOR, _to_look, _looked),)
