"""Says which documents a dossier needs: by disease, by age, and by what the protocols ask [records.checklist]."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from domain.case.phases.submissions import ASKED
from domain.case.state import Case
from domain.core.personal import readable
from domain.core.policy import Party
from domain.criteria.diseases import within

Because = Literal["everybody", "disease", "age", "protocol"]
EVERYBODY = (
    "passport", "pathology", "antigen", "labs", "infection_serology", "cardiac_lung", "treatment_history",
    "current_status",
)  # fmt: skip
BY_DISEASE: Mapping[str, tuple[str, ...]] = {
    "marrow_mrd": ("leukaemia", "myeloma", "bpdcn", "nhl"),
    "imaging": ("nhl", "hodgkin", "myeloma"),
}
"""Kind of document → the diseases it is needed for; where the disease is not known exactly enough, it is needed."""
NOT_FOR: Mapping[str, tuple[str, ...]] = {"antigen": ("autoimmune",), "pathology": ("autoimmune",)}
BY_PROTOCOL: Mapping[str, tuple[str, ...]] = {
    "marrow_mrd": ("marrow_blasts", "residual_disease", "morphological_relapse"),
    "imaging": ("measurable_lesions", "brain_mri_clear"),
    "cardiac_lung": ("lvef", "spo2"),
    "antigen": ("antigen", "antigen_percentage"),
}
"""Kind of document → what it tells; needed where a criterion of a protocol that was chosen asks for that."""


@dataclass(frozen=True, slots=True)
class Needed:
    """One line of the list: a kind of document, and because of what it is needed."""

    kind: str
    because: Because


@dataclass(frozen=True, slots=True)
class Line:
    """Tells how one line stands. `state`: the document's, "missing" where none was asked; `owes`: None once settled."""

    kind: str
    because: Because
    state: str
    item: str = ""
    owes: Party | None = None


def needed(case: Case) -> Sequence[Needed]:
    """Return the documents this disease, age and protocol need, each once, in the order hospitals list them."""
    code = str(case.disease) if readable(case.disease) else ""
    found = [Needed(kind, "everybody") for kind in EVERYBODY if not _among(code, NOT_FOR.get(kind, ()), unknown=False)]
    found += [Needed(kind, "disease") for kind, those in BY_DISEASE.items() if _among(code, those, unknown=True)]
    if case.patient and case.patient.minor:
        found.append(Needed("consent_form", "age"))
    asked = set(_asked(case))
    found += [Needed(kind, "protocol") for kind, told in BY_PROTOCOL.items() if asked & set(told)]
    return list({one.kind: one for one in reversed(found)}.values())[::-1]


def _among(code: str, diseases: Iterable[str], *, unknown: bool) -> bool:
    return any(unknown if (told := within(code, one)) is None or not code else told for one in diseases)


def chosen(case: Case) -> Sequence[str]:
    """Return the protocols that were chosen for this case and still stand."""
    return [s.protocol for s in case.submissions.values() if s.state in ("chosen", *ASKED, "accepted")]


def _asked(case: Case) -> Iterable[str]:
    """What the criteria of the protocols ask for that were chosen and still stand."""
    criteria = (one for protocol in chosen(case) for one in case.noted(protocol).get("criteria", ()))
    return (test.analyte for one in criteria for test in one.tests)


def lines(case: Case) -> Sequence[Line]:
    """Return how each line of the list stands, and who owes it; the newest document of a kind that counts best."""
    return [_line(case, one) for one in needed(case)]


BEST = ("verified", "translated", "translating", "received", "waived", "requested", "rejected")
OWED_BY: Mapping[str, Party] = {
    "missing": Party.COORDINATOR,
    "received": Party.COORDINATOR,
    "translated": Party.COORDINATOR,
    "translating": Party.TRANSLATOR,
}
"""State of a line → who owes the next step; a document that is asked for is owed by whoever has it."""


def _line(case: Case, one: Needed) -> Line:
    of_kind = sorted((i for i in case.records.values() if i.kind == one.kind), key=lambda i: BEST.index(i.state))
    if not of_kind:
        return Line(one.kind, one.because, "missing", "", Party.COORDINATOR)
    known = of_kind[0]
    owes = None if known.settled else OWED_BY.get(known.state, known.source)
    return Line(one.kind, one.because, known.state, known.id, owes)


def outstanding(case: Case) -> bool:
    """Return whether a list was drawn up, and a line of it is neither verified nor waived.

    What is needed is asked now: a disease told more exactly, or another protocol, may need more than was asked for.
    """
    return bool(case.checklist) and any(one.state not in ("verified", "waived") for one in lines(case))
