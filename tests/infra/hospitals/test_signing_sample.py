"""The sample of docs/fhir.md signs as it says: its headers are the vector printed there, and they are believed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.hospitals.callbacks import BadSignature, verify

PAGE = (Path(__file__).parents[3] / "docs" / "fhir.md").read_text(encoding="utf-8")
SAMPLE = PAGE.partition("```python\n")[2].partition("```")[0]
VECTOR = dict(line.split(": ", 1) for line in PAGE.partition("```text\n")[2].partition("```")[0].splitlines())
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key().public_bytes_raw()
AT = datetime(2026, 12, 1, tzinfo=UTC)


def test_the_sample_prints_the_vector_and_the_vector_is_believed() -> None:
    made: dict[str, Any] = {}
    exec(SAMPLE, made)
    assert made["headers"] == VECTOR
    verify(VECTOR, "POST", made["path"], made["body"], KEY, AT)
    with pytest.raises(BadSignature):
        verify(VECTOR, "POST", made["path"], made["body"] + b" ", KEY, AT)
    with pytest.raises(BadSignature):
        verify(VECTOR, "POST", f"{made['path']}/sandbox", made["body"], KEY, AT)
