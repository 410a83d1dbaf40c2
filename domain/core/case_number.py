"""A case number people can say on the phone: eight digits and a check digit, like 4821-7730-5."""

from __future__ import annotations

import unicodedata
from hashlib import sha256

LENGTH = 9


def check_digit(digits: str) -> str:
    """Return the check digit of ISO/IEC 7064 MOD 11,10: finds every single wrong digit and most swaps of neighbours."""
    p = 10
    for digit in digits:
        s = (p + int(digit)) % 10 or 10
        p = s * 2 % 11
    return str((11 - p) % 10)


def case_number(fresh_id: str) -> str:
    """Return a number drawn from a random id; the ledger refuses the rare double and the door draws again."""
    digits = f"{int.from_bytes(sha256(fresh_id.encode()).digest()) % 10**8:08d}"
    return f"{digits[:4]}-{digits[4:]}-{check_digit(digits)}"


def case_number_of(said: str) -> str | None:
    """Return the number that is meant by one as it is said or typed, in digits of any script; None = it is none.

    Spaces and dashes do not matter. None too where the check digit is wrong.
    """
    digits = "".join(str(unicodedata.decimal(one, "?")) for one in said if one not in "- \u2010\u2011\u2012\u2013")
    if len(digits) != LENGTH or not digits.isdecimal() or check_digit(digits[:8]) != digits[8]:
        return None
    return f"{digits[:4]}-{digits[4:8]}-{digits[8]}"
