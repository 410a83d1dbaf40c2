"""Collects what a field is chosen from: people, documents, deadlines … this case knows, and the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from api.console.forms.case_ids import IDS
from api.console.forms.fields import Option
from api.console.names import NameEntry
from api.console.text.fact_text import FactWriter
from domain.criteria.analytes import ANALYTES, DERIVED
from domain.criteria.diseases import DISEASES
from domain.grading.ctcae import TREATMENTS
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
        found = {name: _named(entries) for name, entries in self._catalogue().items() if entries}
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


def _analytes(s: FactWriter) -> Sequence[Option]:
    return [(code, s.clock.t.named("analyte", code)) for code in ANALYTES if code not in DERIVED]


CODES: Mapping[str, Sequence[str]] = {
    **assessing.CODED,
    **cell_loss.CODED,
}
"""Field → the codes that may be said in it, each with a name of its own."""


def _coded(field: str, s: FactWriter) -> Sequence[Option]:
    return [(code, s.clock.t.named(field, code)) for code in CODES[field]]


OF_CASE: Mapping[str, Callable[[FactWriter], Sequence[Option]]] = {
    **IDS,
    **{field: partial(_coded, field) for field in CODES},
    "treatment_route": lambda s: [(code, s.clock.t.named("treatment_route", code)) for code in TREATMENTS],
    "search": lambda s: [(code, s.clock.t.named("search", code)) for code in SEARCHES],
    "hypotension": lambda s: [(code, s.clock.t.named("hypotension", code)) for code in CODED["hypotension"]],
    "oxygen": lambda s: [(code, s.clock.t.named("oxygen", code)) for code in CODED["oxygen"]],
    "awake": lambda s: [(code, s.clock.t.named("awake", code)) for code in CODED["awake"]],
    "seizure": lambda s: [(code, s.clock.t.named("seizure", code)) for code in CODED["seizure"]],
    "brain_oedema": lambda s: [(code, s.clock.t.named("brain_oedema", code)) for code in CODED["brain_oedema"]],
    "upper_gut": lambda s: [(code, s.clock.t.named("upper_gut", code)) for code in CODED["upper_gut"]],
    "analyte": _analytes,
    "disease": lambda s: [(code, s.clock.t.named("disease", code)) for code in DISEASES],
    "sex": lambda s: [(code, s.clock.t.named("sex", code)) for code in SEXES],
}
