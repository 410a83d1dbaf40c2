"""Reads what a scanner typed, by whichever standard it is written; what is written by none is a plain code."""

from __future__ import annotations

from domain.core.errors import Reason, Refused
from domain.doses import codes
from domain.doses.labelling import gs1, isbt128
from domain.doses.labelling.scan import Scan, ScanUnreadable

LONGEST = 200
"""Characters of the longest scan; what is longer was typed by no scanner of ours."""


def read(typed: str) -> Scan:
    """Return what was read. Raises ScanUnreadable with the place of what stands there instead."""
    text = typed.strip(" \t\r\n")
    if len(text) > LONGEST:
        raise ScanUnreadable(LONGEST + 1, f"a scan has at most {LONGEST} characters; was the code scanned twice?")
    if not codes.folded(text):
        raise ScanUnreadable(1, "nothing was scanned")
    if gs1.starts(text):
        return gs1.read(text)
    if isbt128.starts(text):
        return isbt128.read(text)
    chain = {"chain": text} if isbt128.is_chain(codes.folded(text)) else {}
    return Scan("plain", {"serial": text, "patient": text, **chain})


def read_field(typed: object, name: str) -> Scan:
    """Return what was read in a field of a command. Raises Refused, which names the field, the place and the way on."""
    try:
        return read(typed if isinstance(typed, str) else "")
    except ScanUnreadable as no:
        raise Refused(Reason.INVALID, f"the scan cannot be read at {no}", name) from None
