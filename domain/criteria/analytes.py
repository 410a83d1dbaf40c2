"""The table of what can be measured or stated of a patient: units with their factors, what is plausible, closed codes.

Factors and plausible ranges: [criteria.units], [criteria.plausible]. A changed factor or range is a new VERSION.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

VERSION = 1
ULN = "{ULN}"
"""The unit of a threshold that counts in upper limits of normal of the laboratory that measured."""
ALIASES: Mapping[str, str] = {
    "x ULN": ULN,
    "µmol/L": "umol/L",
    "μmol/L": "umol/L",
    "IU/L": "U/L",
    "10^9/L": "10*9/L",
    "x10^9/L": "10*9/L",
    "x10*9/L": "10*9/L",
    "10^3/uL": "10*3/uL",
    "/µL": "/uL",
    "/μL": "/uL",
    "/mm3": "/uL",
    "mL/min/1.73m2": "mL/min/{1.73_m2}",
    "years": "a",
    "months": "mo",
    "weeks": "wk",
    "days": "d",
}
"""What people write → the UCUM unit."""


def ucum(unit: str) -> str:
    """Return the UCUM unit for what was written."""
    return ALIASES.get(unit.strip(), unit.strip())


@dataclass(frozen=True, slots=True)
class Analyte:
    """One row. `unit` is the canonical UCUM unit, "" = it is stated by one of `codes`.

    `factors` lead from other units to it; `low` and `high` bound what is plausible, in it; it goes in steps of `step`.
    `whole`: a number below one is a fraction written for a percentage. `targeted`: it is of an antigen. `by_method`:
    methods measure different things, so the newest of each counts. `lapse`: what counts is how long ago it was.
    `lasting`: it does not grow old, so no window of a protocol is about it.
    """

    unit: str = ""
    factors: Mapping[str, Decimal] = field(default_factory=dict)
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    step: Decimal | None = None
    codes: tuple[str, ...] = ()
    whole: bool = False
    targeted: bool = False
    by_method: bool = False
    lapse: bool = False
    lasting: bool = False

    def factor(self, unit: str) -> Decimal | None:
        """Return by what a value in that unit is multiplied; None = it is no unit of this."""
        written = ucum(unit)
        same = written == self.unit or (not written and self.unit.startswith("{"))
        return Decimal(1) if same else self.factors.get(written)

    @property
    def units(self) -> tuple[str, ...]:
        """Return the units it can be given in, the canonical one first."""
        return (self.unit, *self.factors) if self.unit else ()


def _measured(unit: str, low: str, high: str, **factors: str) -> Analyte:
    named = {NAMED[name]: Decimal(factor) for name, factor in factors.items()}
    return Analyte(unit, named, Decimal(low), Decimal(high))


NAMED: Mapping[str, str] = {
    "mg_dl": "mg/dL", "g_dl": "g/dL", "per_ul": "/uL", "k_per_ul": "10*3/uL", "umol_l": "umol/L", "u_l": "U/L",
    "g": "g", "years": "a", "months": "mo", "weeks": "wk",
}  # fmt: skip
COUNT = {"per_ul": "0.001", "k_per_ul": "1"}
SEROLOGY = Analyte(codes=("positive", "negative", "indeterminate"))
STATED = Analyte(codes=("yes", "no"))
FOR_GOOD = Analyte(codes=("yes", "no"), lasting=True)

ANALYTES: Mapping[str, Analyte] = {
    "age": _measured("mo", "0", "1440", years="12"),
    "ecog": Analyte(codes=tuple("012345")),
    "karnofsky": Analyte("{score}", {}, Decimal(0), Decimal(100), Decimal(10)),
    "lansky": Analyte("{score}", {}, Decimal(0), Decimal(100), Decimal(10)),
    "life_expectancy": _measured("d", "0", "36500", weeks="7", months="30.44", years="365.25"),
    "weight": _measured("kg", "2", "300", g="0.001"),
    "lvef": Analyte("%", {}, Decimal(5), Decimal(90), whole=True),
    "spo2": Analyte("%", {}, Decimal(50), Decimal(100), whole=True),
    "creatinine": _measured("umol/L", "5", "3000", mg_dl="88.4"),
    "creatinine_clearance": _measured("mL/min", "1", "250"),
    "egfr": _measured("mL/min/{1.73_m2}", "1", "250"),
    "alt": _measured("U/L", "1", "20000"),
    "ast": _measured("U/L", "1", "20000"),
    "bilirubin": _measured("umol/L", "0.85", "1026", mg_dl="17.1"),
    "albumin": _measured("g/L", "5", "80", g_dl="10"),
    "haemoglobin": _measured("g/L", "20", "250", g_dl="10"),
    "neutrophils": _measured("10*9/L", "0", "100", **COUNT),
    "lymphocytes": _measured("10*9/L", "0", "1000", **COUNT),
    "platelets": _measured("10*9/L", "0", "2000", **COUNT),
    "fibrinogen": _measured("g/L", "0.1", "20", mg_dl="0.01"),
    "aptt": _measured("s", "10", "300"),
    "prothrombin_time": _measured("s", "5", "200"),
    "marrow_blasts": Analyte("%", {}, Decimal(0), Decimal(100), by_method=True),
    "residual_disease": Analyte("%", {}, Decimal(0), Decimal(100), by_method=True),
    "measurable_lesions": Analyte("{count}", {}, Decimal(0), Decimal(500)),
    "antigen_percentage": Analyte("%", {}, Decimal(0), Decimal(100), whole=True, targeted=True, by_method=True),
    "antigen": Analyte(codes=("positive", "negative", "indeterminate"), targeted=True, by_method=True),
    "prior_lines": Analyte("{count}", {}, Decimal(0), Decimal(30)),
    "last_therapy": Analyte("d", {"wk": Decimal(7)}, lapse=True),
    "disease_group": Analyte(
        codes=("all", "aml", "nhl", "hodgkin", "cll", "myeloma", "autoimmune", "other"), lasting=True
    ),
    "disease_status": Analyte(codes=("newly_diagnosed", "in_remission", "relapsed", "refractory")),
    "morphological_relapse": STATED,
    "cns_status": Analyte(codes=("CNS1", "CNS2", "CNS3", "none_known", "treated_stable", "active")),
    "cns_symptoms": STATED,
    "cns_history": FOR_GOOD,
    "brain_mri_clear": STATED,
    "lumbar_puncture_clear": STATED,
    "active_neurological_lupus": STATED,
    "stroke_or_epilepsy_within_2_years": STATED,
    "gilbert_syndrome": FOR_GOOD,
    "liver_involvement": STATED,
    "uncontrolled_infection": STATED,
    "hbsag": SEROLOGY,
    "anti_hbc": SEROLOGY,
    "hbv_dna": SEROLOGY,
    "anti_hcv": SEROLOGY,
    "hcv_rna": SEROLOGY,
    "hiv": SEROLOGY,
    "cmv_pcr": SEROLOGY,
    "donor_specific_antibodies": SEROLOGY,
    "hla_antibodies": Analyte(codes=SEROLOGY.codes, targeted=True),
    "active_syphilis": STATED,
}
"""Code → what it is. Codes are stored, so none is ever renamed."""
UNITS = frozenset(unit for row in ANALYTES.values() for unit in row.units) | ALIASES.keys()
"""All that can be written for a unit."""
DERIVED = frozenset({"age", "prior_lines"})
"""What follows from something else that is recorded: the age from the birth date, the lines from the therapies."""
