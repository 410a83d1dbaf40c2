"""A case whose dossier, with real documents in the store, was submitted to a centre."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.http_app import documents
from api.run.wiring import Parts
from domain.case.state import Case
from domain.catalogue.protocol import ConfirmProtocolOpen, RegisterProtocol
from domain.stages.eligibility.submissions import ChooseCentre, SubmitDossier
from domain.stages.intake.inquiry import AcknowledgeScope, OpenCase, ReplyToFamily
from domain.stages.intake.people import GiveConsent
from domain.stages.records.documents import DocumentStored
from domain.stages.records.dossier import DraftSummary, SignSummary
from domain.stages.records.records import ReceiveRecord, RequestRecord, VerifyRecord
from infra.ids import fresh_stream
from tests.api.conftest import CANARY
from tests.api.http.files.test_previews import paper

REPORT = b"%PDF-1.7\npathology of " + CANARY.encode() + b"\n" + bytes(3_000_000)
SUMMARY = paper("summary") + b"% " + CANARY.encode() + b"\n"


@dataclass(frozen=True)
class Submitted:
    """The case, its submission, and its documents by name."""

    here: Parts
    id: str
    centre: str
    submission: str
    patient: str
    files: Mapping[str, bytes]

    async def state(self) -> Case:
        return (await self.here.commands.case(self.id))[0]

    async def tell(self, command: Any, actor: str = "person-owner") -> Case:
        return (await self.here.commands.record(CommandRequest(self.id, Meta(actor), command))).case


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def stored(here: Parts, case: str, content: bytes) -> DocumentStored:
    kept = await documents(here).keep(case, "clinical", "application/pdf", _pieces(content))
    return DocumentStored(kept.name, kept.same.hex(), "application/pdf", kept.size)


async def open_protocol(here: Parts, centre: str) -> str:
    """A protocol of this centre that is known to be open."""
    keeper, meta, stream = here.commands, Meta("test", "operation"), fresh_stream("protocol")
    protocol = RegisterProtocol(
        registry="NCT2", title="Trial", product="CAR-S", product_class="allogeneic", targets=("CD19",),
        diseases=("B-ALL",), centre=centre, source="test", as_of=date(2026, 1, 1),
    )  # fmt: skip
    await keeper.record(CommandRequest(stream, meta, protocol))
    until = datetime.now(UTC) + timedelta(days=90)
    await keeper.record(CommandRequest(stream, meta, ConfirmProtocolOpen(until, "sponsor")))
    return stream


async def submitted(here: Parts, centre: str, owner: str = "person-owner", team: str = "asia") -> Submitted:
    case = fresh_stream("case")

    async def tell(*commands: Any, files: Sequence[DocumentStored] = ()) -> Case:
        state = Case()
        for command in commands:
            state = (await here.commands.record(CommandRequest(case, Meta(owner), command, stored=files))).case
            files = ()
        return state

    state = await tell(OpenCase("IN", "en", "Asia/Kolkata", CANARY, owner=owner, team=team))
    assert state.patient
    who = state.patient.id
    state = await tell(ReplyToFamily("call"), AcknowledgeScope(who, "1"), RequestRecord("pathology"))
    report, summary = [await stored(here, case, content) for content in (REPORT, SUMMARY)]
    consents = [GiveConsent(p, who, "1", "en", recipient=centre) for p in ("share_with_hospital", "cross_border")]
    state = await tell(
        GiveConsent("data_processing", who, "1", "en"), ReceiveRecord(next(iter(state.records)), report.document, "en"),
        VerifyRecord(next(iter(state.records)), by=owner), DraftSummary(summary.document, by=owner),
        SignSummary(by="person-other"), ChooseCentre(centre, await open_protocol(here, centre)), *consents,
        files=(report, summary),
    )  # fmt: skip
    submission = next(iter(state.submissions))
    await tell(SubmitDossier(submission))
    files = {report.document: REPORT, summary.document: SUMMARY}
    return Submitted(here, case, centre, submission, who, files)
