"""Takes personal fields out of an event, encrypts them per key class, and puts them back."""

import json
import secrets
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial
from types import NoneType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json

from activities.ports import DataKey, Keyring
from domain.core.personal import ERASED, KEY_CLASSES, NO_KEY, KeyClass, Sealed, Unread
from infra.ledger.encoding.errors import Tampered
from infra.ledger.encoding.hashing import text

MARK = "$sealed"
NOTHING = "{}"
NONCE = 12
Secrets = dict[KeyClass, dict[str, Any]]
"""Per key class: JSON pointer → value."""
Known = Mapping[KeyClass, Mapping[str, Any] | Unread]
"""The same as far as it could be opened, or why a class could not."""


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: object) -> str:
    """JSON with sorted keys and no white space. ValueError for what JSON cannot say."""
    return _ENCODER.encode(value)


read_json = partial(from_json, cache_strings="keys")
"""Reads what `canonical` wrote; values, which may be personal, are kept nowhere. ValueError for what is no JSON."""


def separate(value: object, tree: Any, out: Secrets) -> Any:  # noqa: ANN401 - JSON
    """`tree`, the JSON of the dataclass `value`, with its sealed fields moved to `out` and marks in their places."""
    if is_dataclass(value) and not _personal_fields(cast("type", type(value))):
        return tree
    return _separate(type(value), value, tree, "", out)


def _separate(hint: Any, value: Any, tree: Any, at: str, out: Secrets) -> Any:  # noqa: ANN401 - JSON
    if value is None:
        return tree
    hint, key_class = _arm(hint, value)
    if key_class:
        if not isinstance(value, Unread):
            out.setdefault(key_class, {})[at] = tree
        return {MARK: key_class}
    if is_dataclass(value):
        names = _personal_fields(cast("type", type(value)))
        changed = {n: _separate(h, getattr(value, n), tree[n], f"{at}/{_escape(n)}", out) for n, h in names}
        return {**tree, **changed}
    arguments = get_args(hint)
    if isinstance(value, tuple | list) and arguments:
        each = arguments if len(arguments) == len(value) and arguments[-1] is not ... else arguments[:1] * len(value)
        return [_separate(h, v, t, f"{at}/{i}", out) for i, (h, v, t) in enumerate(zip(each, value, tree, strict=True))]
    if isinstance(value, Mapping) and arguments:
        return {k: _separate(arguments[1], value[k], t, f"{at}/{_escape(k)}", out) for k, t in tree.items()}
    if _may_be_personal(hint, frozenset()):
        raise TypeError(f"cannot find what is personal in a {type(value).__name__}")  # rather than store it open
    return tree


def _arm(hint: Any, value: object) -> tuple[Any, KeyClass | None]:  # noqa: ANN401 - a type form
    """The part of a type that fits this value, and the key class it names."""
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        key_class = next((mark.key_class for mark in marks if isinstance(mark, Sealed)), None)
        return (inner, key_class) if key_class else _arm(inner, value)
    if get_origin(hint) not in (Union, UnionType):
        return hint, None
    arms = [arm for arm in get_args(hint) if arm is not NoneType]
    if is_dataclass(value) and type(value) in arms:
        return type(value), None
    fitting = [_arm(arm, value) for arm in arms]
    personal = [(arm, key_class) for arm, key_class in fitting if key_class]
    containers = [(arm, None) for arm, _ in fitting if get_args(arm)]
    return (personal or containers or [(arms[0], None)])[0]


@cache
def _personal_fields(owner: type) -> tuple[tuple[str, Any], ...]:
    """Names and types of the fields in which something sealed may stand, at whatever depth."""
    hints = get_type_hints(owner, include_extras=True)
    names = [field.name for field in fields(cast("Any", owner))]
    return tuple((name, hints[name]) for name in names if _may_be_personal(hints[name], frozenset({owner})))


def _may_be_personal(hint: Any, seen: frozenset[type]) -> bool:  # noqa: ANN401 - a type form
    if isinstance(hint, Sealed):
        return True
    if isinstance(hint, type) and is_dataclass(hint):
        if hint in seen:
            return True  # a type that holds itself is always looked into
        inner = get_type_hints(hint, include_extras=True)
        return any(_may_be_personal(inner[field.name], seen | {hint}) for field in fields(hint))
    return any(_may_be_personal(part, seen) for part in get_args(hint))


def rejoin(tree: Any, known: Known, at: str = "") -> Any:  # noqa: ANN401 - JSON
    """Return the inverse of `separate`; ERASED where the value was not kept, NO_KEY where its key is not here."""
    if isinstance(tree, dict):
        if len(tree) == 1 and tree.get(MARK) in KEY_CLASSES:
            values = known.get(tree[MARK], ERASED)
            return values if isinstance(values, Unread) else values.get(at, ERASED)
        return {key: rejoin(value, known, f"{at}/{_escape(key)}") for key, value in tree.items()}
    if isinstance(tree, list):
        return [rejoin(value, known, f"{at}/{i}") for i, value in enumerate(tree)]
    return tree


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


_SEALED_1 = text("caravel sealed 1")
_CLASSES = {key_class: text(key_class) for key_class in KEY_CLASSES}


@dataclass(frozen=True, slots=True)
class SealedPlace:
    """Says where sealed text stands; it opens nowhere else. `owner` is an event id or `view:` and a table."""

    stream: str
    owner: str

    def bound_to(self, key_class: KeyClass) -> bytes:
        """Return the additional data (AAD) that binds a sealed text to its place and key class."""
        return _SEALED_1 + text(self.stream) + text(self.owner) + _CLASSES[key_class]


def seal(place: SealedPlace, values: Secrets, keys: Mapping[KeyClass, DataKey]) -> str:
    """Make the `sealed` column. What has no key is dropped: it was erased."""
    boxes = {}
    for key_class, plain in values.items():
        if key := keys.get(key_class):
            nonce = secrets.token_bytes(NONCE)
            ciphertext = AESGCM(key.secret).encrypt(nonce, canonical(plain).encode(), place.bound_to(key_class))
            boxes[key_class] = {"ciphertext": _base64(ciphertext), "key": key.id, "nonce": _base64(nonce)}
    return canonical(boxes) if boxes else NOTHING


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()


def unseal(place: SealedPlace, sealed: str, keys: Keyring) -> Known:
    """Open what these keys open. Raises Tampered when a key fits by its id and does not open."""
    found: dict[KeyClass, Mapping[str, Any] | Unread] = {}
    for key_class, box in read_json(sealed).items():
        key = keys.get(key_class)
        if key is None or key.id != box["key"]:
            found[key_class] = ERASED if key_class in keys and key is None else NO_KEY
            continue
        try:
            nonce, ciphertext = a2b_base64(box["nonce"]), a2b_base64(box["ciphertext"])
            plain = AESGCM(key.secret).decrypt(nonce, ciphertext, place.bound_to(key_class))
        except InvalidTag:
            raise Tampered(f"{place.stream} {place.owner}: {key_class} does not open with its key") from None
        found[key_class] = read_json(plain)
    return found
