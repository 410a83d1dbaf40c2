"""Every path the architecture page names is there, and the four things a newcomer looks for are named."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")


def paths(text: str) -> set[str]:
    """Names in backticks that look like paths of the repository."""
    return {name for name in re.findall(r"`([\w.-]+(?:/[\w.-]*)+)`", text) if not name.startswith("/")}


def missing(text: str) -> set[str]:
    return {name for name in paths(text) if not (ROOT / name).exists()}


def test_every_path_is_there() -> None:
    assert len(paths(PAGE)) > 40
    assert missing(PAGE) == set()
    assert missing(GLOSSARY) == set()
    assert missing("`domain/nowhere.py` and `domain/`") == {"domain/nowhere.py"}


def test_every_folder_with_code_is_named() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("*/__init__.py")} - {"tests"}
    inner = {f"infra/{path.parent.name}/" for path in ROOT.glob("infra/*/__init__.py")}
    inner |= {f"domain/{path.parent.name}/" for path in ROOT.glob("domain/*/__init__.py")}
    assert {f"{one}/" for one in folders} | inner <= paths(PAGE)


@pytest.mark.parametrize(
    ("path", "must_hold"),
    [
        ("infra/mail/texts/en.yaml", "remind:"),
        ("infra/hospitals/answers.py", "Task"),
        ("domain/doses/lot.py", "UnitHeld"),
        ("infra/ledger/schema/sql/hash.sql", "sha256"),
    ],
)
def test_what_a_newcomer_looks_for_is_where_the_page_says(path: str, must_hold: str) -> None:
    answers = PAGE.partition("## Where is")[2]
    assert f"`{path}`" in answers
    assert must_hold in (ROOT / path).read_text(encoding="utf-8")


def test_a_word_of_the_glossary_is_explained_once() -> None:
    words = [
        w
        for row in re.findall(r"^\| ([^|]+) \| ", GLOSSARY, re.MULTILINE)
        if row not in ("Word", "---")
        for w in row.split(", ")
    ]
    assert len(words) > 50
    assert len(words) == len(set(words))
