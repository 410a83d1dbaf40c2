"""Any command about who the person is: links with other cases and erasures, for random histories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from domain.case.phases.links import LinkRequest
from domain.case.phases.submissions import HandedWait
from domain.stages.anytime.erasing import ConfirmErasure, OrderErasure, RecordErasure, WithdrawErasure
from domain.stages.anytime.linking import AcceptLink, ConfirmLink, LinkCase, MergeCase, RefuseLink, UnlinkCase
from tests.domain.course import CENTRE, PROTOCOL
from tests.domain.journey import DAY, Journey


def _other(j: Journey, n: int) -> str:
    name = f"case-{2 + n % 4}"
    j.meet(name, open=n % 3 > 0)
    return name


def _linked(j: Journey, n: int) -> str:
    found = list(j.case.links)
    name = found[n % len(found)] if found else "case-2"
    j.meet(name)
    return name


def _asker(j: Journey, n: int) -> str:
    found = list(j.case.links)
    return found[n % len(found)] if found and n % 2 else f"case-{4 + n % 3}"


def _asked(j: Journey) -> str:
    return j.case.link_asked.fact if j.case.link_asked else "nothing"


def _order(j: Journey) -> str:
    return j.case.erasure.order if j.case.erasure else "nothing"


def _waits(j: Journey, n: int) -> tuple[HandedWait, ...]:
    """Up to two waits of the case that asks: one that only waits, one with a place that was taken."""
    taken = ("place-9", CENTRE) if n % 4 > 1 else ("", "")
    both = (
        HandedWait("wait-8", PROTOCOL, "", j.now - (n + 1) * DAY, n % 2 > 0, n + 1, *taken),
        HandedWait("wait-9", "protocol-b", CENTRE, j.now - DAY, urgent=True, round=1),
    )
    return both[: n % 3]


OF_PERSONS: dict[type[Any], Callable[[Journey, int], Any]] = {
    LinkCase: lambda j, n: LinkCase(_other(j, n), "one person", by="person-9"),
    UnlinkCase: lambda j, n: UnlinkCase(_linked(j, n), "two people", "person-9"),
    MergeCase: lambda j, n: MergeCase(_other(j, n), "one person", confirmed=True, by="person-9"),
    AcceptLink: lambda j, n: AcceptLink(
        _asker(j, n), "4444-5555-6", get_args(LinkRequest)[n // 2 % 3], n % 3 > 0, _waits(j, n)
    ),
    ConfirmLink: lambda j, n: ConfirmLink(_asked(j), tuple(j.case.waiting)[n % 2 :]),
    RefuseLink: lambda j, _: RefuseLink(_asked(j), "not_found"),
    OrderErasure: lambda _, n: OrderErasure(
        "objection", ("trace", "trace_and_clinical")[n % 2], "follow_up", "by mail", "person-8"
    ),
    ConfirmErasure: lambda j, n: ConfirmErasure(_order(j), ("person-9", "person-8")[n % 2]),
    WithdrawErasure: lambda j, _: WithdrawErasure(_order(j), "person-8"),
    RecordErasure: lambda j, _: RecordErasure(_order(j)),
}
