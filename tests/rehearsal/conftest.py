"""The ledger the demonstration is tried in: one with nobody in it, for it brings its own people."""

from __future__ import annotations

import pytest

from tests.api.conftest import Staffed, dsn, here, unstaffed

__all__ = ["dsn", "here", "unstaffed"]


@pytest.fixture(scope="session")
def staffed(unstaffed: Staffed) -> Staffed:
    return unstaffed
