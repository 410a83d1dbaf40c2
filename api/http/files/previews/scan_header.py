"""Says what the header of an image of a scanner tells, in the process that `child.py` bounds."""

from __future__ import annotations

import codecs
from io import BytesIO
from typing import Any

import pydicom
from pydicom.charset import python_encoding
from pydicom.config import IGNORE, settings

from api.http.files.previews.failed import Made, PreviewFailed

TOLD = (
    "Modality", "StudyDate", "StudyDescription", "SeriesDescription", "BodyPartExamined", "ProtocolName",
    "Manufacturer", "InstitutionName", "PatientName", "PatientBirthDate", "PatientSex", "Rows", "Columns",
    "NumberOfFrames", "SliceThickness", "StudyInstanceUID", "SeriesInstanceUID",
)  # fmt: skip
"""What is told of an image of a scanner, in this order [records.previews]."""
LONGEST = 200
"""Characters of a value at most."""
for _name in python_encoding.values():  # a bounded process could not load one
    codecs.lookup(_name)


def told(media: str, content: bytes) -> Made:
    """Say what the header of an image of a scanner tells, without its pixels. Raises PreviewFailed."""
    if media != "application/dicom":
        raise PreviewFailed("no_preview")
    settings.reading_validation_mode = IGNORE
    read: Any = pydicom.dcmread(BytesIO(content), stop_before_pixels=True, specific_tags=[*TOLD])
    said = {name: str(read.get(name, "") or "")[:LONGEST] for name in TOLD}
    return {"told": [[name, value] for name, value in said.items() if value]}, b""
