"""Says which other cases are of the same person, and what was last seen of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

LinkRequest = Literal["link", "unlink", "merge"]
"""What one case asks of another."""
LinkType = Literal["see_also", "replaced_by", "replaces"]
"""How the other case stands to this one, in the words of FHIR R4 Patient.link [people.links]."""
Births = Literal["agree", "unknown", "contradict"]
"""What two birth dates say about being one person; `unknown`: one of them is not known, or erased."""


@dataclass(frozen=True, slots=True)
class OtherCase:
    """Another case as it stood when somebody wanted to link it."""

    number: str
    open: bool
    merged_into: str
    erased: bool
    births: Births


@dataclass(frozen=True, slots=True)
class LinkAsked:
    """A link that the other case was asked for and has not answered; it goes by its fact."""

    fact: str
    other: str
    number: str
    kind: LinkRequest


@dataclass(frozen=True, slots=True)
class CaseLink:
    """Another case of the same person, and since when it is known to be."""

    other: str
    number: str
    kind: LinkType
    fact: str
    since: datetime


@dataclass(frozen=True)
class Links:
    """Holds the other cases of the same person."""

    others: Mapping[str, OtherCase] = field(default_factory=dict)
    link_asked: LinkAsked | None = None
    links: Mapping[str, CaseLink] = field(default_factory=dict)

    @property
    def merged_into(self) -> CaseLink | None:
        """Return the case that goes on in place of this one; None = this one does."""
        return next((link for link in self.links.values() if link.kind == "replaced_by"), None)
