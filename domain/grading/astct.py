"""Cytokine release and neurotoxicity by ASTCT 2019, computed from what was seen [safety.crs, safety.icans].

The worst axis decides. What is computed stands beside the clinician's grade and never replaces it. Organ values such as
creatinine do not count. Grade 5 is a death, which is reported and never computed.
"""

from __future__ import annotations

from collections.abc import Mapping

HYPOTENSION: Mapping[str, int] = {
    "none": 0,
    "no_vasopressor": 2,
    "one_vasopressor": 3,
    "several_vasopressors": 4,
}
"""What blood pressure needs → grade; vasopressin beside one vasopressor is not counted."""
OXYGEN: Mapping[str, int] = {"none": 0, "low_flow": 2, "high_flow": 3, "positive_pressure": 4}
"""What breathing needs → grade; low flow is a nasal cannula of at most 6 L/min or blow-by."""
AWAKE: Mapping[str, int] = {"by_itself": 0, "slow": 1, "to_voice": 2, "to_touch": 3, "hardly_or_not": 4}
"""How the patient wakes → grade; "by_itself" is unimpaired, "slow" drowsy and waking by itself."""
SEIZURE: Mapping[str, int] = {"none": 0, "resolved": 3, "lasting": 4}
"""Any that ended quickly → 3; over 5 minutes, or repeated without recovery → 4."""
OEDEMA: Mapping[str, int] = {"none": 0, "focal": 3, "diffuse": 4}
"""Of the brain, on imaging; diffuse takes in every sign of raised pressure."""
ICE_MAX = 10
_ICE: tuple[tuple[int, int], ...] = ((10, 0), (7, 1), (3, 2), (0, 3))
"""At least so many points of the encephalopathy score → grade."""


def crs(*, fever: bool, suppressed: bool, hypotension: str, oxygen: str) -> int:
    """Return the grade, 0 to 4. `suppressed`: in an open episode a drug was given that takes fever away."""
    if not fever and not suppressed:
        return 0
    return max(1, HYPOTENSION[hypotension], OXYGEN[oxygen])


def icans(*, ice: int | None, awake: str, seizure: str, motor: bool, oedema: str) -> int:
    """Return the grade, 0 to 4. `ice` is 0 to 10, None where it could not be tested; `motor` is deep focal weakness."""
    return max(_of_ice(ice), AWAKE[awake], SEIZURE[seizure], 4 if motor else 0, OEDEMA[oedema])


def _of_ice(ice: int | None) -> int:
    return 0 if ice is None else next(grade for least, grade in _ICE if ice >= least)
