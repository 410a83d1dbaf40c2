"""Holds one case as folded from its facts: where it stands, its tracks, what is owed and what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from domain.case.effect import Effect
from domain.case.erasure import Erasure
from domain.case.obligation import Obligation
from domain.case.stage import Exit, Stage
from domain.case.track import Track
from domain.case.treatment import Infusion, Treatment
from domain.core.about import About, chased
from domain.core.copying import replace
from domain.core.personal import Clinical, Identity, TraceCode
from domain.core.policy import Party, Policy

NONE: Mapping[str, Any] = {}
NEVER_HELD = frozenset(
    {"hold_review", "access_review", "safety_alert", "safety_answer", "tell_centre_of_alert", "erase_case"}
)
"""What goes on while a case is on hold."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the case. `role`: patient, carer, legal_representative, home_oncologist."""

    id: str
    role: str
    name: Identity
    mail: Identity
    phone: Identity
    zone: str
    language: str
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent as it stands; `fact` is the event that gave or withdrew it."""

    purpose: str
    recipient: str
    given: bool
    fact: str


RecordState = Literal["requested", "received", "translating", "translated", "verified", "rejected", "waived"]


@dataclass(frozen=True, slots=True)
class RecordItem:
    """One document the dossier needs. `round` counts how often it was asked for."""

    id: str
    kind: str
    source: Party
    state: RecordState
    round: int = 1
    translations: int = 0
    translation: str = ""  # delivered, and nobody else has read it yet
    translator: str = ""
    document: str = ""
    language: str = ""

    @property
    def settled(self) -> bool:
        """Nothing more is awaited for it."""
        return self.state in ("verified", "waived")


@dataclass(frozen=True, slots=True)
class Dossier:
    """The frozen set of documents a hospital reviews. `version` 0 = none yet."""

    version: int = 0
    digest: str = ""
    summary: str = ""
    drafted_by: str = ""
    signed_by: str = ""


SubmissionState = Literal["chosen", "submitted", "acknowledged", "more_info", "accepted", "declined", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Submission:
    """One dossier put before one centre under one protocol. `valid_until` bounds an acceptance."""

    id: str
    centre: str
    protocol: str
    dossier: int
    state: SubmissionState
    round: int = 0
    valid_until: datetime | None = None
    fact: str = ""
    copies_gone: bool = False  # the centre confirmed that it destroyed them


ResourceKind = Literal["slides", "blocks", "manufacturing_slot", "patient_cells", "registry_enrolment", "payment"]


@dataclass(frozen=True, slots=True)
class Resource:
    """Something acquired at a centre beside the tracks. `state` is what was told last, `held` until then.

    `order`: what somebody signed to be done with the patient's own cells, until it is carried out.
    """

    id: str
    kind: ResourceKind
    submission: str
    ref: TraceCode = ""
    amount: int | None = None
    state: str = "held"
    order: str = ""
    orders: int = 0


@dataclass(frozen=True, slots=True)
class Visa:
    """A traveller's visa [travel.visa]: `valid_until` is enter-by, `stay_days` counts from entry."""

    person: str
    state: Literal["filed", "granted", "refused", "lapsed", "used"]
    round: int = 1
    category: str = ""
    valid_until: datetime | None = None
    stay_days: int = 0


@dataclass(frozen=True, slots=True)
class Postponement:
    """The hospital admits from this day on, as the fact says that told it last."""

    admits_from: date
    fact: str


@dataclass(frozen=True, slots=True)
class Alert:
    """Something dangerous found out, in time or after cells went in. `answered` are the parties that dealt with it."""

    id: str
    kind: Literal["malignancy", "recall", "mismatch", "deviation"]
    about: TraceCode
    answered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """Says what was decided, whom it concerns, and on which facts: id of the first telling → newest telling then."""

    kind: str
    about: str
    rests_on: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody broke the glass: `by` reads the case until `until`; `finding` is what a reviewer made of it."""

    by: str
    until: datetime
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """A lot, protocol or centre as this case last noted it."""

    version: int
    state: Mapping[str, Any]
    fact: str


@dataclass(frozen=True)
class Case:
    """One patient's journey. Every field is folded from facts; nothing here reads a clock.

    Without slots: a fold copies it once or twice per event, see copying.py.
    """

    id: str = ""
    version: int = 0
    people_version: int = 0  # facts by people and hospitals only; automatic ones do not make a page stale
    stage: Stage = Stage.INQUIRY
    stage_since: datetime | None = None
    opened_at: datetime | None = None
    imported: bool = False
    number: str = ""
    country: str = ""
    language: str = ""
    zone: str = "UTC"
    triage: str = ""
    diagnosis: Clinical = ""
    urgent: bool = False
    owner: str = ""
    team: str = ""
    people: Mapping[str, Person] = field(default_factory=dict)
    consents: Mapping[str, Consent] = field(default_factory=dict)
    scope_acknowledged: str = ""
    replied: str = ""
    local_care: str = ""
    on_hold: datetime | None = None
    hold_round: int = 0
    exit: Exit | None = None
    exit_fact: str = ""
    left_from: Stage = Stage.INQUIRY
    reopenings: int = 0
    alternative: str = ""
    records: Mapping[str, RecordItem] = field(default_factory=dict)
    dossier: Dossier = field(default_factory=Dossier)
    submissions: Mapping[str, Submission] = field(default_factory=dict)
    estimate: Literal["none", "issued", "acknowledged"] = "none"
    resources: Mapping[str, Resource] = field(default_factory=dict)
    quote: Track = field(default_factory=Track)
    dose: Track = field(default_factory=Track)
    lot: TraceCode = ""
    units: Mapping[str, tuple[TraceCode, TraceCode]] = field(
        default_factory=dict
    )  # id of the fact that held it → lot, unit
    bed: Track = field(default_factory=Track)
    letter: Track = field(default_factory=Track)
    visas: Mapping[str, Visa] = field(default_factory=dict)
    passports: Mapping[str, date] = field(default_factory=dict)
    stay_plan: Mapping[str, Any] = field(default_factory=dict)
    postponed: Postponement | None = None
    fit_to_travel: Track = field(default_factory=Track)
    travel: Track = field(default_factory=Track)
    shut: tuple[str, ...] = ()  # doors that closed after the tickets were bought
    shut_fact: str = ""
    spare: tuple[tuple[str, str], ...] = ()  # effect kind, fact: acquired, no longer wanted, to be given back
    returning: bool = False  # home, and to come again for another treatment
    entered: datetime | None = None
    stay_until: datetime | None = None
    extension: Literal["none", "filed", "granted", "refused"] = "none"
    address: str = ""
    admitted: str = ""
    screening: Literal["none", "confirmed", "failed"] = "none"
    treatments: tuple[Treatment, ...] = ()
    assessments: int = 0
    discharged: str = ""
    readmissions: int = 0
    pathway: str = ""
    fit_home: str = ""
    transplant: Literal["none", "referred", "done", "declined"] = "none"
    referrals: int = 0
    transplants: int = 0
    handover: Literal["none", "accepted"] = "none"
    home: datetime | None = None
    contacted: str = ""  # the newest contact since the return home
    died: str = ""
    off_study: str = ""
    progressed: str = ""  # the newest progression since which no clinician has decided how to go on
    trial_hold: str = ""
    visits: Mapping[str, str] = field(default_factory=dict)
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    erasure: Erasure | None = None
    accesses: Mapping[str, Access] = field(default_factory=dict)
    contact_attempts: int = 0
    follow_up: Literal["none", "open", "completed", "died", "withdrawn", "transferred", "lost"] = "none"
    undone: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Noted] = field(default_factory=dict)
    obligations: Mapping[str, Obligation] = field(default_factory=dict)
    effects: Mapping[str, Effect] = field(default_factory=dict)
    correctable: Mapping[str, Any] = field(default_factory=dict)  # id → a fact as it stands that may be told again
    corrected: Mapping[str, str] = field(default_factory=dict)  # first telling → newest correction of it
    decisions: Mapping[str, Decision] = field(default_factory=dict)  # the newest of each kind about each thing
    reopened: Mapping[str, bool] = field(default_factory=dict)  # decision/correction → whether it was looked at again
    seen: Mapping[str, str] = field(default_factory=dict)  # event type → id of the newest such fact

    @property
    def patient(self) -> Person | None:
        """The patient, once known."""
        return next((p for p in self.people.values() if p.role == "patient"), None)

    @property
    def accepted(self) -> Submission | None:
        """The submission the journey goes on with."""
        return next((s for s in self.submissions.values() if s.state == "accepted"), None)

    @property
    def centre(self) -> str:
        """The treating centre's stream, once one accepted."""
        return self.accepted.centre if self.accepted else ""

    @property
    def protocol(self) -> str:
        """The protocol's stream, once a centre accepted under it."""
        return self.accepted.protocol if self.accepted else ""

    @property
    def treatment(self) -> Treatment | None:
        """The treatment under way or last given."""
        return self.treatments[-1] if self.treatments else None

    @property
    def infusions(self) -> tuple[Infusion, ...]:
        """Every infusion of every treatment, in order."""
        return tuple(i for t in self.treatments for i in t.infusions)

    @property
    def open(self) -> bool:
        """Return whether anything of the case is still to be done: the main line or any track."""
        return self.stage != Stage.CLOSED or self.follow_up == "open" or self.unfinished

    @property
    def unfinished(self) -> bool:
        """Return whether an effect or an obligation is still open."""
        return any(e.pending for e in self.effects.values()) or any(
            o.state == "open" for o in self.obligations.values()
        )

    def noted(self, stream: str) -> Mapping[str, Any]:
        """Return what the case knows of a lot, protocol or centre."""
        known = self.sources.get(stream)
        return known.state if known else NONE

    def consented(self, purpose: str, recipient: str = "") -> bool:
        """Return whether this consent is given and was not withdrawn."""
        consent = self.consents.get(f"{purpose}:{recipient}")
        return consent is not None and consent.given

    def latest(self, kind: str, about: str) -> Obligation | None:
        """The newest obligation of that kind about that thing."""
        found = [o for o in self.obligations.values() if o.kind == kind and o.about == about]
        return found[-1] if found else None

    def missed(self, kind: str, about: str) -> bool:
        """Return whether the newest such obligation ended without being met."""
        newest = self.latest(kind, about)
        return newest is not None and newest.state == "missed"

    def waits(self, kind: str, about: str = "") -> bool:
        """Return whether the hold keeps back this kind of obligation or effect; a chase counts as what it is about."""
        root = chased(about)[0] if kind.startswith("chase") else kind
        return self.on_hold is not None and root not in NEVER_HELD

    def submission_of(self, about: str) -> Submission | None:
        """The submission an obligation or effect is about: itself, or the one under which something was acquired."""
        first = About.of(about).id
        resource = self.resources.get(first)
        return self.submissions.get(resource.submission if resource else first)

    def centre_of(self, about: str) -> str:
        """The centre an obligation or effect is about: the one a submission went to, else the treating centre."""
        submission = self.submission_of(about)
        if submission is not None:
            return submission.centre
        first = About.of(about).id
        return first if first.startswith("centre-") else self.centre

    def country_of(self, party: Party, about: str, policy: Policy) -> str:
        """Return whose working days count for that party."""
        if party in (Party.HOSPITAL, Party.CONSULATE):
            return str(self.noted(self.centre_of(about)).get("country") or policy.home_country)
        family = party in (Party.FAMILY, Party.HOME_ONCOLOGIST)
        return self.country or policy.home_country if family else policy.home_country


def in_treatment(case: Case, number: int, **changes: object) -> Case:
    """The case with one treatment standing differently."""
    treatments = tuple(
        replace(t, **changes) if t.number == number else t  # type: ignore[arg-type]
        for t in case.treatments
    )
    return replace(case, treatments=treatments)
