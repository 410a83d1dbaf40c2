"""`caravel audit …`: what proves history. Adding a command is one line; it is imported only when it is run."""

from __future__ import annotations

from cyclopts import App

app = App(name="audit", help="Prove that nothing was changed, removed or cut off.")

COMMANDS: dict[str, tuple[str, str]] = {
    "verify": (
        "api.cli.commands.history.verify:verify",
        "Recompute everything from the rows and the checkpoints kept outside.",
    ),
    "export": ("api.cli.commands.history.export:export", "One case as a file that proves itself anywhere."),
    "status": (
        "api.cli.commands.history.verify:status",
        "How much is sealed, what is not yet, and where checkpoints are kept.",
    ),
    "clock": (
        "api.cli.commands.maintenance:clock",
        "What was done while a clock ran ahead, the way back of each, and a person's word to go on.",
    ),
    "erasures": (
        "api.cli.commands.history.erasures:erasures",
        "Hold the list of destroyed keys against the erasures of the ledger.",
    ),
    "drift": ("api.cli.commands.history.verify:drift", "Compare open cases and due times with Temporal."),
    "whatif": (
        "api.cli.commands.history.whatif:whatif",
        "What would have come of every case under another policy or rule version.",
    ),
    "keys": ("api.cli.commands.history.verify:keys", "The public keys of this log, to be noted down elsewhere."),
    "rotate-key": (
        "api.cli.commands.history.verify:rotate_key",
        "Sign with a new key from now on; the old one vouches for it.",
    ),
}
"""Name → function that is imported then, and what it does."""

for name, (where, does) in COMMANDS.items():
    app.command(where, name=name, help=does)
