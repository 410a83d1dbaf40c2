"""Any command about who has a task in hand, for random histories: three people who claim, offer and decline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.stages.anytime.tasks import (
    STAFF,
    AcceptTask,
    ClaimTask,
    DeclineTask,
    HandBackTask,
    OfferTask,
    TakeOverTask,
)
from tests.domain.journey import Journey


def _task(j: Journey, n: int) -> str:
    ours = [o.id for o in j.case.obligations.values() if o.state == "open" and o.debtor in STAFF]
    return ours[n % len(ours)] if ours else "nothing"


def _who(n: int) -> str:
    return f"person-{n % 3}"


def _asked(j: Journey, n: int) -> tuple[str, str]:
    found = [(o.id, o.offered) for o in j.case.obligations.values() if o.state == "open" and o.offered]
    return found[n % len(found)] if found else (_task(j, n), _who(n))


def _held(j: Journey, n: int) -> tuple[str, str]:
    found = [(o.id, o.holder) for o in j.case.obligations.values() if o.state == "open" and o.holder]
    return found[n % len(found)] if found else (_task(j, n), _who(n))


OF_TASKS: dict[type[Any], Callable[[Journey, int], Any]] = {
    ClaimTask: lambda j, n: ClaimTask(_task(j, n), _who(n // 3)),
    HandBackTask: lambda j, n: HandBackTask(*_held(j, n)),
    OfferTask: lambda j, n: OfferTask(_task(j, n), _who(n // 5), _who(n // 3)),
    AcceptTask: lambda j, n: AcceptTask(*_asked(j, n)),
    DeclineTask: lambda j, n: DeclineTask(_asked(j, n)[0], "no time", _asked(j, n)[1]),
    TakeOverTask: lambda j, n: TakeOverTask(_task(j, n), "she is ill", _who(n // 3)),
}
