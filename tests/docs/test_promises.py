"""Each promise names tests that exist; and the ninth, that people decide, is held here."""

import re
from pathlib import Path

from domain.core.roles import Action
from domain.journey import RULES, TAKES
from domain.roles import action_of

ROOT = Path(__file__).parents[2]
PROMISES = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
OF_THE_ENGINE_TOO = {"TravelStopped", "TreatmentPlanned", "DepletionPlanned", "RecordRequested"}
"""A booking that passed unconfirmed, a case's first treatment, a document on the list,
the dates that follow from the protocol once a day was given: nothing a clinician decides."""
SHOWN = ("api/console", "api/routes/pages", "infra/mail/texts")
VERDICT = re.compile(r"\b(?:eligible|ineligible|should be treated|qualif(?:y|ies) for)\b", re.IGNORECASE)


def named_tests(text: str) -> set[str]:
    """The functions a page names as tests."""
    return set(re.findall(r"`(test_\w+)`", text))


def test_every_promise_names_tests_that_exist() -> None:
    promises = re.split(r"^- \*\*\[P\d\]\*\*", PROMISES, flags=re.MULTILINE)[1:]
    assert len(promises) == 9
    assert all(named_tests(promise) for promise in promises)
    there = {
        name for path in (ROOT / "tests").rglob("*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    assert named_tests(PROMISES) <= there
    assert not named_tests("`test_that_nobody_wrote`") <= there


def test_no_rule_takes_a_decision_of_the_hospital() -> None:
    told = {
        event
        for command, events in ((row.command, row.records) for row in TAKES.values())
        if action_of(command.__name__) is Action.ANSWER
        for event in events
    }
    brought = {event for rule in RULES for event in rule.brings}
    assert {"PatientAccepted", "GateSigned", "InfusionAuthorised", "PathwayDecided"} <= {
        event.__name__ for event in told
    }
    assert {event.__name__ for event in told & brought} == OF_THE_ENGINE_TOO


def test_no_text_says_that_somebody_is_eligible() -> None:
    files = [
        path for folder in SHOWN for path in (ROOT / folder).rglob("*") if path.suffix in (".yaml", ".html", ".txt")
    ]
    assert files
    assert not {path.name for path in files if VERDICT.search(path.read_text(encoding="utf-8"))}
    assert VERDICT.search("You are eligible for this trial")
