"""The check of the limits fails where a limit is passed, and only there."""

import subprocess
from pathlib import Path

import pytest

from tests.house import FILES, FUNCTION, LINES, SUBJECT, long_subjects, main, namesakes, over

ROWS = "".join(f"        case {n}:\n            return {n}\n" for n in range(FUNCTION))


def function(*lines: str) -> str:
    return "\n".join(["def f(x):", *(f"    {line}" for line in lines)]) + "\n"


def tree(root: Path, **files: str) -> Path:
    for name in ("domain", "workflows", "activities", "infra", "api", "rehearsal", "tests"):
        (root / name / "inner").mkdir(parents=True)
    for name, text in files.items():
        (root / "domain" / "inner" / f"{name}.py").write_text(text)
    return root


def test_the_house_keeps_its_limits() -> None:
    assert main() == 0


def test_a_folder_may_hold_so_many_files(tmp_path: Path) -> None:
    fits = tree(tmp_path, __init__="", **{f"m{n}": "" for n in range(FILES)})
    assert list(over(fits)) == []
    (fits / "domain/inner/more.py").touch()
    assert list(over(fits)) == ["domain/inner has 16 Python files, at most 15 are allowed"]


def test_a_file_may_have_so_many_lines(tmp_path: Path) -> None:
    made = tree(tmp_path, fits="x = 1\n" * LINES, long="x = 1\n" * (LINES + 1))
    assert list(over(made)) == ["domain/inner/long.py has 401 lines, at most 400 are allowed"]


@pytest.mark.parametrize(
    "long",
    [
        function(*["x += 1"] * FUNCTION),
        function("match x:", *(f"    case {n}:\n            y = {n}\n            return y" for n in range(FUNCTION))),
        function(*[f"if x == {n}:\n        x = {n}\n    else:\n        x = 0" for n in range(FUNCTION)]),
        function("x = 1", "x = 2", "x = 3", "x = 4", "match x:") + ROWS,
        "async " + function(*["x += 1"] * FUNCTION),
    ],
    ids=["statements", "two in a case", "an else", "too much beside", "async"],
)
def test_a_function_may_have_so_many_lines(tmp_path: Path, long: str) -> None:
    assert [line.partition(" has ")[0] for line in over(tree(tmp_path, long=long))] == ["domain/inner/long.py: f"]


@pytest.mark.parametrize(
    "table",
    [
        function(*["x += 1"] * (FUNCTION - 1)),
        function('"""A table."""', "y = x", "match y:") + ROWS,
        function(*[f"if x == {n}:\n        return {n}" for n in range(FUNCTION)], "return None"),
        function("return {", *[f"    {n}: {n}," for n in range(FUNCTION)], "}"),
    ],
    ids=["just fits", "a match", "ifs", "a dict"],
)
def test_a_table_of_single_rows_may_be_longer(tmp_path: Path, table: str) -> None:
    assert list(over(tree(tmp_path, table=table))) == []


def test_two_classes_have_two_names_but_for_a_port_and_what_implements_it(tmp_path: Path) -> None:
    port = "class Keys(Protocol):\n    def keys(self) -> int: ...\n"
    made = tree(tmp_path, a=f"class Line: ...\nclass _Row: ...\n{port}", b="class Keys: ...\nclass _Row: ...\n")
    (made / "tests/inner/c.py").write_text("class Line: ...\n")
    assert list(namesakes(made)) == []
    (made / "api/inner/c.py").write_text("class Line: ...\n")
    told = "class Line stands in api/inner/c.py and in domain/inner/a.py; each wants a name of its own"
    assert list(namesakes(made)) == [told]


def test_a_subject_may_have_so_many_characters(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=n", "-c", "user.email=n@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q")
    for subject in ("first " * 20, "s" * SUBJECT, "s" * (SUBJECT + 1)):
        git("commit", "-q", "--allow-empty", "-m", subject)
    assert len(list(long_subjects(tmp_path, git("rev-list", "--max-parents=0", "HEAD")))) == 1
