"""Lists what verifying can find, and which check finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "edited", "deleted", "reordered", "inserted", "tail_cut", "recomputed", "tree_differs", "checkpoint_forged",
    "checkpoint_gone", "key_unknown", "rule_differs", "read_model_differs",
]  # fmt: skip
Check = Literal["chain", "places", "tree", "checkpoints", "rules", "read_models"]

MEANING: dict[str, str] = {
    "edited": "the contents of an event are not what was hashed",
    "deleted": "an event is gone",
    "reordered": "events stand in another order than they were recorded in",
    "inserted": "an event stands where none was recorded",
    "tail_cut": "the end is gone: a checkpoint covers more events than there are",
    "recomputed": "hashes were computed anew over changed contents: rows agree with one another, not with a checkpoint",
    "tree_differs": "the events are as they were signed, the stored tree is not",
    "checkpoint_forged": "a checkpoint that does not verify, or that the ledger's own list does not have",
    "checkpoint_gone": "a checkpoint that was kept outside is not there any more; the events may be as they were",
    "key_unknown": "a checkpoint signed by a key this log never announced",
    "rule_differs": "an automatic event is not what its rule gives for the case as it stood",
    "read_model_differs": "a read model is not what the events say",
}

CHECKS: dict[Check, str] = {
    "chain": "every hash from the columns of its row",
    "places": "positions and versions without a gap, a clock that never goes back",
    "tree": "every stored subtree",
    "checkpoints": "signatures, and the root at the size of every checkpoint kept outside",
    "rules": "every automatic event against its rule and policy, where these are known",
    "read_models": "every read model against a rebuild",
}
"""In the order they are carried out. Each can be left out, so that a test can show what it is there for."""
ALL: frozenset[Check] = frozenset(CHECKS)


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where something does not hold; `position` counts events from 1, `says` has no one's data."""

    kind: Kind
    position: int
    stream: str = ""
    version: int = 0
    says: str = ""
