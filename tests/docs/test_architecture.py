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


FILE = re.compile(
    r"(?<!\]\()(?<![\w/])((?:domain|workflows|activities|infra|api|rehearsal|docs|tests|bench)/[\w./-]+\.(?:py|md|sql|yaml|json|sh))\b"
)
"""Files of the repository by their path from its root; links between pages are relative and checked elsewhere."""
CODE = ("domain", "workflows", "activities", "infra", "api", "rehearsal", "bench", "docs")


def test_every_file_that_code_or_a_page_names_is_there() -> None:
    sources = [path for folder in CODE for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".md", ".sql")]
    named = {(path, name) for path in [*sources, *ROOT.glob("*.md")] for name in FILE.findall(path.read_text("utf-8"))}
    assert len(named) > 100
    assert {f"{path.relative_to(ROOT)}: {name}" for path, name in named if not (ROOT / name).exists()} == set()
    assert FILE.findall("as domain/stages/nowhere.py says") == ["domain/stages/nowhere.py"]


def test_every_link_between_pages_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    links = {(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8"))}
    assert len(links) > 20
    assert {f"{page.relative_to(ROOT)}: {link}" for page, link in links if not (page.parent / link).exists()} == set()


def test_every_folder_with_code_is_named() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in ROOT.glob("*/__init__.py")} - {"tests"}
    inner = {f"infra/{path.parent.name}/" for path in ROOT.glob("infra/*/__init__.py")}
    for top in ("domain", "activities", "api"):
        inner |= {f"{top}/{path.parent.name}/" for path in ROOT.glob(f"{top}/*/__init__.py")}
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
