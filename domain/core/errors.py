"""Refusals: one exception, a reason from a closed list."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Lists why something can be refused; api/http/problems.py turns each into an HTTP answer."""

    INVALID = "invalid"  # a field has a value that can never be right
    NOT_FOUND = "not_found"  # no such case, lot, protocol, centre, event, obligation or effect
    NOT_ALLOWED = "not_allowed"  # this actor may not do this
    NOT_NOW = "not_now"  # the stage does not accept this command
    MISSING = "missing"  # a fact this step relies on was never recorded
    LAPSED = "lapsed"  # a fact this step relies on has ended
    ALREADY = "already"  # it was done before, and once is all there is
    FOUR_EYES = "four_eyes"  # the same person may not do both parts
    NEVER_WAIVED = "never_waived"  # identity check, consent, lot release and the lymphodepletion gate
    IRREVERSIBLE = "irreversible"  # it happened in the world and cannot be taken back
    UNAVAILABLE = "unavailable"  # somebody else holds it
    MERGED = "merged"  # another case of the same person goes on in place of this one
    KEY_REUSED = "key_reused"  # the idempotency key was used with another body
    STALE = "stale"  # facts changed since the page was read
    CONFLICT = "conflict"  # others kept changing the same case; try again
    SUPERSEDED = "superseded"  # another engine has taken over
    LEDGER_BEHIND = "ledger_behind"  # the ledger is shorter than what was already seen
    NEWER_THAN_ME = "newer_than_me"  # the stream holds an event this program does not know
    CLOCK_WRONG = "clock_wrong"  # two clocks differ, or the last event lies in the future
    READ_ONLY = "read_only"  # this process is configured for another installation, or its keys are elsewhere


class Refused(Exception):
    """A command was understood and not carried out; nothing was recorded.

    `detail` is a sentence without personal data; `field` names the part of the command at fault; `goes_on_as` is the
    number of the case that took the place of this one.
    """

    def __init__(self, reason: Reason, detail: str, field: str | None = None, goes_on_as: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.field = field
        self.goes_on_as = goes_on_as


def require(holds: object, reason: Reason, detail: str, field: str | None = None) -> None:
    """Refuse unless `holds` is truthy."""
    if not holds:
        raise Refused(reason, detail, field)
