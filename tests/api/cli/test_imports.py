"""A command imports what it needs and no more: neither help nor a question over HTTP loads a server or its domain."""

import os
import subprocess
import sys
from functools import cache

import pytest

from api.cli.commands.processes import KINDS
from domain.catalogue.streams import CATALOGUE

SERVER = ("api.http", "api.routes", "api.run", "activities", "infra", "rehearsal", "workflows")
LIBRARIES = ("asyncpg", "fastapi", "pydantic", "sqlalchemy", "temporalio")
PROGRAM = (
    "import sys; from api.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit: print(*sys.modules, sep='\\n')"
)


@cache
def imported(*words: str) -> set[str]:
    """The modules a command line loads; nobody answers at its API."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + "\nelse: print(*sys.modules, sep='\\n')", *words],
        env={**os.environ, "CARAVEL_API": "http://127.0.0.1:9"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


@pytest.mark.parametrize("words", [("--help",), ("case", "list"), ("case", "show", "C-1"), ("lot", "list")])
def test_a_question_loads_no_server(words: tuple[str, ...]) -> None:
    found = imported(*words)
    assert "api.cli.commands.processes" in found
    assert not found & {*SERVER, *LIBRARIES, "domain.engine.decide"}


def test_help_asks_nobody() -> None:
    assert "httpx2" not in imported("--help")
    assert "httpx2" in imported("case", "list")


def test_every_kind_of_the_catalogue_has_its_commands() -> None:
    assert tuple(CATALOGUE) == KINDS
