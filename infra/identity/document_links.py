"""Short-lived addresses of single documents, for a hospital's interface: sealed, so that nobody makes one."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from activities.ports import DocumentLink, Keys
from domain.case.phases.submissions import Submission
from domain.stages.eligibility.handing_over import SUMMARY
from infra.identity.sealed_text import SealedText

STREAM = "document-links"
LASTS = timedelta(days=3)
"""How long an interface has to fetch a document; a reminder brings fresh addresses."""


class DocumentLinks:
    """Makes addresses and reads them back, in every process of the installation.

    Whether one still opens is asked of the case each time: an address by itself outlives no withdrawn consent.
    """

    def __init__(self, keys: Keys) -> None:
        self._sealed = SealedText(keys, STREAM, LASTS)

    async def make(self, link: DocumentLink) -> str:
        """Return the token of an address."""
        return await self._sealed.close(
            json.dumps([link.case, link.centre, link.submission, link.round, link.document], separators=(",", ":"))
        )

    async def read(self, token: str) -> DocumentLink:
        """Return what a token stands for. Raises ValueError for what was not made here within three days."""
        case, centre, submission, number, document = json.loads(await self._sealed.open(token))
        return DocumentLink(case, centre, submission, number, document)


def addresses(keys: Keys, public_url: str) -> Callable[[str, Submission], Awaitable[Mapping[str, str]]]:
    """Makes an address for each document of a submission and for the summary that goes with it.

    It is `<public_url>/hospitals/<centre>/documents/<token>`.
    """
    links = DocumentLinks(keys)

    async def made(case: str, known: Submission) -> Mapping[str, str]:
        base = f"{public_url.rstrip('/')}/hospitals/{known.centre}/documents"
        return {
            name: f"{base}/{await links.make(DocumentLink(case, known.centre, known.id, known.round, name))}"
            for name in (*known.documents, SUMMARY)
        }

    return made
