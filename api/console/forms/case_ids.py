"""Collects what of a case its forms choose from, each with a name: people, documents, deadlines, orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from api.console.forms.fields import Option
from api.console.text.fact_text import FactWriter
from domain.case.corrective import CorrectiveAction
from domain.case.undoing import ended
from domain.core.about import About
from domain.stages.anytime.moving import missing
from domain.stages.anytime.reconsidering import open_again
from domain.stages.eligibility.criteria import noted_criteria
from domain.stages.follow_up.registries import FIRST, forms
from domain.stages.schedule.depletion_days import variants
from domain.stages.travel.moving_costs import movable


def _obligations(s: FactWriter) -> Sequence[Option]:
    owed = sorted((o for o in s.case.obligations.values() if o.state == "open"), key=lambda o: o.due)
    t = s.clock.t
    return [(o.id, f"{t.named('owed', o.kind)}, {t('case.due', at=s.clock.instant(o.due))}") for o in owed]


def _visits(s: FactWriter) -> Sequence[Option]:
    owed = [o for o in s.case.obligations.values() if o.state == "open" and o.kind == "visit"]
    named = [(About.of(o.about).id, s.clock.t("case.due", at=s.clock.instant(o.due))) for o in owed]
    return [*((visit, f"{visit}, {words}") for visit, words in named), ("", s.clock.t("form.visit_extra"))]


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


def _watched(s: FactWriter) -> Sequence[Option]:
    t, watched = s.clock.t, [fact for fact, watch in s.case.late_watches.items() if watch.open]
    return [(i, t.named("adverse", s.case.episodes[i].kind)) for i in watched if i in s.case.episodes]


def _corrective(s: FactWriter) -> Sequence[Option]:
    known = [(i, one) for i, one in s.case.corrective.items() if one.state in ("planned", "done")]
    return [(i, f"{_alert_of(s, one)}, {s.clock.t.named('corrective', one.state)}") for i, one in known]


def _alert_of(s: FactWriter, one: CorrectiveAction) -> str:
    return f"{s.clock.t.named('alert', s.case.alerts[one.alert].kind)}, {s.clock.day(one.done_by)}"


def _waiting(s: FactWriter) -> Sequence[Option]:
    t = s.clock.t
    known = [one for one in s.case.waiting.values() if one.live]
    return [(one.id, f"{s.label(one.protocol)}, {t.named('state', one.state)}") for one in known]


def _criteria(s: FactWriter) -> Sequence[Option]:
    protocols = dict.fromkeys(one.protocol for one in s.case.submissions.values())
    return [(one.id, s.clock.t.english(one.words)) for p in protocols for one in noted_criteria(s.case, p)]


def _linked(s: FactWriter) -> Sequence[Option]:
    return [(one.other, f"{one.number}, {s.clock.t.named('kind', one.kind)}") for one in s.case.links.values()]


def _registry_forms(s: FactWriter) -> Sequence[Option]:
    told = [one for one in FIRST if one in s.case.registries]
    codes = dict.fromkeys(form.code for one in told for form in forms(s.case, one))
    return [(code, code) for code in codes]


def _years(s: FactWriter) -> Sequence[Option]:
    return [(year, year) for year, answered in s.case.yearly.items() if not answered]


def _steps(s: FactWriter) -> Sequence[Option]:
    named = [(step, step.partition(":")) for step in movable(s.case)]
    of = {step: f", {s.label(one)}" if one else "" for step, (_, _, one) in named}
    return [(step, f"{s.clock.t.named('kind', kind)}{of[step]}") for step, (kind, _, _) in named]


def _variants(s: FactWriter) -> Sequence[Option]:
    return [(one, one) for one in variants(s.case) if one]


IDS: Mapping[str, Callable[[FactWriter], Sequence[Option]]] = {
    "person": lambda s: [(i, s.person(i)) for i in s.case.people],
    "attendant": lambda s: [("", s.clock.t("case.nobody")), *((i, s.person(i)) for i in s.case.people)],
    "submission": lambda s: [(i, s.label(i)) for i in s.case.submissions],
    "item": lambda s: [(i, s.label(i)) for i in s.case.records],
    "corrective": _corrective,
    "episode": _watched,
    "decision": _decisions,
    "resource": _resources,
    "ReportSpecimen.specimen": _specimens,
    "order": _orders,
    "obligation": _obligations,
    "effect": _effects,
    "visit": _visits,
    "accepting": _missing,
    "fact": _facts,
    "alert": _alerts,
    "arrangement": _arrangements,
    "shipment": _shipments,
    "bundle_fact": lambda s: [
        (i, f"{s.value(one.bundle)} ({s.clock.instant(one.at)})") for i, one in s.case.summaries.items()
    ],
    "access": lambda s: [
        (i, f"{s.label(a.by)}, {s.clock.t('glass.until', at=s.clock.instant(a.until))}")
        for i, a in s.case.accesses.items()
        if not a.finding
    ],
    "wait": _waiting,
    "criterion": _criteria,
    "UnlinkCase.other": _linked,
    "RecordRegistryAnswer.form": _registry_forms,
    "AnswerYearlyQuestions.year": _years,
    "RecordMovingCost.step": _steps,
    "PlanDepletion.variant": _variants,
}
"""Field, or command and field where it stands for something else elsewhere → what of the case it names."""
