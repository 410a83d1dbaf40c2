"""Collects what a field is chosen from: people, documents, deadlines … this case knows, and the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from api.console.forms.fields import Option
from api.console.names import NameEntry
from api.console.text.fact_text import FactWriter
from domain.case.corrective import CorrectiveAction
from domain.case.undoing import ended
from domain.core.about import About
from domain.criteria.analytes import ANALYTES, DERIVED
from domain.criteria.diseases import DISEASES
from domain.grading.ctcae import TREATMENTS
from domain.stages.anytime.moving import missing
from domain.stages.anytime.reconsidering import open_again
from domain.stages.anytime.tasks import STAFF
from domain.stages.records.observing import SEXES
from domain.stages.response import assessing, cell_loss
from domain.stages.response.donor_search import SEARCHES
from domain.stages.treatment.grading import CODED

Entries = Mapping[str, NameEntry]


@dataclass(frozen=True, slots=True)
class FieldChoices:
    """Holds where choices come from; `staff` is empty for whoever may not see it."""

    speaker: FactWriter | None
    staff: Entries
    centres: Entries
    protocols: Entries

    def options(self) -> Mapping[str, Sequence[Option]]:
        """Return the choices by the name of the field."""
        found = {name: _named(entries) for name, entries in self._catalogue().items()}
        if self.speaker is not None:
            found |= {name: [(i, w) for i, w in make(self.speaker)] for name, make in OF_CASE.items()}
        return found

    def _catalogue(self) -> Mapping[str, Entries]:
        by_role = {role: {i: e for i, e in self.staff.items() if e.role == role} for role in ("reviewer", "translator")}
        owners = {i: e for i, e in self.staff.items() if e.role in ("coordinator", "supervisor")}
        teams = {e.team: NameEntry(e.team, e.team) for e in self.staff.values() if e.team}
        centres = {"centre": self.centres, "recipient": self.centres}
        working = {i: e for i, e in self.staff.items() if e.role in STAFF}
        return {
            "owner": owners,
            "colleague": working,
            "cover": owners,
            "team": teams,
            "protocol": self.protocols,
            **centres,
            **by_role,
        }


def _named(entries: Entries) -> Sequence[Option]:
    return sorted(((one.id, one.name) for one in entries.values()), key=lambda option: option[1])


def _obligations(s: FactWriter) -> Sequence[Option]:
    owed = sorted((o for o in s.case.obligations.values() if o.state == "open"), key=lambda o: o.due)
    t = s.clock.t
    return [(o.id, f"{t.named('owed', o.kind)}, {t('case.due', at=s.clock.instant(o.due))}") for o in owed]


def _visits(s: FactWriter) -> Sequence[Option]:
    owed = [o for o in s.case.obligations.values() if o.state == "open" and o.kind == "visit"]
    return [
        (About.of(o.about).id, f"{About.of(o.about).id}, {s.clock.t('case.due', at=s.clock.instant(o.due))}")
        for o in owed
    ]


def _effects(s: FactWriter) -> Sequence[Option]:
    open_ = [e for e in s.case.effects.values() if (e.state in ("unknown", "refused") or e.bounced) and not e.settled]
    return [(e.id, f"{s.clock.t.named('effect', e.kind)}, {s.clock.instant(e.requested_at)}") for e in open_]


def _missing(s: FactWriter) -> Sequence[Option]:
    return [(need.name, s.clock.t.named("need", need.name)) for need in missing(s.case, s.clock.now)]


def _facts(s: FactWriter) -> Sequence[Option]:
    t = s.clock.t
    return [
        (fact, f"{t.named('event', event.type)}: {'; '.join(text for _, text in s.values(event))}"[:120])
        for fact, event in s.case.correctable.items()
    ]


def _alerts(s: FactWriter) -> Sequence[Option]:
    return [(a.id, s.clock.t.named("alert", a.kind)) for a in s.case.alerts.values()]


def _arrangements(s: FactWriter) -> Sequence[Option]:
    t, clock = s.clock.t, s.clock
    open_ = [a for a in s.case.arrangements.values() if a.state != "over"]
    return [(a.id, f"{t.named('kind', a.kind)}, {t.named('state', a.state)}, {clock.instant(a.starts)}") for a in open_]


def _analytes(s: FactWriter) -> Sequence[Option]:
    return [(code, s.clock.t.named("analyte", code)) for code in ANALYTES if code not in DERIVED]


def _decisions(s: FactWriter) -> Sequence[Option]:
    waiting = dict.fromkeys(About.of(key).id for key in open_again(s.case))
    return [(i, s.clock.t.named("event", s.case.decisions[i].kind)) for i in waiting]


def _resources(s: FactWriter) -> Sequence[Option]:
    known = [one for one in s.case.resources.values() if not ended(one)]
    return [(one.id, f"{s.clock.t.named('kind', one.kind)}, {s.label(one.submission)}") for one in known]


def _specimens(s: FactWriter) -> Sequence[Option]:
    known = [one for one in s.case.specimens.values() if one.state not in ("forwarded", "returned")]
    return [(one.id, f"{s.clock.t.named('kind', one.kind)}, {s.clock.t.named('fate', one.state)}") for one in known]


def _shipments(s: FactWriter) -> Sequence[Option]:
    t, clock = s.clock.t, s.clock
    known = [one for one in s.case.shipments.values() if one.state != "cancelled"]
    return [(one.id, f"{t.named('cargo', one.cargo)}, {clock.instant(one.arrives)}") for one in known]


def _orders(s: FactWriter) -> Sequence[Option]:
    known = s.case.erasure
    return [(known.order, s.clock.t("case.erasure_order", until=s.clock.instant(known.until)))] if known else []


CODES: Mapping[str, Sequence[str]] = {
    **assessing.CODED,
    **cell_loss.CODED,
}
"""Field → the codes that may be said in it, each with a name of its own."""


def _watched(s: FactWriter) -> Sequence[Option]:
    t, watched = s.clock.t, [fact for fact, watch in s.case.late_watches.items() if watch.open]
    return [(i, t.named("adverse", s.case.episodes[i].kind)) for i in watched if i in s.case.episodes]


def _corrective(s: FactWriter) -> Sequence[Option]:
    known = [(i, one) for i, one in s.case.corrective.items() if one.state in ("planned", "done")]
    return [(i, f"{_alert_of(s, one)}, {s.clock.t.named('corrective', one.state)}") for i, one in known]


def _alert_of(s: FactWriter, one: CorrectiveAction) -> str:
    return f"{s.clock.t.named('alert', s.case.alerts[one.alert].kind)}, {s.clock.day(one.done_by)}"


def _coded(field: str, s: FactWriter) -> Sequence[Option]:
    return [(code, s.clock.t.named(field, code)) for code in CODES[field]]


OF_CASE: Mapping[str, Callable[[FactWriter], Sequence[Option]]] = {
    **{field: partial(_coded, field) for field in CODES},
    "treatment_route": lambda s: [(code, s.clock.t.named("treatment_route", code)) for code in TREATMENTS],
    "search": lambda s: [(code, s.clock.t.named("search", code)) for code in SEARCHES],
    "corrective": _corrective,
    "episode": _watched,
    "hypotension": lambda s: [(code, s.clock.t.named("hypotension", code)) for code in CODED["hypotension"]],
    "oxygen": lambda s: [(code, s.clock.t.named("oxygen", code)) for code in CODED["oxygen"]],
    "awake": lambda s: [(code, s.clock.t.named("awake", code)) for code in CODED["awake"]],
    "seizure": lambda s: [(code, s.clock.t.named("seizure", code)) for code in CODED["seizure"]],
    "brain_oedema": lambda s: [(code, s.clock.t.named("brain_oedema", code)) for code in CODED["brain_oedema"]],
    "upper_gut": lambda s: [(code, s.clock.t.named("upper_gut", code)) for code in CODED["upper_gut"]],
    "decision": _decisions,
    "resource": _resources,
    "specimen": _specimens,
    "order": _orders,
    "person": lambda s: [(i, s.person(i)) for i in s.case.people],
    "attendant": lambda s: [(i, s.person(i)) for i in s.case.people],
    "submission": lambda s: [(i, s.label(i)) for i in s.case.submissions],
    "analyte": _analytes,
    "disease": lambda s: [(code, s.clock.t.named("disease", code)) for code in DISEASES],
    "sex": lambda s: [(code, s.clock.t.named("sex", code)) for code in SEXES],
    "item": lambda s: [(i, s.label(i)) for i in s.case.records],
    "obligation": _obligations,
    "effect": _effects,
    "visit": _visits,
    "accepting": _missing,
    "fact": _facts,
    "bundle_fact": lambda s: [
        (i, f"{s.value(one.bundle)} ({s.clock.instant(one.at)})") for i, one in s.case.summaries.items()
    ],
    "alert": _alerts,
    "arrangement": _arrangements,
    "shipment": _shipments,
    "access": lambda s: [
        (i, f"{s.label(a.by)}, {s.clock.t('glass.until', at=s.clock.instant(a.until))}")
        for i, a in s.case.accesses.items()
        if not a.finding
    ],
}
