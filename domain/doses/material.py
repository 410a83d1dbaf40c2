"""A material doses are made of: a donor's code, a donation, cells, a bank, a producer line, a vector run or lot.

One stream each. A donor is a code only; who that is, is known where the donation was taken [doses.donor-code].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from math import isfinite
from typing import Any, Literal, assert_never, get_args

from domain.core.codes import require_day_come
from domain.core.errors import Reason, require
from domain.core.fact import Fact
from domain.core.personal import Clinical, ClinicalCode, Identity, Trace, TraceCode
from domain.core.roles import Action
from domain.doses import codes, linking
from domain.doses.custody import giving
from domain.doses.custody.giving import Givings
from domain.doses.kinds import KINDS, TOLD, CellSource, MaterialKind, Platform, TitreUnit, VectorType
from domain.doses.linking import Beside, LinkMaterial, UnlinkMaterial

Use = Literal["donation", "research", "recontact"]
"""What a donor may consent to, each for itself [doses.donor-consent]."""
RESULTS = ("non_reactive", "reactive", "indeterminate")
ASKED: tuple[Any, ...] = ("", None, ())
"""How a field looks that nothing was told of."""


@dataclass(frozen=True, slots=True)
class RegisterMaterial:
    """A material exists. Which fields are asked depends on its kind; `made_of` are ids of materials.

    `volume_l` is in litres, `titre` in `titre_unit`, `yielded` in transducing units or vector genomes as that says.
    """

    kind: MaterialKind
    code: Trace
    made_of: tuple[str, ...] = ()
    source: CellSource = ""
    what: str = ""
    edits: tuple[str, ...] = ()
    platform: Platform = ""
    volume_l: float | None = None
    titre: float | None = None
    titre_unit: TitreUnit = ""
    yielded: float | None = None
    vector: VectorType = ""
    integrating: bool | None = None
    type: Literal["RegisterMaterial"] = "RegisterMaterial"


@dataclass(frozen=True, slots=True)
class RecordScreening:
    """A donor was tested; `sampled` is the day of the sample, `result` non_reactive, reactive or indeterminate."""

    marker: str
    result: Clinical
    sampled: date
    type: Literal["RecordScreening"] = "RecordScreening"


@dataclass(frozen=True, slots=True)
class RecordDonorTyping:
    """A donor has these HLA alleles, all that are known each time, such as A*02:01; `source` names the report."""

    alleles: tuple[Clinical, ...]
    source: str
    type: Literal["RecordDonorTyping"] = "RecordDonorTyping"


@dataclass(frozen=True, slots=True)
class RecordDonorConsent:
    """A donor consented to a use."""

    use: Use
    type: Literal["RecordDonorConsent"] = "RecordDonorConsent"


@dataclass(frozen=True, slots=True)
class WithdrawDonorConsent:
    """A donor no longer consents to a use; what was made before is not undone by it."""

    use: Use
    type: Literal["WithdrawDonorConsent"] = "WithdrawDonorConsent"


Command = (
    RegisterMaterial | RecordScreening | RecordDonorTyping | RecordDonorConsent | WithdrawDonorConsent
    | linking.Command | giving.Command
)  # fmt: skip
BY = {**dict.fromkeys(get_args(Command), Action.REGISTER_LOT), **giving.BY}
"""Whoever registers lots registers what they are made of."""


@dataclass(frozen=True, slots=True)
class MaterialRegistered:
    """A material exists."""

    kind: MaterialKind
    code: Trace
    source: CellSource = ""
    what: str = ""
    edits: tuple[str, ...] = ()
    platform: Platform = ""
    volume_l: float | None = None
    titre: float | None = None
    titre_unit: TitreUnit = ""
    yielded: float | None = None
    vector: VectorType = ""
    integrating: bool | None = None
    type: Literal["MaterialRegistered"] = "MaterialRegistered"


@dataclass(frozen=True, slots=True)
class DonorScreened:
    """A donor was tested for a marker."""

    marker: str
    result: Clinical
    sampled: date
    type: Literal["DonorScreened"] = "DonorScreened"


@dataclass(frozen=True, slots=True)
class DonorTyped:
    """A donor has these HLA alleles, as far as they were found."""

    alleles: tuple[Clinical, ...]
    source: str
    type: Literal["DonorTyped"] = "DonorTyped"


@dataclass(frozen=True, slots=True)
class DonorConsented:
    """A donor consented to a use."""

    use: Use
    type: Literal["DonorConsented"] = "DonorConsented"


@dataclass(frozen=True, slots=True)
class DonorConsentWithdrawn:
    """A donor no longer consents to a use."""

    use: Use
    type: Literal["DonorConsentWithdrawn"] = "DonorConsentWithdrawn"


Event = (
    MaterialRegistered | DonorScreened | DonorTyped | DonorConsented | DonorConsentWithdrawn | linking.Event
    | giving.Event
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Screening:
    """One test of a donor."""

    marker: str
    result: ClinicalCode
    sampled: date


@dataclass(frozen=True, slots=True)
class Material:
    """One material as folded from its facts; `told` are the fields its kind has."""

    version: int = 0
    kind: str = ""
    code: TraceCode = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    parents: tuple[str, ...] = ()
    consents: tuple[Use, ...] = ()
    screening: tuple[Screening, ...] = ()
    alleles: tuple[ClinicalCode, ...] = ()
    given: Givings = field(default_factory=Givings)


initial = Material()


def decide(material: Material, command: Command, now: datetime, beside: Beside) -> Sequence[Event]:
    """Decide a command on a material: return the events it brings about. Raises Refused."""
    if isinstance(command, RegisterMaterial):
        require(not material.kind, Reason.ALREADY, "a material of this kind and code is registered", "code")
        return _register(command, beside)
    require(material.kind, Reason.NOT_FOUND, "no such material")
    if isinstance(command, LinkMaterial | UnlinkMaterial):
        return linking.decide(material.kind, material.parents, command, beside)
    if isinstance(command, giving.Command):
        return giving.decide(material.kind, material.given, command)
    require(material.kind == "donor", Reason.INVALID, "only a donor is screened, typed and consents", "type")
    match command:
        case RecordScreening():
            return [_screened(command, now)]
        case RecordDonorTyping():
            return [_typed(command)]
        case RecordDonorConsent():
            return [] if command.use in material.consents else [DonorConsented(command.use)]
        case WithdrawDonorConsent():
            require(command.use in material.consents, Reason.NOT_NOW, "there is no such consent", "use")
            return [DonorConsentWithdrawn(command.use)]
        case _:
            assert_never(command)


def _register(c: RegisterMaterial, beside: Beside) -> Sequence[Event]:
    kind = KINDS[c.kind]
    _require_code(c)
    for name in TOLD:
        told = getattr(c, name) not in ASKED
        missing = name in kind.asks and not told
        require(not missing, Reason.INVALID, f"a {c.kind} needs this".replace("_", " "), name)
        foreign = told and name not in (*kind.asks, *kind.may)
        require(not foreign, Reason.INVALID, f"a {c.kind} has no such field".replace("_", " "), name)
    for name in ("volume_l", "titre", "yielded"):
        amount = getattr(c, name)
        require(amount is None or (isfinite(amount) and amount > 0), Reason.INVALID, "an amount is above 0", name)
    told_of = {name: getattr(c, name) for name in TOLD}
    links = [linking.link(c.kind, parent, beside, "made_of") for parent in dict.fromkeys(c.made_of)]
    return [MaterialRegistered(c.kind, c.code, **told_of), *links]


def _require_code(c: RegisterMaterial) -> None:
    require(isinstance(c.code, str) and codes.folded(c.code), Reason.INVALID, "a material has a code", "code")
    if c.kind == "donation":
        wrong = "a donation has its ISBT 128 number of 13 characters with its check character, or as it is scanned"
        require(codes.donation(str(c.code)), Reason.INVALID, wrong, "code")


def _screened(c: RecordScreening, now: datetime) -> DonorScreened:
    require(c.marker, Reason.INVALID, "a test is for some marker", "marker")
    require(c.result in RESULTS, Reason.INVALID, f"one of {', '.join(RESULTS)}", "result")
    require_day_come(c.sampled, now, "sampled")
    return DonorScreened(c.marker, c.result, c.sampled)


def _typed(c: RecordDonorTyping) -> DonorTyped:
    require(c.source.strip(), Reason.INVALID, "say which report the alleles stand in", "source")
    read = dict.fromkeys(codes.allele(str(one), "alleles") for one in c.alleles)
    require(read, Reason.INVALID, "name at least one allele", "alleles")
    return DonorTyped(tuple(read), c.source)


def evolve(material: Material, fact: Fact[Event]) -> Material:
    """Fold one fact of a material."""
    return replace(_folded(material, fact.event), version=fact.version)


def _folded(material: Material, event: Event) -> Material:
    match event:
        case MaterialRegistered():
            told = {f.name: getattr(event, f.name) for f in fields(event) if f.name in TOLD}
            known = {name: value for name, value in told.items() if value not in ASKED}
            return replace(material, kind=event.kind, code=_text(event.code), told=known)
        case DonorScreened():
            screening = Screening(event.marker, _text(event.result), event.sampled)
            return replace(material, screening=(*material.screening, screening))
        case DonorTyped():
            return replace(material, alleles=tuple(filter(None, map(_text, event.alleles))))
        case DonorConsented():
            return replace(material, consents=(*material.consents, event.use))
        case DonorConsentWithdrawn():
            return replace(material, consents=tuple(use for use in material.consents if use != event.use))
        case linking.MaterialLinked() | linking.MaterialUnlinked():
            return replace(material, parents=linking.after(material.parents, event))
        case giving.VectorGiven() | giving.VectorRecalled():
            return replace(material, given=giving.evolve(material.given, event))
        case _:
            assert_never(event)


def _text(value: Identity) -> str:
    """What an erased value says: nothing."""
    return value if isinstance(value, str) else ""


def read_model(material: Material) -> Mapping[str, Any]:
    """Return what others ask of it: its kind, what its donor consents to, and recalled. No code: that is sealed."""
    recalled = {"state": "recalled"} if material.given.recalled else {}
    return {"kind": material.kind, "consents": sorted(material.consents), **recalled}
