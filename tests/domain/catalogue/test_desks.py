"""Desks: where the mail of a role goes, begun by the setting and changed by two people."""

from __future__ import annotations

import pytest

from domain.catalogue.desks import STREAM, AdoptDesks, ChangeDesk, Desk, DeskChanged, Desks, DesksAdopted
from domain.catalogue.four_eyes import ConfirmProposal, UndoChange
from domain.core.errors import Reason
from domain.core.policy import Party
from domain.core.roles import Action
from domain.core.telling.notices import CONTACT
from domain.roles import action_of
from tests.domain.catalogue.test_four_eyes import EVA, OMAR, SAM, Stream

DESKS = (Desk(Party.COORDINATOR, "desk@example.org"), Desk(Party.SUPERVISOR, "lead@example.org"))
ELSEWHERE = ChangeDesk(Party.SUPERVISOR, "omar@evil.example")


@pytest.fixture
def desks() -> Stream:
    return Stream(STREAM).has(DesksAdopted(DESKS), by="engine")


def goes(desks: Stream, role: Party = Party.SUPERVISOR) -> str:
    assert isinstance(desks.state, Desks)
    return desks.state.mails.get(role, "")


def test_the_setting_begins_and_then_counts_no_more() -> None:
    desks = Stream(STREAM)
    assert desks.does("engine", AdoptDesks(DESKS), signed_in=False) == [DesksAdopted(DESKS)]
    assert desks.refuses("engine", AdoptDesks(()), signed_in=False) is Reason.ALREADY
    assert goes(desks) == "lead@example.org"
    assert action_of("AdoptDesks") is Action.ENGINE  # nobody gives it


def test_one_alone_sends_the_mail_of_a_role_nowhere_else(desks: Stream) -> None:
    _, owed = desks.does(OMAR, ELSEWHERE)
    assert (owed.to, owed.contact) == ((EVA, SAM, CONTACT), "lead@example.org")
    assert desks.refuses(OMAR, ConfirmProposal("p1")) is Reason.FOUR_EYES
    assert goes(desks) == "lead@example.org"


def test_two_do_and_one_puts_it_back(desks: Stream) -> None:
    desks.does(OMAR, ELSEWHERE)
    desks.does(SAM, ConfirmProposal("p1"))
    assert goes(desks) == "omar@evil.example"
    _, back, owed = desks.does(EVA, UndoChange("p1"))
    assert back == DeskChanged(Party.SUPERVISOR, "lead@example.org")
    assert owed.contact == "lead@example.org"
    assert (goes(desks), goes(desks, Party.COORDINATOR)) == ("lead@example.org", "desk@example.org")


def test_a_desk_that_had_none_gets_one_by_two(desks: Stream) -> None:
    desks.does(OMAR, ChangeDesk(Party.REVIEWER, "review@example.org"))
    assert goes(desks, Party.REVIEWER) == ""
    desks.does(SAM, ConfirmProposal("p1"))
    assert goes(desks, Party.REVIEWER) == "review@example.org"


@pytest.mark.parametrize(
    "mail", ["nobody", "a@b@c", "a b@c.org", "a@c.org\r\nBcc: x@y.org", "<a@c.org>", "a@c.org,d@e.org"]
)
def test_an_address_is_one_address(desks: Stream, mail: str) -> None:
    assert desks.refuses(OMAR, ChangeDesk(Party.SUPERVISOR, mail)) is Reason.INVALID


def test_there_is_one_stream_of_all_desks(desks: Stream) -> None:
    assert Stream("desk-other").refuses(OMAR, ELSEWHERE) is Reason.NOT_FOUND
    assert desks.does(OMAR, ELSEWHERE)


def test_what_stands_there_is_no_change(desks: Stream) -> None:
    assert desks.refuses(OMAR, ChangeDesk(Party.SUPERVISOR, "lead@example.org")) is Reason.ALREADY
