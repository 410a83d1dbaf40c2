"""Every refusal the domain can give is given once by a test, with its reason and its words."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import domain
from domain.case.stage import Stage
from domain.case.state import Case
from domain.core.errors import Reason, Refused
from domain.engine.decide import decide
from domain.stages.treatment.infusion import PlanInfusions
from domain.stages.treatment.lymphodepletion import RecordDepletion
from tests.domain.course import start
from tests.domain.refusals import No

HERE = Path(__file__).parent
ROOT = Path(domain.__file__).parent
TESTS = {path.stem: path for path in sorted(HERE.rglob("test_*.py"))}
SOURCES = [*sorted((ROOT / "stages").rglob("*.py")), ROOT / "engine/decide.py", ROOT / "case/effect.py"]
ELSEWHERE = {
    "no stay is planned yet (PlanStay): name the day of the infusion": "test_backward_plan",
    "a plan is made for a day at most ": "test_backward_plan",
    "no such effect in this case": "test_effects",
    "the effect is ": "test_effects",
    "a person has settled it": "test_effects",
    "that lies in the past": "test_holding",
    "a snooze ends before the deadline; redate it instead": "test_holding",
    "a deadline lies ahead": "test_holding",
    "no such obligation in this case": "test_holding",
    "the obligation is ": "test_holding",
    "another policy is in use here by now": "test_applying",
    "deadlines move for a reason": "test_applying",
    "there is no frozen dossier to submit": "test_eligibility",
    "no follow-up is open": "test_follow_up",
    "re-dosing is decided; decide on another pathway first": "test_moving",
    "nothing can be noted of ": "test_notes",
    "no treatment is under way": "test_refusals",
    " is accepted in: ": "test_journey_table",
    "nobody can read now which unit is held": "test_erased",
    "; the case stands at ": "test_journey_table",
    "the lymphodepletion gate is not signed": "test_redosing",
    "the catalogue excludes this choice: ": "test_excluding",
    "the catalogue excludes nothing here; choose the centre (ChooseCentre)": "test_excluding",
    "say why it is chosen all the same": "test_excluding",
    "say why; a reason is never empty": "test_reasons",
    "nothing of this product is thawed; record the infusion itself": "test_by_class",
    "name what is given, as its label says": "test_by_class",
    "the label names no single dose; compare it by eye (CheckIdentity)": "test_by_class",
    "nothing is made of the patient's own cells for a product that is ": "test_by_class",
    "a rank is one of those that were seen": "test_excluding",
}
"""Refusals whose test is not a row of a table."""


def _tables() -> list[No]:
    folders = {name: path.parent.relative_to(HERE).parts for name, path in TESTS.items() if path != Path(__file__)}
    modules = [importlib.import_module(".".join(("tests.domain", *where, name))) for name, where in folders.items()]
    return [no for module in modules for no in getattr(module, "REFUSALS", ()) if isinstance(no, No)]


def _written() -> list[tuple[str, str, str]]:
    """(file and line, reason, the fixed words) of every refusal in the source."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if isinstance(node, ast.Call) and name in ("require", "Refused"):
                reason, detail = node.args[name == "require" :][:2]
                if ast.unparse(reason).startswith("Reason."):  # else a refusal handed on
                    found.append((f"{path.stem}:{node.lineno}", ast.unparse(reason), _words(detail)))
    return found


def _words(detail: ast.expr) -> str:
    parts = detail.values if isinstance(detail, ast.JoinedStr) else [detail]
    fixed = [str(p.value) for p in parts if isinstance(p, ast.Constant)]
    return max(fixed, key=len, default="")


@pytest.mark.parametrize(("where", "reason", "words"), _written(), ids=lambda x: str(x)[:50])
def test_every_refusal_is_given_somewhere(where: str, reason: str, words: str) -> None:
    if words in ELSEWHERE:
        text = TESTS[ELSEWHERE[words]].read_text()
        assert words.strip() in text, f"{where}: no test says {words!r}"
        return
    wanted = Reason[reason.removeprefix("Reason.")]
    given = [no for no in TABLES if no.reason is wanted and _said(no.detail, words)]
    assert given, f"{where}: nobody is ever refused {words!r} ({reason})"


TABLES = _tables()


def _said(told: str, words: str) -> bool:
    """The test gives the beginning of the words, or the words contain a value."""
    return not words or words in told or words.startswith(told)


def test_without_a_treatment_nothing_of_one_is_recorded() -> None:
    """`no treatment is under way` guards what stages already exclude."""
    j = start("accepted")
    empty = Case(version=1, stage=Stage.LYMPHODEPLETION)
    for command in (RecordDepletion("x"), PlanInfusions(1)):
        with pytest.raises(Refused, match="no treatment is under way"):
            decide(empty, command, j.now, j.ids, j.policy)


def test_a_refusal_nobody_tests_would_be_seen() -> None:
    """Control."""
    assert not [no for no in TABLES if _said(no.detail, "words nobody says")]
