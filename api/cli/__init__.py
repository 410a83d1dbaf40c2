"""The `caravel` command line: people's commands talk to the API, processes are started from a table.

Exit codes: 0 done, 1 refused, 2 not understood, 3 nobody there to answer.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version

from cyclopts import App

from api.cli.commands.processes import register
from api.cli.outcome import USAGE, CommandFailed, tell

app = App(
    name="caravel",
    help="System of record and engine for cell-therapy patient journeys.",
    version=version("caravel"),
    result_action="return_value",
    help_format="plaintext",
)
register(app)


def main(words: Sequence[str] | None = None) -> None:
    """Run one command line; the exit code says how it went."""
    if words is None:
        gc.disable()  # what a process loads stays; `running` collects once all of it is there
    try:
        app(sys.argv[1:] if words is None else words)
    except CommandFailed as failed:
        tell(failed)
        sys.exit(failed.code)
    except ValueError as error:
        faults: Sequence[str] = import_module("infra.settings").unusable(error)
        if not faults:
            raise
        tell(CommandFailed(USAGE, "the settings cannot be used; nothing was done", faults))
        sys.exit(USAGE)
