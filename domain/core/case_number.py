"""A case number people can say on the phone: eight digits and a check digit, like 4821-7730-5."""

from __future__ import annotations

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


def valid_number(number: str) -> bool:
    """Return whether a number as said on the phone holds together; spaces and dashes do not matter."""
    digits = number.replace("-", "").replace(" ", "")
    return len(digits) == LENGTH and digits.isdigit() and check_digit(digits[:8]) == digits[8]
