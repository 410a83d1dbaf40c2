"""Reads the header of a DICOM image, never its pixels, and compares the name in it with a patient's."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import pydicom
from pydicom.config import IGNORE, settings

from domain.core.names import folded

settings.reading_validation_mode = IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)  # it would quote what stands in the file
warnings.filterwarnings("ignore", module=r"(pydicom|api\.http\.files)\.")  # and so would these, on standard error
DEFLATED = b"1.2.840.10008.1.2.1.99"
PIXELS = b"\xe0\x7f\x10\x00"
TAGS = ["PatientName", "PatientBirthDate", "Modality", "StudyDate", "StudyInstanceUID"]
LONGEST = 128
Named = Literal["", "same", "other", "unknown"]


@dataclass(frozen=True, slots=True)
class Header:
    """Holds what a header says of the patient and the study; `pixels`: where they begin, -1 = not in what was seen."""

    name: str = ""
    birth: str = ""
    modality: str = ""
    taken: str = ""
    study: str = ""
    pixels: int = -1
    read: bool = False


NOT_READ = Header()


def header_of(start: bytes) -> Header:
    """Read the header in the first bytes of an image; what cannot be read leaves it empty.

    The bytes are at most those kept of a file's beginning, and nothing is unpacked, so a hostile one takes no longer.
    """
    if DEFLATED in start:
        return NOT_READ
    file = BytesIO(start)
    try:
        told: Any = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[*TAGS])
        name, birth, modality, taken, study = (str(told.get(tag, "") or "")[:LONGEST] for tag in TAGS)
    except Exception:  # noqa: BLE001 - a hostile file may fail in any way; then nothing is known of it
        return NOT_READ
    return Header(name, birth, modality, taken, study, _pixels(start, file.tell()), read=True)


def _pixels(start: bytes, at: int) -> int:
    """Return where the pixels begin, behind tag, kind and length; -1 where they are not in sight."""
    if start[at : at + 4] != PIXELS:
        return -1
    return at + (12 if start[at + 4 : at + 6] in (b"OB", b"OW") else 8)


def compared(header: Header, patient: object, birth: object) -> Named:
    """Say whether the name and the birth date in an image can be this patient's; unknown where either says nothing."""
    if not header.read:
        return ""
    ours = folded(patient) if isinstance(patient, str) else ()
    names = [folded(part) for part in header.name.split("=")]
    names = [one for one in names if one and ours and _ascii(one) == _ascii(ours)]  # written in one script
    dates = header.birth, birth.replace("-", "") if isinstance(birth, str) else ""
    if all(len(one) == 8 for one in dates) and dates[0] != dates[1]:  # noqa: PLR2004 - a day, not a year
        return "other"
    if not names:
        return "unknown"
    return "same" if any(_fits(one, ours) for one in names) else "other"


def _fits(name: Sequence[str], ours: Sequence[str]) -> bool:
    return set(name) <= set(ours) or set(ours) <= set(name) or "".join(name) == "".join(ours)


def _ascii(words: Iterable[str]) -> bool:
    return any(word.isascii() for word in words)
