"""Says what an evidence package is, and what the log's key signs for it."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Hash = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


class Manifest(BaseModel):
    """Says what the evidence package is. `size`: events under the checkpoint that proves its own, 0 = none does yet."""

    model_config = STRICT
    kind: Literal["caravel dossier"] = "caravel dossier"
    format: Annotated[int, Field(ge=1, le=1)] = 1
    log: str
    case: str
    level: str
    events: int
    head: Hash
    size: int
    newest: int
    log_size: int
    exposure: dict[str, Any]
    exported_at: str
    files: dict[str, str]


def statement(log: str, case: str, manifest: bytes) -> str:
    """Write what the log's key signs for an evidence package; never the text of a checkpoint or of an announcement."""
    return f"caravel dossier\n{log}\n{case}\n{sha256(manifest).hexdigest()}\n"
