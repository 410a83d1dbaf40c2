"""Commands as they arrive over HTTP: what cannot be read is a problem that names the field."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from activities import command_codec
from activities.command_codec import Commands, Tree, Unreadable
from api.http.problems import Fault, Problem, invalid
from domain.catalogue import streams as catalogue
from domain.journey import COMMANDS


class HttpCommands(Commands):
    """A closed set of command classes; what is none of them is a Problem."""

    def parse(self, said: bytes | Tree, actor: str, *, only: Collection[str] = (), default: str = "") -> Any:  # noqa: ANN401 - any command
        """Parse the command of a JSON text or of its tree, its `by` set to the actor. Raises Problem."""
        try:
            return super().parse(said, actor, only=only, default=default)
        except Unreadable as no:
            raise _problem(no) from None

    def parse_outside(self, said: Tree, actor: str) -> Any:  # noqa: ANN401 - any command
        """Parse what somebody outside says, whose plain texts must be references. Raises Problem."""
        try:
            return super().parse_outside(said, actor)
        except Unreadable as no:
            raise _problem(no) from None


CASE = HttpCommands(COMMANDS)
CATALOGUE = HttpCommands(catalogue.COMMANDS)


def read_json(body: bytes) -> dict[str, Any]:
    """Return an object, however deep or odd the text claims to be. Raises Problem."""
    try:
        return command_codec.read_json(body)
    except Unreadable as no:
        raise _problem(no) from None


def _problem(no: Unreadable) -> Problem:
    if not no.faults:
        return Problem(400, "malformed", no.detail)
    return invalid(no.detail, *(Fault(one.detail, one.pointer) for one in no.faults))
