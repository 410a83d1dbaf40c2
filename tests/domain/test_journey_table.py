"""The one page is true: what it says is what the code accepts, records and asks for, in both directions."""

from __future__ import annotations

import pkgutil
from pathlib import Path
from typing import Any

import pytest

import domain.stages
from domain.case.state import Stage
from domain.core.errors import Reason
from domain.engine.advance import ALWAYS
from domain.engine.decide import COMMANDS, CORRECTABLE, EVENTS
from domain.journey import (
    ACCEPTED,
    JOURNEY,
    MODULES,
    OWES,
    RECORDED,
    RULES,
    WANTS,
    accepting_stages,
    as_markdown,
    meaning,
)
from domain.stages.anytime import correcting, moving, watching
from domain.stages.anytime.moving import NEEDS
from tests.domain.any_command import MAKE
from tests.domain.course import FROM, OPENED, start
from tests.domain.journey import HOUR, Journey, when

NAMED = {c.__name__: c for c in COMMANDS}
BY_RULE = {event for rule in (*RULES, *ALWAYS) for event in rule.brings}


def test_every_stage_has_one_row_in_journey_order() -> None:
    assert [row.stage for row in JOURNEY] == list(Stage)
    assert list(NEEDS) == list(Stage)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_every_command_is_accepted_somewhere_and_says_what_it_records(command: type[Any]) -> None:
    assert accepting_stages(command)
    assert RECORDED[command]
    assert set(RECORDED[command]) <= set(EVENTS)


def test_the_table_knows_no_other_commands() -> None:
    assert set(RECORDED) == set(COMMANDS)
    assert {c for row in JOURNEY for c in row.accepts} == set(COMMANDS)


def test_every_file_of_the_stages_is_on_the_page() -> None:
    packages = pkgutil.walk_packages(domain.stages.__path__, "domain.stages.")
    files = {m.name for m in packages if not m.ispkg}
    named = {m.__name__ for m in (*MODULES, correcting, watching)}
    assert files == named


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: e.__name__)
def test_every_event_means_something_and_somebody_records_it(event: type[Any]) -> None:
    line = meaning(event)
    assert line.endswith(".")
    assert event.__dataclass_params__.frozen
    assert event.__dataclass_fields__["type"].default == event.__name__
    told = any(event in events for events in RECORDED.values())
    assert told or event in BY_RULE or event in watching.KINDS.values()


def test_every_command_means_something() -> None:
    for command in COMMANDS:
        assert meaning(command).endswith((".", ":"))
        assert command.__dataclass_fields__["type"].default == command.__name__


def test_rules_bring_only_events_and_have_names_of_their_own() -> None:
    assert set(EVENTS) >= BY_RULE
    names = [rule.name for rule in (*RULES, *ALWAYS)]
    assert len(set(names)) == len(names)
    rests = {t for rule in RULES for t in rule.rests_on} | {
        t for needs in NEEDS.values() for n in needs for t in n.rests_on
    }
    assert rests <= {e.__name__ for e in EVENTS}


def test_each_row_names_the_events_its_commands_record() -> None:
    assert {event for row in JOURNEY for event in row.records} == {e for events in RECORDED.values() for e in events}


def test_kinds_of_obligations_and_effects_are_told_apart_by_their_names() -> None:
    for rows in (OWES, WANTS):
        kinds = [row.kind for row in rows]
        assert len(set(kinds)) == len(kinds)
    assert {e.__name__ for e in EVENTS} >= CORRECTABLE


def test_a_stage_refuses_what_its_row_does_not_list() -> None:
    j = start("infused")
    closed = set(COMMANDS) - set(ACCEPTED[Stage.INFUSION])
    assert closed
    for command in closed - {type(OPENED)}:
        when(j, MAKE[command](j, 0)).then_refused(Reason.NOT_NOW, f"{command.__name__} is accepted in: ")
        assert j.refused
        assert j.refused.detail.endswith("; the case stands at infusion")


REPORTS = [c for c in NAMED if c.startswith(("Report", "Assess", "Resolve", "RecordTransplant"))]
BEFORE: dict[str, tuple[tuple[str, ...], ...]] = {
    "AcknowledgeEstimate": (("IssueEstimate",),),
    "DeliverTranslation": (("OrderTranslation",),),
    "CertifyTranslation": (("OrderTranslation", "DeliverTranslation"),),
    "ReportResource": (("RecordResource",),),
    "OrderCells": (("RecordResource",),),
    "ResumeCase": (("HoldCase",),),
    "ReviewAccess": (("BreakGlass",),),
    "ReopenCase": (("LeaveJourney",),),
    "RetractDeath": (("ReportDeath",),),
    "ConfirmErasure": (("OrderErasure",),),
    "WithdrawErasure": (("OrderErasure",),),
    "RecordErasure": (("OrderErasure", "ConfirmErasure"),),
    "DecideStayExtension": (("FileStayExtension",),),
    "DeclineTransplant": (("ReferTransplant",),),
    "GiveUpRedosing": (("DecideRedosing",),),
    "AnswerAlert": (("ReportMalignancy",),),
    "SettleEffect": (("ReferTransplant", "RecordOutcome"),),
    "RecordOutcome": (("ReferTransplant",),),
    "ReportBounce": (("ReferTransplant",),),
    "CorrectFact": tuple((c,) for c in ("", *REPORTS, "AddPerson", "RecordCriterion", "StateDiagnosis")),
    "ReviewDecision": (("CorrectFact",),),
}  # fmt: skip
"""What must have been told just before, where the ordinary course does not tell it."""
WHERE = {"CorrectFact": ("acknowledged", "filed", "granted", "depleting", "infused")}
"""Where to look, when it is not everywhere."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_every_event_the_page_names_is_really_recorded_by_its_command(command: type[Any]) -> None:
    """The other direction is checked at every step of every test, in Journey."""
    missing = set(RECORDED[command])
    for name in WHERE.get(command.__name__, FROM):
        if command not in ACCEPTED[start(name).case.stage] and command is not type(OPENED):
            continue
        for before in BEFORE.get(command.__name__, ((),)):
            missing -= _recorded(command, start(name), before, missing)
        if not missing:
            return
    pytest.fail(f"{command.__name__} never records {missing}")


def _recorded(command: type[Any], j: Journey, before: tuple[str, ...], missing: set[type[Any]]) -> set[type[Any]]:
    found: set[type[Any]] = set()
    for variant in range(12):
        fresh = j.fork()
        for earlier in before:
            if earlier:
                fresh.tried(MAKE[NAMED[earlier]](fresh, variant))
        fresh.now += HOUR
        newest = 1000 if command is correcting.CorrectFact else variant
        fresh.tried(MAKE[command](fresh, variant if newest == variant else len(fresh.case.correctable) - 1))
        found |= {type(event) for event in fresh.decided} if fresh.refused is None else set()
        if missing <= found or (found and command is correcting.CorrectFact):
            break
    return found


def test_the_page_is_written_as_a_table() -> None:
    page = as_markdown()
    assert page.count("\n| `") == len(Stage)
    assert all(command.__name__ in page for command in COMMANDS)


def test_no_stage_file_is_too_long() -> None:
    for path in Path(domain.stages.__path__[0]).parent.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 400, path


def test_needs_that_nobody_may_waive() -> None:
    fixed = {n.name for needs in moving.NEEDS.values() for n in needs if not n.waivable}
    assert fixed == {
        "consent to process health data",
        "frozen dossier",
        "a centre's acceptance that still stands",
        "consent to the trial",
        "acceptance of the particular risks",
        "lymphodepletion gate signed",
        "follow-up ended",
    }
