"""Scenes of obligations that stand beside the tests of their stage, put together."""

from __future__ import annotations

from tests.domain.stages.anytime.acting.acted import SCENES_OF_ACTIONS
from tests.domain.stages.follow_up.searched import SCENES_OF_SEARCH
from tests.domain.stages.governing.seated import SCENES_OF_COHORTS
from tests.domain.stages.messages.any_message import SCENES_OF_MESSAGES
from tests.domain.stages.records.lent import SCENES_OF_SPECIMENS
from tests.domain.stages.response.assessed import SCENES_OF_RESPONSES
from tests.domain.stages.supply.given import SCENES_OF_VECTORS
from tests.domain.stages.supply.sent import SCENES_OF_SHIPMENTS

SCENES_BESIDE = {
    **SCENES_OF_ACTIONS,
    **SCENES_OF_COHORTS,
    **SCENES_OF_SEARCH,
    **SCENES_OF_MESSAGES,
    **SCENES_OF_SPECIMENS,
    **SCENES_OF_RESPONSES,
    **SCENES_OF_SHIPMENTS,
    **SCENES_OF_VECTORS,
}
"""Kind of obligation → where it begins, what meets it, what makes it owed."""
