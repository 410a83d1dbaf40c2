"""Settings that cannot be used are named, with the reason and the way on, and never shown."""

from __future__ import annotations

import pytest

from infra.settings import Settings, unusable
from tests.api.cli.test_cli import Cli

SECRET = "hunter2-and-more"
WRONG = {
    "CARAVEL_API_PORT": (f"80{SECRET}", "integer", "(0)"),
    "CARAVEL_KIND": (SECRET, "'production'", "(development)"),
    "CARAVEL_ROLE_MAIL": (f"coordinator={SECRET}", "JSON", "(nothing)"),
    "CARAVEL_CLOCK_BOUND": ("0", "greater than 0", "(600.0)"),
    "CARAVEL_PROXIES": (f"10.0.0.0/99{SECRET}", "valid IPv4", "(nothing)"),
    "CARAVEL_DOCUMENT_BYTES": ("0", "greater than or equal to 1", "(2147483648)"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("words", [("doctor",), ("migrate",), ("audit", "verify"), ("worker",), ("policy", "show")])
async def test_a_wrong_setting_is_named_with_reason_and_way_on(name: str, words: tuple[str, ...]) -> None:
    given, why, default = WRONG[name]
    said = await Cli({name: given})(*words)
    assert said.code == 2
    assert said.out == ""
    assert "Traceback" not in said.err
    line = next(line for line in said.err.splitlines() if name in line)
    assert why in line
    assert f"leave it out for the default {default}" in line
    assert SECRET not in said.err


async def test_all_that_is_wrong_is_named_at_once() -> None:
    said = await Cli({"CARAVEL_API_PORT": "x", "CARAVEL_KIND": "y"})("doctor")
    assert "CARAVEL_API_PORT" in said.err
    assert "CARAVEL_KIND" in said.err


def test_control_another_error_is_not_called_a_setting() -> None:
    assert list(unusable(ValueError('"role_mail"'))) == []
    assert Settings(api_port=80).api_port == 80
