"""The production stack as far as it can be checked without an engine: schema, lint, and that its words exist."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from api.cli import main

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yml"


def services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return loaded


def test_schema() -> None:
    plain = yaml.safe_dump(yaml.safe_load(COMPOSE.read_text()))  # its reader knows no merge keys
    PyCompose.from_yaml(plain).validate()


def test_lint_finds_nothing_of_high_severity() -> None:
    linted = subprocess.run(
        [Path(sys.executable).parent / "compose-lint", str(COMPOSE)], capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout


def test_every_variable_of_the_file_is_in_the_example() -> None:
    example = {line.split("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line}
    asked = {part.split("}")[0].split(":")[0] for part in COMPOSE.read_text().split("${")[1:]}
    assert asked == example


def test_our_services_run_commands_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    ours = {name: s["command"][0] for name, s in services().items() if s.get("image", "").startswith("caravel")}
    assert set(ours.values()) == {"migrate", "restore", "api", "worker"}
    for word in ours.values():
        main([word, "--help"])
        assert f"Usage: caravel {word}" in capsys.readouterr().out
