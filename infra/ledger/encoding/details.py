"""Read model columns that hold personal fields: a dataclass with `Sealed` annotations ↔ sealed JSON text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter

from activities.ports import DataKey, Keyring
from domain.core.personal import KeyClass
from infra.ledger.encoding.codec import json_of
from infra.ledger.encoding.sealing import SealedPlace, Secrets, canonical, rejoin, seal, separate, unseal

adapter = cache(TypeAdapter)


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail taken apart; `secrets` still has to be sealed."""

    tree: Any
    secrets: Secrets = field(repr=False)

    @classmethod
    def of(cls, value: object) -> "Detail":
        """Take a dataclass apart into what is open and what is sealed."""
        secrets: Secrets = {}
        tree = json_of(adapter(cast("type", type(value))), value, type(value).__name__)
        return cls(separate(value, tree, secrets), secrets)

    def sealed(self, place: SealedPlace, keys: Mapping[KeyClass, DataKey]) -> str:
        """Return the text of the column: {"data", "sealed"}."""
        return canonical({"data": self.tree, "sealed": json.loads(seal(place, self.secrets, keys))})


def open_detail(place: SealedPlace, text: str, keys: Keyring) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON with its personal fields back in place, Unread where they cannot be read."""
    both = json.loads(text)
    return rejoin(both["data"], unseal(place, canonical(both["sealed"]), keys))
