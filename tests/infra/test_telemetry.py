"""Logs name an error and where it arose, and neither its text nor the variables around it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from infra.telemetry import configure_logs

SECRET = "hunter2-of-the-database"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging as it was for whoever comes after."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level


def connect(password: str) -> None:
    raise ConnectionRefusedError(f"refused for {password}")


@pytest.mark.parametrize("plain", [True, False])
def test_what_a_library_logs_with_its_error_tells_no_password(plain: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """As asyncpg's pool does while the database is away."""
    configure_logs("info", plain=plain)
    try:
        connect(SECRET)
    except ConnectionRefusedError:
        logging.getLogger("asyncpg.pool").warning("failed to restore", exc_info=True)
        structlog.get_logger().error("another", exc_info=True)
    said = capsys.readouterr().out
    assert SECRET not in said
    for word in ("failed to restore", "another", "ConnectionRefusedError", "test_telemetry.py", "connect"):
        assert word in said, word
