"""Compares codes of doses however they are written: white space, case, check and look-alike characters [doses.codes].

Nothing is corrected: a code is kept as it was written and only compared in this form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from domain.core.errors import Reason, Refused
from domain.core.names import visible

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"
"""The characters of ISO 7064 MOD 37-2, each at its value."""
_ALIKE = str.maketrans("АВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEKMHOPCTYXIJSABEZHIKMNOPTYX")  # noqa: RUF001
"""Capitals of Cyrillic and Greek that are printed like Latin ones."""
_SCANNED = re.compile(r"=([A-Z0-9]{13})[A-Z0-9]{2}")
_DONATION = re.compile(r"[A-Z1-9][0-9]{12}[0-9A-Z*]")
"""A donation number of ISBT 128 (5 of the facility, 2 of the year, 6 of a sequence) and its check character."""
LOCI = ("A", "B", "C", "DRB1", "DRB3", "DRB4", "DRB5", "DQA1", "DQB1", "DPA1", "DPB1")
_ALLELE = re.compile(rf"(?:HLA-)?({'|'.join(LOCI)})\*(\d{{2,3}})(?::(\d{{2,4}}))?(?::\d{{2,4}})*[A-Z]?")
ALLELE_ASKED = "an allele or its group as laboratories name it, such as A*02:01 or A*02; serological names are not read"


def check_character(donation: str) -> str:
    """Return the check character of a donation number of 13 characters, by ISO 7064 MOD 37-2."""
    sum_ = 0
    for one in donation:
        sum_ = (sum_ + ALPHABET.index(one)) * 2 % 37
    return ALPHABET[(38 - sum_) % 37]


def _plain(code: str) -> str:
    """Capitals without white space, look-alikes as Latin ones; composed after each step, for each can take apart."""
    capitals = unicodedata.normalize("NFKC", visible(unicodedata.normalize("NFKC", code)).upper())
    return unicodedata.normalize("NFKC", capitals.translate(_ALIKE))


def donation(code: str) -> bool:
    """Return whether it is a donation number of ISBT 128: scanned, or written with its check character [doses.din]."""
    plain = _plain(code)
    if scanned := _SCANNED.fullmatch(plain):
        return _DONATION.fullmatch(f"{scanned.group(1)}0") is not None
    written = plain.removeprefix("=")
    return _DONATION.fullmatch(written) is not None and check_character(written[:13]) == written[13]


def folded(code: str) -> str:
    """Return a code as two of them are compared, empty where nothing of it shows.

    A scanned donation number loses its sign and flags, a written one its check character where that is right.
    """
    plain = _plain(code)
    if scanned := _SCANNED.fullmatch(plain):
        return scanned.group(1)
    plain = plain.removeprefix("=")
    if _DONATION.fullmatch(plain) and check_character(plain[:13]) == plain[13]:
        return plain[:13]
    return plain


def same(one: object, other: object) -> bool:
    """Return whether two codes are the same; what cannot be read, or shows nothing, is the same as nothing."""
    return isinstance(one, str) and isinstance(other, str) and bool(folded(one)) and folded(one) == folded(other)


def allele(text: str, field: str) -> str:
    """Return an allele in its short form, locus and one or two fields, as A*02:01. Raises Refused naming the field."""
    read = _ALLELE.fullmatch("".join(text.split()).upper())
    if read is None:
        raise Refused(Reason.INVALID, ALLELE_ASKED, field)
    locus, group, protein = read.groups()
    return f"{locus}*{group}:{protein}" if protein else f"{locus}*{group}"


def meets(antibodies: Iterable[str], typed: Iterable[str]) -> bool:
    """Return whether one of these antibodies is against one of these alleles, as far as the shorter name tells."""
    every = [one.split(":") for one in typed]
    return any(
        all(told == of for told, of in zip(against.split(":"), one, strict=False))
        for against in antibodies
        for one in every
    )
