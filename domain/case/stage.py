"""The stages of the main line, in journey order, and the reasons for which a journey is left early."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Lists where the main line of the journey can stand, in journey order [journey.stages]."""

    INQUIRY = "inquiry"
    RECORDS = "records"
    ELIGIBILITY = "eligibility"
    VISA = "visa"
    ADMISSION = "admission"
    LYMPHODEPLETION = "lymphodepletion"
    INFUSION = "infusion"
    REDOSING = "redosing"
    FOLLOW_UP = "follow_up"
    CLOSED = "closed"

    @property
    def rank(self) -> int:
        """Return its place in the journey, from 0."""
        return list(Stage).index(self)


class Exit(StrEnum):
    """Lists why a journey can leave its main line early."""

    DECLINED = "declined"  # the patient or family chose not to go on
    WITHDRAWN = "withdrawn"  # consent or study participation withdrawn
    DIED = "died"
    NOT_SUITABLE = "not_suitable"  # the hospital said no; an alternative pathway is named
    PROTOCOL_CLOSED = "protocol_closed"
    PRODUCT_RECALLED = "product_recalled"
    LOST = "lost_to_follow_up"
    NO_RESPONSE = "no_response"
    SCREEN_FAILED = "screen_failed"
    VOIDED = "voided"  # opened by mistake; nothing was done
    MERGED = "merged"  # another case of the same person goes on


EVERY_STAGE = tuple(Stage)


def stages(first: Stage, last: Stage = Stage.CLOSED, *also: Stage) -> tuple[Stage, ...]:
    """Return the stages from one to another in journey order, and further ones after a gap."""
    return (*EVERY_STAGE[first.rank : last.rank + 1], *also)
