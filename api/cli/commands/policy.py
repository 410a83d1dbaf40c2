"""`caravel policy …`: the numbers of the service as this machine reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cyclopts import App

from api.cli.options import Json
from api.cli.outcome import REFUSED, CommandFailed, as_json, say, table
from domain.core.policy import Ladder, Policy, Span
from infra.policy.calendars import CalendarsInvalid
from infra.policy.reading import PolicyInvalid, load_policy
from infra.settings import Settings

app = App(name="policy", help="Deadlines, ladders and leases.")
app.command(
    "api.cli.commands.applying:apply", name="apply", help="Which open deadlines it would move; --yes moves them."
)


@app.command
def show(*, json: Json = False) -> None:
    """Every ladder that is used for obligations opened from now on."""
    policy = _load(Settings().policy)
    if json:
        as_json(
            {"name": policy.name, "hash": policy.hash, "ladders": {k: _ladder(v) for k, v in policy.ladders.items()}}
        )
        return
    rows = [
        (kind, _ladder(row)["due"] or "given by the facts", ", ".join(_ladder(row)["steps"]))
        for kind, row in policy.ladders.items()
    ]
    table(("what is owed", "due", "steps"), rows, f"{policy.name}  {policy.hash[:12]}")


@app.command
def check(file: Path | None = None) -> None:
    """Whether a policy file can be used; names the field that cannot."""
    policy = _load(file or Settings().policy)
    say(f"{policy.name} can be used  {policy.hash}")


def _load(file: Path | None) -> Policy:
    try:
        return load_policy(file)
    except (PolicyInvalid, CalendarsInvalid, OSError) as error:
        raise CommandFailed(REFUSED, str(error)) from None


def _ladder(ladder: Ladder) -> dict[str, Any]:
    return {
        "due": _span(ladder.due) if ladder.due else None,
        "steps": [f"{_span(r.after)} {r.action} {r.to.value}" for r in ladder.rungs],
    }


def _span(span: Span) -> str:
    return f"{span.amount} {span.unit.replace('_', ' ')}"
