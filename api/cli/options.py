"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="for programs")]
As = Annotated[str, Parameter(name="--as", help="in whose name (a person's id), where there is no API to sign in to")]
Key = Annotated[str, Parameter(name="--key", help="idempotency key: a repeat with the same key is recorded once")]
