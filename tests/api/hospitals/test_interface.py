"""A dossier on its way: the effect as the worker carries it out, a hospital in a process of its own, what it read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from activities.access_log import Looks
from activities.effect_handlers.uploading import Uploading
from activities.gateways import GatewayRefused
from activities.messages import Order
from activities.perform import Performing
from api.http.streams_end import serve
from api.run.http_app import documents, http_app
from api.run.processes import handlers
from api.run.wiring import Parts, parts
from domain.case.phases.submissions import Submission
from domain.catalogue.centre import Centre, ChangeEndpoint, Handing, RegisterCentre
from domain.stages.intake.people import WithdrawConsent
from infra.embedded.server_process import free_port
from infra.identity.capabilities import links
from infra.identity.document_links import addresses
from rehearsal.hospitals.behaviour import behaviour
from rehearsal.hospitals.keys import HospitalKeys
from tests.agreed import agreed
from tests.api.conftest import NO_LIMIT, settings
from tests.api.submitted import Submitted, submitted
from tests.infra.gateways import CENTRE, SEED, Simulator
from tests.workflows.rig import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@dataclass
class Real:
    """An API on a socket, and a hospital that answers to it."""

    here: Parts
    hospital: Simulator

    async def deliver(self, sent: Submitted, effect: str) -> None:
        """As the worker's activity does it, until the hospital has it."""
        epoch = (await self.here.ledger.engine()).epoch
        async with handlers(self.here, links(self.here.ledger, self.here.settings.public_url)) as table:
            work = Performing(self.here.commands, table)
            for _ in range(5):
                try:
                    await work.attempt(Order(sent.id, effect, epoch), table["submit_dossier"])
                except Exception:  # noqa: BLE001 - a simulated trouble; it is asked again, as Temporal would
                    await self.here.ledger.release(effect, 1)
                if (await sent.state()).effects[effect].state == "delivered":
                    return
        pytest.fail("the hospital never had it")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the keys of this module's one ledger are."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
async def real(postgres: str, home: Path, tmp_path: Path) -> AsyncIterator[Real]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    hospital = Simulator(tmp_path, url)
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with parts(settings(postgres, home, public_url=url)) as here:
        serving = asyncio.create_task(serve(http_app(here, limits=NO_LIMIT), "127.0.0.1", port, stop, ready.set_result))
        await ready
        await hospital.start()
        yield Real(here, hospital)
        await hospital.stop()
        stop.set()
        await serving


async def centre_of(real: Real, handing: Handing = "address") -> None:
    key = HospitalKeys(real.hospital.keys_path).public(CENTRE)
    if not await real.here.ledger.last_version(CENTRE):
        centre = RegisterCentre(
            "Real Hospital", "Shanghai", "CN", "Asia/Shanghai", ("en",), True, ("cell_therapy",), "test",
            date(2026, 1, 1),
        )  # fmt: skip
        await agreed(real.here.commands, CENTRE, centre)
    await agreed(real.here.commands, CENTRE, ChangeEndpoint(real.hospital.base, "", key, handing))


async def one_that_is_taken(real: Real) -> tuple[Submitted, str]:
    """A dossier whose effect this hospital takes: behaviour is a function of the effect's id."""
    while True:
        sent = await submitted(real.here, CENTRE)
        effect = next(e.id for e in (await sent.state()).effects.values() if e.kind == "submit_dossier")
        plan = behaviour(SEED, effect, "submit_dossier")
        if not plan.refusal and "hang" not in str(plan.troubles):
            return sent, effect


async def test_the_hospital_reads_the_very_documents_and_says_so(real: Real) -> None:
    await centre_of(real)
    sent, effect = await one_that_is_taken(real)
    await real.deliver(sent, effect)

    async def confirmed() -> Submission | None:
        known = (await sent.state()).submissions[sent.submission]
        return known if known.read else None

    known = await eventually(confirmed, within=60)
    assert known
    assert set(known.read) == set(sent.files)
    assert not known.misread
    book = await real.hospital.get("/book")
    read = {one["name"]: (one["digest"], one["size"]) for one in book["documents"] if one["effect"] == effect}
    assert read == {name: (sha256(body).hexdigest(), len(body)) for name, body in sent.files.items()}

    closed, effect = await one_that_is_taken(real)
    await closed.tell(WithdrawConsent("share_with_hospital", closed.patient, CENTRE))
    epoch = (await real.here.ledger.engine()).epoch
    async with handlers(real.here, links(real.here.ledger, "")) as table:
        await Performing(real.here.commands, table).attempt(Order(closed.id, effect, epoch), table["submit_dossier"])
    book = await real.hospital.get("/book")
    assert effect not in {one["effect"] for one in book["effects"]}, "nothing leaves without consent"


async def test_a_hospital_that_takes_uploads_has_the_documents_before_it_is_asked(real: Real) -> None:
    """The entry says so, two people having agreed; each is uploaded once, recorded by digest, and confirmed."""
    await centre_of(real, "binary")
    sent, effect = await one_that_is_taken(real)
    await real.deliver(sent, effect)
    told = {name: sha256(body).hexdigest() for name, body in sent.files.items()}
    known = (await sent.state()).submissions[sent.submission]
    assert dict(known.handed) == told
    book = await real.hospital.get("/book")
    assert {one["name"]: one["digest"] for one in book["binaries"] if one["name"] in told} == told
    assert {one["times"] for one in book["binaries"] if one["name"] in told} == {1}, (
        "also where the request is repeated"
    )

    async def confirmed() -> Submission | None:
        known = (await sent.state()).submissions[sent.submission]
        return known if known.read else None

    read = await eventually(confirmed, within=60)
    assert read
    assert set(read.read) == set(sent.files)
    assert not read.misread


async def test_a_consent_withdrawn_stops_between_two_documents(real: Real) -> None:
    await centre_of(real)
    sent, _ = await one_that_is_taken(real)
    known, here = (await sent.state()).submissions[sent.submission], real.here
    first = known.documents[0]
    taken = list[str]()

    class Side:
        async def put(self, name: str, media: str, size: int, content: AsyncIterator[bytes]) -> str:
            assert media == "application/pdf"
            assert len(b"".join([part async for part in content])) == size
            taken.append(name)
            if consents:
                await sent.tell(consents.pop())
            return name

    consents = [WithdrawConsent("share_with_hospital", sent.patient, CENTRE)]
    looks = Looks(here.ledger, here.commands.ids)
    way = Uploading(here.commands, documents(here), looks, addresses(here.keys, ""), lambda *_: Side())
    entry = Centre(endpoint="https://h.example", documents="binary")
    with pytest.raises(GatewayRefused, match="not_to_be_read"):
        await way.handed(sent.id, known, entry)
    assert taken == [first]

    other, _ = await one_that_is_taken(real)
    known = (await other.state()).submissions[other.submission]
    links_to = await way.handed(other.id, known, entry)
    assert [links_to[name] for name in known.documents] == [f"https://h.example/Binary/{n}" for n in known.documents]
    taken.clear()
    again = await way.handed(other.id, known, entry)
    assert {n: again[n] for n in known.documents} == {n: links_to[n] for n in known.documents}
    assert taken == [], "what was uploaded is not uploaded again"
    fetched = await way.handed(other.id, known, replace(entry, documents="address"))
    assert all("/hospitals/" in url for url in fetched.values()), "the control: by address where the entry says so"
