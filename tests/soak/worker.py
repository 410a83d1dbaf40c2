"""A worker with real far sides: labs are asked of the simulated hospitals, everything else is mail.

`python -m tests.soak.worker DSN TEMPORAL FOLDER FHIR SMTP_PORT`
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx2

from activities.far_sides import Request
from activities.perform import Delivered, Outward
from domain.effects import Effect
from domain.policy import Policy
from domain.state import Case
from infra.hospitals.fhir_client import FhirFarSide, Patience
from infra.mail import MailFarSide, MailServer
from tests.contracts.rigs import CENTRE, SENDER
from tests.faults.worker import hasten
from tests.workflows.rig import engine, ladder, quick
from workflows import journey

ATTEMPT = timedelta(seconds=25)


def policy() -> Policy:
    """Documents are reminded of after seconds; an uncertain effect is tried again after seconds."""
    return quick(retry=(3, 6, 12), record=ladder(3600, 6, 14))


@dataclass
class Real:
    """The hand of every kind."""

    hospital: FhirFarSide
    mail: MailFarSide

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        del now
        item = case.records.get(effect.about.split("/", maxsplit=1)[0])
        if effect.kind == "request_record" and item and item.kind == "labs":
            body = {"protocol": "protocol-1"}
            asked = Request(effect.id, "submit_dossier", case.id, "submission-1/1", "hospital", CENTRE, body)
            return await Outward(self.hospital).deliver(asked, repeat=repeat)
        address = f"{uuid.uuid4().hex}@family.example"
        body = {"address": address, "language": "en", "number": case.number, "what": "labs", "contact": SENDER}
        written = Request(effect.id, "request_record", case.id, effect.about, "family", "", body)
        return await Outward(self.mail).deliver(written, repeat=repeat)


async def main(dsn: str, temporal: str, folder: Path, fhir: str, smtp: int) -> None:
    """Work until killed."""
    hasten()
    for name, row in journey.EFFECTS.items():
        journey.EFFECTS[name] = replace(row, attempt=ATTEMPT)  # type: ignore[index]
    async with httpx2.AsyncClient() as http, engine(dsn, temporal, folder, policy=policy(), working=False) as here:
        mail = MailFarSide(MailServer("127.0.0.1", smtp, SENDER, step=1, total=3))
        real = Real(FhirFarSide(http, fhir, Patience(1, 1, 3)), mail)
        here.hands.table = lambda: dict.fromkeys(journey.EFFECTS, real)  # type: ignore[method-assign]
        await here.start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], int(sys.argv[5])))
