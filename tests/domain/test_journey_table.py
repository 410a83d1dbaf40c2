"""The one page is true: what it says is what the code accepts, records and asks for, in both directions."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import domain.stages
from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.engine.advance import ALWAYS
from domain.engine.decide import DECIDE
from domain.engine.evolve import CORRECTABLE, EVENTS
from domain.journey import (
    ACCEPTED,
    ANYTIME,
    COMMANDS,
    HOME,
    JOURNEY,
    MODULES,
    OWES,
    RULES,
    TAKES,
    WANTS,
    accepting_stages,
    as_markdown,
    meaning,
)
from domain.stages.anytime import correcting, linking, moving, watching
from domain.stages.anytime.moving import NEEDS
from domain.stages.records import documents
from domain.stages.treatment.adverse_events import ReportToxicity
from tests.domain.any_command import MAKE
from tests.domain.course import CENTRE, FROM, OPENED, PROTOCOL, start
from tests.domain.journey import HOUR, Journey, when
from tests.domain.stages.eligibility.waits import offered
from tests.domain.stages.follow_up.searched import agree, ask_of_the_year, lose, tell_cibmtr
from tests.domain.stages.schedule.planned import names_days
from tests.domain.stages.supply.given import given_beside
from tests.domain.stages.supply.sent import gap

NAMED = {c.__name__: c for c in COMMANDS}
NOTED = {*watching.KINDS.values(), documents.DocumentStored, linking.OtherCaseNoted}
"""What nobody tells and no rule brings: the door notes it."""
BY_RULE = {event for rule in (*RULES, *ALWAYS) for event in rule.brings}


def test_every_stage_has_one_row_in_journey_order() -> None:
    assert [row.stage for row in JOURNEY] == list(Stage)
    assert list(NEEDS) == list(Stage)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_every_command_is_accepted_somewhere_and_says_what_it_records(command: type[Any]) -> None:
    assert accepting_stages(command)
    assert TAKES[command].records
    assert set(TAKES[command].records) <= set(EVENTS)


def test_the_page_and_the_rows_know_the_same_commands() -> None:
    on_the_page = [*(c for row in JOURNEY for c in row.home), *ANYTIME]
    assert sorted(c.__name__ for c in on_the_page) == sorted(c.__name__ for c in TAKES), "each stands there once"
    assert set(DECIDE) == set(COMMANDS) - {correcting.CorrectFact}


def test_a_command_is_taken_where_it_is_at_home() -> None:
    assert not [c.__name__ for c, home in HOME.items() if home not in TAKES[c].at]
    before_closed = set(Stage) - {Stage.CLOSED}
    assert not [c.__name__ for c in ANYTIME if not before_closed <= set(TAKES[c].at)]
    assert all(row.at == tuple(sorted(row.at, key=lambda stage: stage.rank)) for row in TAKES.values())


def test_every_file_with_rows_is_on_the_page() -> None:
    packages = pkgutil.walk_packages(domain.stages.__path__, "domain.stages.")
    modules = [importlib.import_module(m.name) for m in packages if not m.ispkg]
    files = {m.__name__ for m in modules if {"TAKES", "RULES", "OWES", "WANTS"} & vars(m).keys()}
    named = {m.__name__ for m in MODULES.values()}
    assert files == named


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: e.__name__)
def test_every_event_means_something_and_somebody_records_it(event: type[Any]) -> None:
    line = meaning(event)
    assert line.endswith(".")
    assert event.__dataclass_params__.frozen
    assert event.__dataclass_fields__["type"].default == event.__name__
    told = any(event in events for events in (row.records for row in TAKES.values()))
    assert told or event in BY_RULE or event in NOTED


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


TOLD_AGAIN = ("AddPerson", "RecordCriterion", "StateDiagnosis", "RecordObservation", "DescribePatient", "RecordTherapy",
              "RecordMonitoring")  # fmt: skip
REPORTS = [c for c in NAMED if c.startswith(("Report", "Assess", "Resolve", "Grade", "RecordTransplant"))]
BEFORE: dict[str, tuple[tuple[str, ...], ...]] = {
    "SettleThread": (("ReceiveMessage",),),
    "AcknowledgeEstimate": (("IssueEstimate",),),
    "DeliverTranslation": (("OrderTranslation",),),
    "CertifyTranslation": (("OrderTranslation", "DeliverTranslation"),),
    "ConfirmDossierRead": (("HandOverDocument",),),
    "ExplainMisreading": (("HandOverDocument", "ConfirmDossierRead"),),
    "TellStudyFiling": (("StudyReviewed",),),
    "RecordLimitingToxicity": (("ReportToxicity",),),
    "ReportResource": (("RecordResource",),),
    "ChooseAcceptance": (("ChooseCentre", "SubmitDossier", "AcceptPatient"),),
    "AskDoseOutOfTurn": (("RefuseDose",),),
    "OfferDose": (("RefuseDose",),),
    "TakePlace": (("WaitForPlace", "Offered"),),
    "DeclinePlace": (("WaitForPlace", "Offered"),),
    "StopWaiting": (("WaitForPlace",),),
    "ConfirmWaiting": (("WaitForPlace",),),
    "ChooseExcludedCentre": (("Paused",),),  # what a centre that takes no patients is chosen in spite of
    "OrderCells": (("RecordResource",),),
    "ResumeCase": (("HoldCase",),),
    "PlanDepletion": (("NamesDays",),),  # the protocol names the days of a variant
    "OmitDepletionDay": (("NamesDays", "PlanDepletion"),),
    "ReviewAccess": (("BreakGlass",),),
    "ReopenCase": (("LeaveJourney",),),
    "RetractDeath": (("ReportDeath",),),
    "ConfirmErasure": (("OrderErasure",),),
    "WithdrawErasure": (("OrderErasure",),),
    "UnlinkCase": (("LinkCase", "ConfirmLink"),),
    "AcceptLink": ((), ("LinkCase", "ConfirmLink")),
    "ConfirmLink": (("MergeCase",), ("WaitForPlace", "MergeCase"), ("LinkCase", "ConfirmLink", "UnlinkCase")),
    "RefuseLink": (("LinkCase",),),
    "RecordErasure": (("OrderErasure", "ConfirmErasure"),),
    "DecideStayExtension": (("FileStayExtension",),),
    "DeclineTransplant": (("ReferTransplant",),),
    "GiveUpRedosing": (("DecideRedosing",),),
    "AnswerAlert": (("ReportMalignancy",),),
    "RecordLookBack": (("ReportMalignancy",),),
    "NameVectorLot": (("InTheBody",),),
    "ConfirmVectorLot": (("InTheBody", "NameVectorLot"),),
    "RecordSafetyReport": (("HighGrade",),),  # a grade that raises an alert
    "PlanCorrectiveAction": (("ReportMalignancy",),),
    "CompleteCorrectiveAction": (("ReportMalignancy", "PlanCorrectiveAction"),),
    "CheckCorrectiveAction": (("ReportMalignancy", "PlanCorrectiveAction", "CompleteCorrectiveAction"),),
    "CloseLateToxicity": (("LowCounts", "DischargePatient"),),
    "SettleEffect": (("ReferTransplant", "RecordOutcome"),),
    "RecordOutcome": (("ReferTransplant",),),
    "ReportBounce": (("ReferTransplant",),),
    "MoveArrival": ((), ("AskArrangement",)),
    "MoveInfusion": ((), ("AskArrangement",)),
    "AskArrangementAgain": (("AskArrangement",),),
    "CancelArrangement": (("AskArrangement",),),
    "OfferSlots": (("AskArrangement",),),
    "ChooseSlot": (("AskArrangement", "OfferSlots"),),
    "ConfirmArrangement": (("AskArrangement",),),
    "RefuseArrangement": (("AskArrangement",),),
    "CorrectFact": tuple((c,) for c in ("", *REPORTS, *TOLD_AGAIN)),
    "ReviewDecision": (("CorrectFact",),),
    "StrikeSummary": (("ImportResults",),),
    "HandBackTask": (("ClaimTask",),),
    "AcceptTask": (("OfferTask",),),
    "DeclineTask": (("OfferTask",),),
    "ReportSpecimen": (("DrawUpChecklist",),),
    "ReportToRegistry": (("Agreed",),),
    "RecordRegistryAnswer": (("Told",),),
    "AnswerYearlyQuestions": (("Asked", "Lost"),),
    "RecordVisit": ((), ("Lost",)),  # what brings back somebody who counted as lost
    "TryContact": ((), ("Lost",)),
    "ScanIdentity": (("RegisterWristband",),),
    "MoveShipment": (("PlanShipment",),),
    "EndShipment": (("PlanShipment",), ("PlanShipment", "RecordHandover")),
    "RecordHandover": (("PlanShipment",),),
    "CloseCustodyGap": (("Gap",),),
    "JudgeShipment": (("PlanShipment", "RecordHandover"), ("PlanShipment", "RecordHandover", "JudgeShipment")),
}  # fmt: skip
"""What must have been told just before, where the ordinary course does not tell it."""
GRADES = {"HighGrade": ReportToxicity("CRS", 4), "LowCounts": ReportToxicity("neutropenia", 3)}
WHERE = {
    "CorrectFact": ("acknowledged", "filed", "granted", "depleting", "infused"),
    **dict.fromkeys(("OrderErasure", "ConfirmErasure", "RecordErasure", "WithdrawErasure"), ("home",)),
    **dict.fromkeys(("SettleEffect", "RecordOutcome", "AnswerAlert", "RecordLookBack"), ("admission",)),
    **dict.fromkeys(("ReportInfection", "ReportToxicity", "GradeGVHD"), ("imported", "gated")),
    **dict.fromkeys(("GradeCRS", "GradeICANS", "GradeCytopenia"), ("imported", "gated")),
    "CloseLateToxicity": ("infused",),
    **dict.fromkeys(("NameVectorLot", "ConfirmVectorLot"), ("infused",)),
    "RecordSafetyReport": ("gated",),
    "CloseCustodyGap": ("dose_held",),
    "ReportSpecimen": ("imported", "submitted"),
    **dict.fromkeys(("AnswerYearlyQuestions", "ReportToRegistry", "RecordRegistryAnswer"), ("handed_over",)),
    **dict.fromkeys(("SkipContact", "ReplanFollowUp", "StopFollowUp"), ("handed_over",)),
}  # fmt: skip
"""Where to look, when it is not everywhere: of what is refused at most steps, those where it was recorded."""
LEADS: dict[str, Callable[[Journey], object]] = {
    "Paused": lambda j: j.source(CENTRE, paused=True).source("centre-b", paused=True),
    "NamesDays": names_days,
    "Offered": lambda j: offered(j, 1),
    "Asked": ask_of_the_year,
    "Agreed": agree,
    "Told": tell_cibmtr,
    "Lost": lose,
    "InTheBody": given_beside,
    "Gap": gap,
    "StudyReviewed": lambda j: j.source(PROTOCOL, route="cn_order_818", reviewed=j.now),
}
"""What is no command of its own."""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_every_event_the_page_names_is_really_recorded_by_its_command(command: type[Any]) -> None:
    """The other direction is checked at every step of every test, in Journey."""
    missing = set(TAKES[command].records)
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
            if earlier in LEADS:
                LEADS[earlier](fresh)
            elif earlier:
                fresh.tried(GRADES.get(earlier) or MAKE[NAMED[earlier]](fresh, variant))
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
        "the family's choice among the acceptances",
        "consent to the trial",
        "consent to treatment outside a trial",
        "acceptance of the particular risks",
        "lymphodepletion gate signed",
        "follow-up ended",
    }
