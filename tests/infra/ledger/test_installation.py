"""The installation's own events."""

from datetime import UTC, datetime

import pytest

from activities.ports import Ledger
from domain.catalogue.installation import (
    Event,
    Installation,
    InstallationNamed,
    Kind,
    RehearsalEnded,
    end_rehearsal,
    fold,
)
from domain.core.errors import Reason, Refused
from domain.core.fact import Fact
from domain.core.when import When
from infra.ledger.ledger import PgLedger

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def facts(*events: Event) -> list[Fact[Event]]:
    return [Fact(event, str(i), i, NOW, When.at(NOW), "caravel") for i, event in enumerate(events, 1)]


@pytest.mark.parametrize(("kind", "rehearsing"), [("production", False), ("rehearsal", True), ("development", False)])
def test_only_a_rehearsal_rehearses(kind: Kind, rehearsing: bool) -> None:
    assert fold(facts(InstallationNamed("here", kind))) == Installation("here", kind, rehearsing)


def test_a_name_is_given_once_and_a_rehearsal_ends_once() -> None:
    named, ended = InstallationNamed("here", "rehearsal"), RehearsalEnded()
    installation = fold(facts(named, ended, InstallationNamed("there", "production"), ended))
    assert installation == Installation("here", "rehearsal", rehearsing=False)
    assert fold(facts()) is None
    assert end_rehearsal(fold(facts(named))) == ended


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([], Reason.NOT_FOUND),
        ([InstallationNamed("here", "production")], Reason.ALREADY),
        ([InstallationNamed("here", "rehearsal"), RehearsalEnded()], Reason.ALREADY),
    ],
)
def test_what_is_no_rehearsal_cannot_end_one(events: list[Event], reason: Reason) -> None:
    with pytest.raises(Refused) as refusal:
        end_rehearsal(fold(facts(*events)))
    assert refusal.value.reason == reason


def test_the_ledger_is_what_the_port_asks_for(ledger: PgLedger) -> None:
    port: Ledger = ledger  # mypy compares every signature
    assert port is ledger
