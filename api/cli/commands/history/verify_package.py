"""`caravel audit verify PACKAGE.zip`: no database, no server, no network."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from api.cli.outcome import REFUSED, USAGE, CommandFailed, as_json, say
from api.run.sealing import signing_keys
from infra.audit.checkpoints.checkpoint import origin_of
from infra.audit.checkpoints.note import Key, parse_key
from infra.audit.package.verify import CODES, LARGEST, check, read_key
from infra.settings import Settings

UNPROVEN = {
    "key_unknown": "consistent, signed by {signer}; that key is not known to you: give --key",
    "unsigned": "the package itself is not signed: that nothing came after its last event, and that report, rules, "
    "schemas and documents are as they were made, is not proven; the events are",
    "not_sealed": "its newest events were not yet covered by a checkpoint when it was made",
}


def is_package(text: str) -> bool:
    """Return whether a file is meant, not a case."""
    return text.endswith(".zip") or Path(text).is_file()


def verify_package(file: Path, given: Sequence[str], *, json: bool) -> None:
    """Exit code 0 verified, 1 does not hold, 3 consistent, but not all of it is proven. Raises CommandFailed."""
    try:
        keys = [parse_key(one) for one in given]
        content = _content(file)
    except ValueError as error:
        raise CommandFailed(USAGE, f"key: {error}") from None
    except OSError as error:
        raise CommandFailed(USAGE, f"the package cannot be read: {error.strerror}") from None
    found = checked(content, keys or known_here(content))
    if json:
        as_json(plain(found))
    else:
        say("\n".join(lines(found)))
    if code := CODES[found["outcome"]]:
        sys.exit(code)


def _content(file: Path) -> bytes:
    if file.stat().st_size > LARGEST:
        raise CommandFailed(REFUSED, "larger than a package may be")
    return file.read_bytes()


def checked(content: bytes, keys: Sequence[Key]) -> Mapping[str, Any]:
    """Return what the program that lies in every package says of it."""
    return check(content, [read_key(str(key)) for key in keys])


def known_here(content: bytes) -> Sequence[Key]:
    """Without --key: the keys of the log this machine signs, if it is that log's package."""
    settings = Settings()
    manifest = check(content, []).get("manifest")
    ours = manifest and manifest["log"] == origin_of(settings.installation) and settings.signing.exists()
    return signing_keys(settings).known() if ours else ()


def plain(found: Mapping[str, Any]) -> dict[str, Any]:
    """Write what was found for programs."""
    manifest = found.get("manifest")
    return {
        "outcome": found["outcome"],
        "kind": found["kind"],
        "says": found["says"],
        "unproven": found["unproven"],
        "signer": found.get("signer"),
        "withheld": found.get("withheld", 0),
        "package": {name: value for name, value in manifest.items() if name != "files"} if manifest else None,
    }


def lines(found: Mapping[str, Any]) -> list[str]:
    """Write what was found in lines for people."""
    if found["outcome"] == "broken":
        return [f"DOES NOT HOLD ({found['kind']}): {found['says']}"]
    what, signer = found["manifest"], found["signer"] or "nobody"
    case = f"{what['case']}, versions 1 to {what['events']}, level {what['level']}, made {what['exported_at']}"
    said = [
        f"{found['outcome']}: {case}",
        f"in the log {what['log']} of {what['size']} events, which went on to {what['newest']}; signed by {signer}",
        f"withheld: {found['withheld']} parts; their digests are proven, their contents cannot be guessed",
    ]
    return said + [f"NOT PROVEN: {UNPROVEN[one].format(signer=signer)}" for one in found["unproven"]]
