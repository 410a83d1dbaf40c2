"""The patient summary goes with the dossier [criteria.ips-out]: stable, recorded, by consent, known by its digest."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlsplit

import httpx2
import pytest

from activities.command_handler import CommandRequest
from activities.gateways import Request
from activities.ports import Meta
from api.run.wiring import Parts
from domain.case.phases.findings import Statement
from domain.stages.eligibility.handing_over import SUMMARY
from domain.stages.eligibility.submissions import SubmitDossier
from domain.stages.intake.people import WithdrawConsent
from domain.stages.records.dossier import DraftSummary, SignSummary
from domain.stages.records.results import ImportResults
from domain.stages.records.summary import StrikeSummary
from infra.hospitals.fhir_map import request_of, task
from infra.identity.document_links import addresses
from tests.activities.ips_rules import broken
from tests.api.conftest import Person
from tests.api.routes.test_callbacks import Hospital, hospital, keys, stranger
from tests.api.submitted import Submitted, stored, submitted

__all__ = ["hospital", "keys", "stranger"]
FHIR = "application/fhir+json"


@pytest.fixture
async def sent(here: Parts, hospital: Hospital) -> Submitted:
    return await submitted(here, hospital.id)


async def path(sent: Submitted) -> str:
    known = (await sent.state()).submissions[sent.submission]
    made = await addresses(sent.here.keys, "https://caravel.example/")(sent.id, known)
    return urlsplit(made[SUMMARY]).path


async def test_the_hospital_fetches_a_summary_that_stays_the_same(
    sent: Submitted, nobody: httpx2.AsyncClient, supervisor: Person
) -> None:
    at = await path(sent)
    assert (await nobody.head(at)).content == b""
    assert SUMMARY not in (await sent.state()).submissions[sent.submission].handed
    first = await nobody.get(at)
    assert (first.status_code, first.headers["content-type"]) == (200, FHIR)
    assert broken(first.json()) == []
    await sent.tell(ImportResults(form="fhir", birth="1980"))
    assert (await nobody.get(at)).content == first.content, "what is told later is no part of this dossier"
    assert (await supervisor.get(f"/cases/{sent.id}/ips")).json()["entry"][1]["resource"]["birthDate"] == "1980"
    handed = (await sent.state()).submissions[sent.submission].handed
    assert handed[SUMMARY] == sha256(first.content).hexdigest()
    looks = (await supervisor.get(f"/cases/{sent.id}/looks")).json()["looks"]
    assert [one["what"] for one in looks if one["actor"] == sent.centre] == ["patient summary"] * 2


async def test_without_consent_it_is_gone(sent: Submitted, nobody: httpx2.AsyncClient) -> None:
    at = await path(sent)
    assert (await nobody.get(at)).status_code == 200, "the control"
    await sent.tell(WithdrawConsent("share_with_hospital", sent.patient, sent.centre))
    gone = await nobody.get(at)
    assert (gone.status_code, gone.json()["type"]) == (410, "urn:caravel:problem:lapsed")


async def test_the_task_names_it_beside_the_documents(sent: Submitted) -> None:
    known = (await sent.state()).submissions[sent.submission]
    links = await addresses(sent.here.keys, "https://caravel.example/")(sent.id, known)
    request = Request("e", "submit_dossier", sent.id, "a", "hospital", sent.centre, {}, known.documents, links)
    made = task(request)
    [summary] = [one for one in made["contained"] if one["id"] == "summary"]
    assert summary["type"]["coding"] == [{"system": "http://loinc.org", "code": "60591-5"}]
    assert summary["content"][0]["attachment"] == {"contentType": FHIR, "url": links[SUMMARY]}
    assert list(request_of(made, sent.centre).documents) == list(known.documents)
    assert made["input"][-1]["valueReference"] == {"reference": "#summary"}


async def test_what_was_struck_since_is_told_to_nobody(sent: Submitted, nobody: httpx2.AsyncClient) -> None:
    gout = Statement(kind="condition", section="problems", entry=2, text="Gout")
    state = await sent.tell(ImportResults(form="fhir", statements=(gout,), bundle="urn:uuid:7"))
    new = await stored(sent.here, sent.id, b"%PDF-1.7\nanother summary\n%%EOF")
    drafted = CommandRequest(sent.id, Meta("person-4"), DraftSummary(new.document, "person-4"), stored=(new,))
    await sent.here.commands.record(drafted)
    await sent.tell(SignSummary("person-5"))
    await sent.tell(SubmitDossier(sent.submission))
    at = await path(sent)
    assert "Gout" in (await nobody.get(at)).text
    await sent.tell(StrikeSummary(next(iter(state.summaries)), "of somebody else"))
    assert "Gout" not in (await nobody.get(at)).text
