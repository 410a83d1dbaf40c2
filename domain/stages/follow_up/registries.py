"""Reports a patient to registries of cell therapy, form by form, by consent [follow-up.registry-forms].

FORMS says which forms a registry asks for and when each is due. A person takes the report (a FHIR bundle), hands it in
and tells the registry's receipt or what it found wrong; then it is owed anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

from domain.case.phases.follow_up import RegistryForm
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Trace, readable
from domain.core.policy import Party, Policy
from domain.core.when import When
from domain.stages.follow_up.visit_plan import YEARS, year_after
from domain.stages.treatment.recovery import day_0

Registry = Literal["cibmtr", "ebmt"]


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a registry: its name there, the point of time it tells of, and how long after that it is due."""

    code: str
    after: timedelta
    within: timedelta = timedelta(days=30)


FIRST: Mapping[Registry, tuple[Form, ...]] = {
    "cibmtr": (
        Form("4000", timedelta(0)),
        Form("4006", timedelta(0), timedelta(days=45)),
        Form("4100-D100", timedelta(days=100)),
        Form("4100-M6", timedelta(days=183)),
    ),
    "ebmt": (
        Form("CGT-D0", timedelta(0)),
        Form("CGT-D100", timedelta(days=100)),
        Form("CGT-M6", timedelta(days=183)),
    ),
}
"""The forms before the yearly ones, in the order they are due [follow-up.registry-forms]."""
YEARLY: Mapping[Registry, str] = {"cibmtr": "4100", "ebmt": "CGT"}


@dataclass(frozen=True, slots=True)
class ReportToRegistry:
    """The patient is reported to a registry, which knows them by `number` where it gave one already."""

    registry: Registry
    number: Trace = ""
    type: Literal["ReportToRegistry"] = "ReportToRegistry"


@dataclass(frozen=True, slots=True)
class RecordRegistryAnswer:
    """The registry took a form, with its receipt, or sent it back: `faults` are what it found wrong, line by line."""

    registry: Registry
    form: str
    outcome: Literal["accepted", "rejected"]
    receipt: Trace = ""
    faults: Clinical = ""
    occurred: When | None = None
    type: Literal["RecordRegistryAnswer"] = "RecordRegistryAnswer"


Command = ReportToRegistry | RecordRegistryAnswer


@dataclass(frozen=True, slots=True)
class RegistryChosen:
    """The patient is reported to a registry from now on."""

    registry: Registry
    number: Trace
    type: Literal["RegistryChosen"] = "RegistryChosen"


@dataclass(frozen=True, slots=True)
class RegistryAnswered:
    """A registry took a form, or sent it back."""

    registry: Registry
    form: str
    outcome: Literal["accepted", "rejected"]
    receipt: Trace
    faults: Clinical
    type: Literal["RegistryAnswered"] = "RegistryAnswered"


Event = RegistryChosen | RegistryAnswered

TAKES = (
    Takes(
        ReportToRegistry, (RegistryChosen,), at=stages(Stage.INFUSION, Stage.FOLLOW_UP), settles=("registry_choice",)
    ),
    Takes(RecordRegistryAnswer, (RegistryAnswered,), at=stages(Stage.INFUSION), settles=("registry_form",)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide what is told of a registry. Raises Refused."""
    c = command
    match c:
        case ReportToRegistry():
            require(case.infusions, Reason.NOT_NOW, "nothing is reported before cells went in")
            require_consent(case)
            known = case.registries.get(c.registry)
            require(
                known is None or c.number not in ("", known),
                Reason.ALREADY,
                "that registry is told already",
                "registry",
            )
            return [RegistryChosen(c.registry, c.number)]
        case RecordRegistryAnswer():
            require(c.registry in case.registries, Reason.MISSING, "first say so: ReportToRegistry", "registry")
            names = [form.code for form in forms(case, c.registry)]
            require(c.form in names, Reason.INVALID, f"forms of it are: {', '.join(names)}", "form")
            standing = _of(case, c.registry, c.form)
            taken = standing is not None and standing.state == "accepted"
            require(not taken, Reason.ALREADY, "the registry has that form", "form")
            if c.outcome == "accepted":
                require(readable(c.receipt), Reason.INVALID, "give the registry's receipt", "receipt")
            else:
                require(readable(c.faults), Reason.INVALID, "say what the registry found wrong", "faults")
            return [RegistryAnswered(c.registry, c.form, c.outcome, c.receipt, c.faults)]
        case _:
            assert_never(c)


def require_consent(case: Case) -> None:
    """Refuse a report without the patient's consent to registries; the clinical follow-up goes on without it."""
    words = "consent to a registry is not given, so nothing is reported (GiveConsent, purpose registry)"
    require(case.consented("registry"), Reason.MISSING, words)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold which registries are told, and what each said of its forms."""
    event = fact.event
    match event:
        case RegistryChosen():
            number = event.number if isinstance(event.number, str) else ""
            return replace(case, registries={**case.registries, event.registry: number})
        case RegistryAnswered():
            name = f"{event.registry}/{event.form}"
            known = case.registry_forms.get(name)
            rejected = (known.rejected if known else 0) + (event.outcome == "rejected")
            receipt = event.receipt if isinstance(event.receipt, str) else ""
            told = RegistryForm(event.outcome, receipt, rejected, fact.at)
            return replace(case, registry_forms={**case.registry_forms, name: told})
        case _:
            assert_never(event)


def forms(case: Case, registry: Registry) -> Sequence[Form]:
    """Return the forms of a registry for this case, in the order they are due: the first ones, then one a year."""
    years = case.visit_plan.years if case.visit_plan else YEARS
    code = YEARLY[registry]
    return (*FIRST[registry], *(Form(f"{code}-Y{year}", year_after(case, year)) for year in range(1, years + 1)))


def _of(case: Case, registry: str, form: str) -> RegistryForm | None:
    return case.registry_forms.get(f"{registry}/{form}")


def _next_forms(case: Case) -> Iterable[str]:
    """One form of each registry at a time: the first it has not accepted, while consent stands."""
    if case.follow_up != "open" or case.died or not case.consented("registry") or day_0(case) is None:
        return
    for registry in _told(case):
        names = (f"{registry}/{form.code}" for form in forms(case, registry))
        yield from [about for about in names if not _accepted(case, about)][:1]


def _told(case: Case) -> Sequence[Registry]:
    return [registry for registry in FIRST if registry in case.registries]


def _accepted(case: Case, about: str) -> bool:
    known = case.registry_forms.get(about)
    return known is not None and known.state == "accepted"


def due(case: Case, about: str) -> datetime | None:
    """Return when a form is due; None while the day of the infusion is not known."""
    start = day_0(case)
    registry, _, code = about.partition("/")
    found = next((f for r in FIRST if r == registry for f in forms(case, r) if f.code == code), None)
    return start + found.after + found.within if start and found else None


def _unchosen(case: Case) -> Iterable[str]:
    """With consent, somebody says which registry is told."""
    asked = case.follow_up == "open" and not case.died and case.consented("registry")
    return ["registry"] if asked and not case.registries else []


OWES = (
    Owes("registry_choice", Party.COORDINATOR, Party.HOSPITAL, _unchosen, lambda c, _: bool(c.registries)),
    Owes("registry_form", Party.COORDINATOR, Party.HOSPITAL, _next_forms, _accepted, due),
)


@dataclass(frozen=True, slots=True)
class FormLine:
    """One form of a registry: when it is due and how it stands; `rejected` counts how often it came back."""

    registry: Registry
    form: str
    due: datetime | None
    stands: Literal["accepted", "rejected", "owed", "ahead"]
    receipt: Trace
    rejected: int


def form_lines(case: Case) -> Sequence[FormLine]:
    """Return the forms of every registry that is told, in the order they are due."""
    return [_line(case, registry, form) for registry in _told(case) for form in forms(case, registry)]


def _line(case: Case, registry: Registry, form: Form) -> FormLine:
    about = f"{registry}/{form.code}"
    known, owed = case.registry_forms.get(about), case.latest("registry_form", about)
    if known is not None:
        return FormLine(registry, form.code, due(case, about), known.state, known.receipt, known.rejected)
    open_ = owed is not None and owed.state in ("open", "missed")
    return FormLine(registry, form.code, due(case, about), "owed" if open_ else "ahead", "", 0)
