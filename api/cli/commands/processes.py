"""Names what runs for long or once on a machine: adding one is one line. Imported only when it is run."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from cyclopts import App

RUN: dict[str, tuple[str, str]] = {
    "api": ("api.run.serving:run_api", "Answer HTTP until stopped."),
    "worker": ("api.run.processes:run_worker", "Look at cases, carry out effects, be the courier, until stopped."),
}
"""Processes: name → coroutine function of (settings), and what it does."""

KINDS = ("protocol", "centre", "lot", "person", "desk", "material", "product", "store")
COMMANDS: dict[str, tuple[str, str]] = {
    "case": ("api.cli.commands.preparing:app", "Cases: open, send commands, look, explain."),
    "tasks": ("api.cli.commands.tasks:tasks", "What you owe, what your role owes, what others owe you."),
    "task": ("api.cli.commands.task:app", "Tasks in hand: claim, hand back, offer, accept, decline, take over."),
    **{
        kind: (f"api.cli.commands.catalogue:{kind}", f"{kind.capitalize()}s: list, show, bring in, send commands.")
        for kind in KINDS
    },
    "recall": ("api.cli.commands.recall:app", "Which doses and patients a code reaches."),
    "reviews": ("api.cli.commands.catalogue:reviews", "Protocols, centres and sites whose word is no longer fresh."),
    "rules": ("api.cli.commands.catalogue:rules", "What the law of a country asks, each rule with its source."),
    "product-classes": ("api.cli.commands.catalogue:product_classes", "What the class of a product changes."),
    "changes": ("api.cli.commands.catalogue:changes", "What waits for a second person, and what can be undone."),
    "up": ("api.cli.commands.maintenance:up", "Run everything on this machine until Ctrl-C."),
    "restore": ("api.cli.commands.maintenance:restore", "Bring every open case live on the configured Temporal."),
    "backup": ("api.cli.commands.maintenance:backup", "Database, documents and keys, in an order that restores."),
    "recover": ("api.cli.commands.maintenance:recover", "Put a backup into an empty installation."),
    "rebuild": ("api.cli.commands.maintenance:rebuild", "Compute the read models again from the events."),
    "rehearse": ("rehearsal.command:rehearse", "Published courses or a cohort, by a virtual clock."),
    "simulator": ("api.cli.commands.maintenance:simulator", "Simulated hospitals."),
    "migrate": ("api.cli.commands.machine:migrate", "Bring the database to this program's schema; safe to repeat."),
    "doctor": ("api.cli.commands.machine:doctor", "Look at everything this machine needs, and say what is missing."),
    "import": ("api.cli.commands.importing:import_file", "Bring in running cases from a spreadsheet, each row once."),
    "audit": ("api.cli.commands.history.audit:app", "Prove that nothing was changed, removed or cut off."),
    "policy": ("api.cli.commands.policy:app", "Deadlines, ladders and leases as this machine reads them."),
}
"""Commands with arguments of their own: name → function, or App, read when it is needed."""


def register(app: App) -> None:
    """Put them all on the command line."""
    for name, (where, does) in RUN.items():
        app.command(_process(where), name=name, help=does)
    for name, (where, does) in COMMANDS.items():
        app.command(where, name=name, help=does)


def _process(where: str) -> Callable[[], None]:
    def run() -> None:
        module, _, function = where.partition(":")
        settings = import_module("infra.settings").Settings()
        running = import_module("api.cli.way").running
        running(getattr(import_module(module), function)(settings))

    return run
