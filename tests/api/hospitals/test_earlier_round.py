"""An answer to what was asked for other times does not agree to the times it is asked for now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from activities.case_session import Reply
from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.case.state import Case
from domain.core.errors import Reason, Refused
from domain.stages.eligibility.eligibility import AcceptPatient
from domain.stages.travel.arrangement_answers import ConfirmArrangement
from domain.stages.travel.arranging import AskArrangement, AskArrangementAgain
from tests.api.routes.test_callbacks import Hospital, hospital, keys, stranger
from tests.api.submitted import Submitted, submitted

__all__ = ["hospital", "keys", "stranger"]
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def asking(case: Case) -> list[str]:
    return [e.id for e in case.effects.values() if e.kind == "arrange_service"]


async def agreed(case: Submitted, effect: str) -> Case:
    [arrangement] = (await case.state()).arrangements
    yes = ConfirmArrangement(arrangement, place="12 East Road")
    request = CommandRequest(case.id, Meta(case.centre, causation=effect), yes, reply=Reply(effect))
    return (await case.here.commands.record(request)).case


async def test_a_late_yes_to_the_first_times_is_refused_and_one_to_the_newest_counts(
    here: Parts, hospital: Hospital
) -> None:
    case = await submitted(here, hospital.id)
    await case.tell(AcceptPatient(case.submission, "Dr Wu", NOW + 90 * DAY))
    asked = await case.tell(AskArrangement("lodging", starts=NOW + 20 * DAY, ends=NOW + 30 * DAY))
    [first] = asking(asked)
    [arrangement] = asked.arrangements
    again = await case.tell(AskArrangementAgain(arrangement, starts=NOW + 50 * DAY, ends=NOW + 60 * DAY))
    [newest] = [effect for effect in asking(again) if effect != first]
    with pytest.raises(Refused) as caught:
        await agreed(case, first)
    assert (caught.value.reason, caught.value.field) == (Reason.NOT_NOW, "basedOn")
    assert (await case.state()).arrangements[arrangement].state == "asked"
    assert (await agreed(case, newest)).arrangements[arrangement].state == "confirmed"
