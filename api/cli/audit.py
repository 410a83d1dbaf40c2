"""`caravel audit …`: what proves history. Adding a command is one line; it is imported only when it is run."""

from __future__ import annotations

from cyclopts import App

app = App(name="audit", help="Prove that nothing was changed, removed or cut off.")

COMMANDS: dict[str, tuple[str, str]] = {
    "verify": ("api.run.audit:verify", "Recompute everything from the rows and the checkpoints kept outside."),
    "export": ("api.run.dossier:export", "One case as a file that proves itself anywhere."),
    "status": ("api.run.audit:status", "How much is sealed, what is not yet, and where checkpoints are kept."),
    "drift": ("api.run.audit:drift", "Compare open cases and due times with Temporal."),
    "whatif": ("api.run.whatif:whatif", "What would have come of every case under another policy or rule version."),
    "keys": ("api.run.audit:keys", "The public keys of this log, to be noted down elsewhere."),
    "rotate-key": ("api.run.audit:rotate_key", "Sign with a new key from now on; the old one vouches for it."),
}
"""Name → function that is imported then, and what it does."""

for name, (where, does) in COMMANDS.items():
    app.command(where, name=name, help=does)
