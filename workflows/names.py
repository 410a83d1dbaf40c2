"""Names that stored histories depend on: never change one, add a new one."""

from __future__ import annotations

CASES = "cases"
HOSPITALS = "hospitals"
NOTICES = "notices"
CASE_WORKFLOW = "CaravelCase"
NUDGE = "nudge"
STAGE_ATTRIBUTE = "CaravelStage"
CASE_ATTRIBUTE = "CaravelCase"
UPKEEP = "upkeep"
UPKEEP_WORKFLOW = "CaravelUpkeep"
ASLEEP = "asleep"
RECALL_WORKFLOW = "CaravelRecall"
