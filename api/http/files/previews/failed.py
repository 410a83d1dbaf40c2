"""What a rendering process answers, and the one word it says where it has nothing to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Made = tuple[Mapping[str, Any], bytes]
"""The first line of an answer, and the bytes of a picture where it is one."""


class PreviewFailed(Exception):
    """Says in one word why nothing can be shown."""
