"""Grades of harm with what they rest on: computed by the published table, beside the clinician's own, which counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal, assert_never

from domain.case.phases.redosing import GradeTold
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Policy
from domain.core.when import When
from domain.criteria import observation
from domain.grading import astct, icaht, magic
from domain.stages.treatment import adverse_events, safety
from domain.stages.treatment.safety import AdverseEventAlerted

NOTHING = "none"
ICE_POINTS = range(astct.ICE_MAX + 1)
MOST_STOOL = 20_000
"""mL a day; more is a slip of the pen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CRSInputs:
    """Holds what a grade of cytokine release rests on. `grade` is the clinician's, where there is one."""

    fever: bool = False
    fever_suppressed: bool = False
    hypotension: Clinical = NOTHING
    oxygen: Clinical = NOTHING
    grade: int | None = None
    detail: Clinical = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ICANSInputs:
    """Holds what a grade of neurotoxicity rests on. `ice` counts 0 to 10 points; empty = it could not be tested."""

    ice: int | None = None
    awake: Clinical = "by_itself"
    seizure: Clinical = NOTHING
    motor_weakness: bool = False
    brain_oedema: Clinical = NOTHING
    grade: int | None = None
    detail: Clinical = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GVHDInputs:
    """Holds what a grade of acute graft-versus-host disease rests on. Skin in percent, stool in mL a day."""

    skin_percent: Clinical = "0"
    skin_blisters: bool = False
    bilirubin: Clinical = "0"
    bilirubin_unit: str = "mg/dL"
    upper_gut: Clinical = NOTHING
    stool_ml: Clinical = "0"
    lower_gut_severe: bool = False
    grade: int | None = None
    detail: Clinical = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CytopeniaInputs:
    """Holds what a grade of low counts rests on: days of the early count, or the count that stays after day 30.

    `late_neutrophils` empty = day 30 is not over, and the days are graded; of platelets alike, under 50 and under 20
    (10⁹/L), where days under 20 go with `late_platelets` too.
    """

    days_500: int = 0
    days_100: int = 0
    never_above: bool = False
    late_neutrophils: Clinical = ""
    neutrophils_unit: str = "10*9/L"
    platelet_days_50: int = 0
    platelet_days_20: int = 0
    late_platelets: Clinical = ""
    platelets_unit: str = "10*9/L"
    grade: int | None = None
    detail: Clinical = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeCRS(CRSInputs):
    """Grade cytokine release by ASTCT 2019, from fever, blood pressure and oxygen."""

    occurred: When | None = None
    type: Literal["GradeCRS"] = "GradeCRS"


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeICANS(ICANSInputs):
    """Grade neurotoxicity by ASTCT 2019, from the ICE score, waking, seizures, weakness and brain oedema."""

    occurred: When | None = None
    type: Literal["GradeICANS"] = "GradeICANS"


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeGVHD(GVHDInputs):
    """Grade acute graft-versus-host disease by MAGIC, from skin, bilirubin and gut."""

    occurred: When | None = None
    type: Literal["GradeGVHD"] = "GradeGVHD"


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeCytopenia(CytopeniaInputs):
    """Grade low counts by ICAHT: neutrophils and platelets, from days up to day 30 or the count that stays after it."""

    occurred: When | None = None
    type: Literal["GradeCytopenia"] = "GradeCytopenia"


Command = GradeCRS | GradeICANS | GradeGVHD | GradeCytopenia


@dataclass(frozen=True, slots=True, kw_only=True)
class CRSGraded(CRSInputs):
    """Cytokine release was graded; the computed grade stands beside the clinician's."""

    calculated: int
    type: Literal["CRSGraded"] = "CRSGraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ICANSGraded(ICANSInputs):
    """Neurotoxicity was graded; the computed grade stands beside the clinician's."""

    calculated: int
    type: Literal["ICANSGraded"] = "ICANSGraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class GVHDGraded(GVHDInputs):
    """Acute graft-versus-host disease was graded; the computed grade stands beside the clinician's."""

    calculated: int
    type: Literal["GVHDGraded"] = "GVHDGraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class CytopeniaGraded(CytopeniaInputs):
    """Low counts were graded; the computed grade stands beside the clinician's."""

    calculated: int
    calculated_platelets: int = 0
    schema_version: ClassVar[int] = 2
    type: Literal["CytopeniaGraded"] = "CytopeniaGraded"


Event = CRSGraded | ICANSGraded | GVHDGraded | CytopeniaGraded

TAKES = (
    Takes(GradeCRS, (CRSGraded, AdverseEventAlerted), at=EVERY_STAGE, over_fhir=True),
    Takes(GradeICANS, (ICANSGraded, AdverseEventAlerted), at=EVERY_STAGE, over_fhir=True),
    Takes(GradeGVHD, (GVHDGraded, AdverseEventAlerted), at=EVERY_STAGE, over_fhir=True),
    Takes(GradeCytopenia, (CytopeniaGraded, AdverseEventAlerted), at=EVERY_STAGE, over_fhir=True),
)

CODED = {
    "hypotension": astct.HYPOTENSION,
    "oxygen": astct.OXYGEN,
    "awake": astct.AWAKE,
    "seizure": astct.SEIZURE,
    "brain_oedema": astct.OEDEMA,
    "upper_gut": magic.UPPER_GUT,
}
"""Field → what may be said in it."""
KIND: dict[type[Event], str] = {
    CRSGraded: "crs",
    ICANSGraded: "icans",
    GVHDGraded: "acute_gvhd",
    CytopeniaGraded: "cytopenia",
}


def decide(
    case: Case, command: Command, now: datetime, ids: Ids, policy: Policy
) -> Sequence[Event | AdverseEventAlerted]:
    """Compute the grade and keep it beside the clinician's, which counts. Raises Refused."""
    event = computed(case, command)
    counts = event.calculated if event.grade is None else event.grade
    return [event, *safety.called_for(case, KIND[type(event)], "", counts, now)]


def computed(case: Case, command: Command) -> Event:
    """Return the grade with what it rests on. Raises Refused for inputs that cannot be."""
    for field, codes in CODED.items():
        said = getattr(command, field, None)
        require(said is None or said in codes, Reason.INVALID, f"is one of {', '.join(codes)}", field)
    known = command.grade is None or command.grade in adverse_events.GRADES
    require(known, Reason.INVALID, "grades run from 0 to 5", "grade")
    told = {f.name: getattr(command, f.name) for f in fields(command) if f.name not in ("occurred", "type")}
    match command:
        case GradeCRS():
            return CRSGraded(**told, calculated=_crs(case, command))
        case GradeICANS():
            return ICANSGraded(**told, calculated=_icans(command))
        case GradeGVHD():
            return GVHDGraded(**told, calculated=_gvhd(command))
        case GradeCytopenia():
            platelets = _platelets(command)
            worst = max(_cytopenia(command), platelets)
            return CytopeniaGraded(**told, calculated=worst, calculated_platelets=platelets)
        case _:
            assert_never(command)


def _crs(case: Case, c: CRSInputs) -> int:
    """Fever that a drug took away still counts while the episode is open."""
    running = any(one.kind == "crs" and not one.over for one in case.episodes.values())
    suppressed = c.fever_suppressed and running
    return astct.crs(fever=c.fever, suppressed=suppressed, hypotension=str(c.hypotension), oxygen=str(c.oxygen))


def _icans(c: ICANSInputs) -> int:
    require(c.ice is None or c.ice in ICE_POINTS, Reason.INVALID, "the ICE score runs from 0 to 10", "ice")
    return astct.icans(
        ice=c.ice, awake=str(c.awake), seizure=str(c.seizure), motor=c.motor_weakness, oedema=str(c.brain_oedema)
    )


def _gvhd(c: GVHDInputs) -> int:
    said, unit = str(c.bilirubin), c.bilirubin_unit
    bilirubin = observation.canonical("bilirubin", said, unit, "bilirubin", "bilirubin_unit")
    in_mg_dl = bilirubin / observation.canonical("bilirubin", "1", "mg/dL")
    return magic.acute_gvhd(
        skin_stage=magic.skin(_number(c.skin_percent, "skin_percent", 100), bullae=c.skin_blisters),
        liver_stage=magic.liver(in_mg_dl),
        upper_stage=magic.UPPER_GUT[str(c.upper_gut)],
        lower_stage=magic.lower_gut(_number(c.stool_ml, "stool_ml", MOST_STOOL), severe=c.lower_gut_severe),
    )


def _cytopenia(c: CytopeniaInputs) -> int:
    """To day 30 by days, after it by the count: each is told without the other."""
    for field in ("days_500", "days_100"):
        words = f"is a number of days from 0 to {icaht.EARLY_DAYS}"
        require(0 <= getattr(c, field) <= icaht.EARLY_DAYS, Reason.INVALID, words, field)
    require(c.days_100 <= c.days_500, Reason.INVALID, "days with at most 100 have at most 500 too", "days_100")
    if not c.late_neutrophils:
        return icaht.early(days_500=c.days_500, days_100=c.days_100, never_above=c.never_above)
    alone = not (c.days_500 or c.days_100 or c.never_above)
    words = "days are counted to day 30; after it the count is told alone"
    require(alone, Reason.INVALID, words, "late_neutrophils")
    told = str(c.late_neutrophils)
    count = observation.canonical("neutrophils", told, c.neutrophils_unit, "late_neutrophils", "neutrophils_unit")
    require(count >= 0, Reason.INVALID, "is a count from 0", "late_neutrophils")
    return icaht.late(count)


def _platelets(c: CytopeniaInputs) -> int:
    """Days under 20 count to day 30, or with the count that stays, to day 100."""
    late = bool(c.late_platelets)
    for field in ("platelet_days_50", "platelet_days_20"):
        most = icaht.LATE_DAYS if late else icaht.EARLY_DAYS
        require(0 <= getattr(c, field) <= most, Reason.INVALID, f"is a number of days up to {most}", field)
    if not late:
        words = "days under 20 are days under 50 too"
        require(c.platelet_days_20 <= c.platelet_days_50, Reason.INVALID, words, "platelet_days_20")
        return icaht.early_platelets(days_50=c.platelet_days_50, days_20=c.platelet_days_20)
    words = "days under 50 are counted to day 30; after it the count is told"
    require(not c.platelet_days_50, Reason.INVALID, words, "platelet_days_50")
    told = str(c.late_platelets)
    count = observation.canonical("platelets", told, c.platelets_unit, "late_platelets", "platelets_unit")
    require(count >= 0, Reason.INVALID, "platelets are counted from 0", "late_platelets")
    return icaht.late_platelets(count, days_20=c.platelet_days_20)


def _number(said: object, field: str, most: int) -> Decimal:
    value = observation.number(str(said))
    if value is None or not 0 <= value <= most:
        raise Refused(Reason.INVALID, f"is a number from 0 to {most}", field)
    return value


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold a grade; the clinician's counts, the computed one stays beside it."""
    event = fact.event
    counts = event.calculated if event.grade is None else event.grade
    told = safety.with_grade(case, fact.id, GradeTold(KIND[type(event)], counts, True, fact.occurred))
    return safety.graded(told, KIND[type(event)], "", counts, fact.id, event.calculated)
