"""What hospitals say: believed only with the centre's own signature, once, and only of requests and cases they know."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from activities.gateways import Request
from api.run.http_app import http_app
from api.run.wiring import Parts
from domain.catalogue.centre import RegisterCentre
from domain.stages.eligibility.submissions import ChooseCentre
from infra.embedded.server_process import free_port
from infra.hospitals.callbacks import sign
from infra.hospitals.recall_tasks import task_of
from infra.ids import fresh_stream
from rehearsal.hospitals.behaviour import HospitalPlan, Said
from rehearsal.hospitals.book import Book
from rehearsal.hospitals.keys import HospitalKeys
from rehearsal.hospitals.speaker import Speaker
from tests.agreed import agreed
from tests.api.conftest import CANARY, NO_LIMIT, Person
from tests.api.routes.intake.test_linking import merged
from tests.api.routes.test_commands import assert_problem
from tests.api.submitted import open_protocol, submitted

PROTOCOL = "protocol-x"
LETTER = {"type": "IssueLetter", "ref": "L-7", "valid_until": "2030-01-01T00:00:00+00:00"}


@dataclass
class Hospital:
    """A centre that signs what it says."""

    id: str
    keys: HospitalKeys
    http: httpx2.AsyncClient

    def request(
        self,
        case: str,
        command: dict[str, Any],
        *,
        callback: str = "",
        effect: str = "",
        age: float = 0,
        key: Any = None,
    ) -> tuple[bytes, dict[str, str]]:
        body = json.dumps(task_of(callback or uuid4().hex, case, command, in_reply_to=effect)).encode()
        when = datetime.now(UTC) - timedelta(seconds=age)
        return body, sign("POST", self.path, body, key or self.keys.private(self.id), self.id, when)

    @property
    def path(self) -> str:
        return f"/hospitals/{self.id}/callbacks"

    async def say(self, case: str, command: dict[str, Any] = LETTER, **more: Any) -> httpx2.Response:
        body, headers = self.request(case, command, **more)
        return await self.http.post(self.path, content=body, headers=headers)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> HospitalKeys:
    return HospitalKeys(Path(tmp_path_factory.mktemp("hospitals")))


async def registered_centre(here: Parts, keys: HospitalKeys) -> str:
    stream = fresh_stream("centre")
    centre = RegisterCentre(
        "First", "Beijing", "CN", "Asia/Shanghai", ("zh",), True, ("cell_therapy",), "itself", datetime.now(UTC).date(),
        "https://hospital.example/fhir", "", keys.public(stream),
    )  # fmt: skip
    await agreed(here.commands, stream, centre)
    return stream


@pytest.fixture(scope="module")
async def hospital(here: Parts, keys: HospitalKeys, nobody: httpx2.AsyncClient) -> Hospital:
    return Hospital(await registered_centre(here, keys), keys, nobody)


@pytest.fixture(scope="module")
async def stranger(here: Parts, keys: HospitalKeys, nobody: httpx2.AsyncClient) -> Hospital:
    return Hospital(await registered_centre(here, keys), keys, nobody)


@dataclass
class Waiting:
    """A case at the visa stage whose letter was asked for."""

    id: str
    effect: str


async def waiting(supervisor: Person, hospital: Hospital) -> Waiting:
    case = (await supervisor.open(imported=True))["case"]
    facts = {"stage": "visa", "centre": hospital.id, "protocol": PROTOCOL, "consents": ["data_processing"]}
    answer = await supervisor.send(case, "ImportFacts", accepted_until="2030-01-01T00:00:00Z", **facts)
    assert answer.is_success, answer.text
    events = (await supervisor.get(f"/cases/{case}/events")).json()["events"]
    asked = [e["data"] for e in events if e["type"] == "EffectRequested"]
    return Waiting(case, next(one["effect"] for one in asked if one["kind"] == "request_invitation_letter"))


@pytest.fixture
async def case(supervisor: Person, hospital: Hospital) -> Waiting:
    return await waiting(supervisor, hospital)


@pytest.fixture
async def rejected(dsn: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(dsn)
    before = await connection.fetchval("select coalesce(max(id), 0) from rejected_callback")

    async def reasons() -> list[str]:
        rows = await connection.fetch("select reason from rejected_callback where id > $1 order by id", before)
        return [row["reason"] for row in rows]

    yield reasons
    await connection.close()


async def events_of(supervisor: Person, case: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await supervisor.get(f"/cases/{case}/events", limit=500)).json()["events"]
    return found


async def test_an_answer_becomes_a_command_and_implies_delivery(
    hospital: Hospital, supervisor: Person, case: Waiting
) -> None:
    answer = await hospital.say(case.id, effect=case.effect, callback="cb-1")
    assert answer.status_code == 200, answer.text
    assert answer.json()["recorded"][:2] == ["EffectDelivered", "LetterIssued"]
    told = next(e for e in await events_of(supervisor, case.id) if e["type"] == "LetterIssued")
    assert (told["actor"], told["provenance"]) == (hospital.id, "callback")


async def test_of_a_merged_case_the_hospital_hears_where_it_goes_on(
    here: Parts, hospital: Hospital, supervisor: Person, case: Waiting
) -> None:
    goes_on = await supervisor.open()
    await merged(here, supervisor, case.id, goes_on["case"])
    answer = await hospital.say(case.id, effect=case.effect)
    assert_problem(answer, 409, "merged")
    assert answer.json()["goes_on_as"] == goes_on["number"]
    assert "LetterIssued" not in {e["type"] for e in await events_of(supervisor, case.id)}


async def test_a_doubled_or_replayed_answer_gets_the_first_result(
    hospital: Hospital, supervisor: Person, case: Waiting
) -> None:
    body, headers = hospital.request(case.id, LETTER, effect=case.effect)
    answers = await asyncio.gather(
        *(hospital.http.post(hospital.path, content=body, headers=headers) for _ in range(5))
    )
    assert {one.status_code for one in answers} == {200}
    assert [one.json()["repeated"] for one in answers].count(False) == 1
    assert len({json.dumps(one.json()["recorded"]) for one in answers}) == 1
    events = await events_of(supervisor, case.id)
    assert [e["type"] for e in events].count("LetterIssued") == 1


async def test_a_callback_id_is_not_used_for_something_else(hospital: Hospital, case: Waiting) -> None:
    assert (await hospital.say(case.id, effect=case.effect, callback="cb-2")).is_success
    assert_problem(await hospital.say(case.id, {**LETTER, "ref": "L-8"}, callback="cb-2"), 422, "key_reused")


async def test_forged_old_or_changed_answers_never_reach_the_ledger(
    hospital: Hospital, stranger: Hospital, supervisor: Person, case: Waiting, rejected: Any
) -> None:
    before = len(await events_of(supervisor, case.id))
    forged = await hospital.say(case.id, effect=case.effect, key=Ed25519PrivateKey.generate())
    others = await hospital.say(case.id, effect=case.effect, key=stranger.keys.private(stranger.id))
    old = await hospital.say(case.id, effect=case.effect, age=3600)
    early = await hospital.say(case.id, effect=case.effect, age=-3600)
    body, headers = hospital.request(case.id, LETTER)
    changed = await hospital.http.post(hospital.path, content=body.replace(b"L-7", b"L-8"), headers=headers)
    unsigned = await hospital.http.post(hospital.path, content=body)
    moved = await hospital.http.post(stranger.path, content=body, headers=headers)
    for answer in (forged, others, old, early, changed, unsigned, moved):
        assert_problem(answer, 401, "untrusted")
    assert len(await rejected()) == 7
    assert len(await events_of(supervisor, case.id)) == before


async def test_what_says_nothing_is_malformed(hospital: Hospital, rejected: Any) -> None:
    for body in (b"", b"no", b"[" * 1000, b"{}", b'{"resourceType": "Task"}'):
        headers = sign("POST", hospital.path, body, hospital.keys.private(hospital.id), hospital.id, datetime.now(UTC))
        answer = await hospital.http.post(hospital.path, content=body, headers=headers)
        assert answer.status_code in (400, 401), answer.text
    assert len(await rejected()) == 5


async def test_a_packed_body_is_told_how_to_come(hospital: Hospital, case: Waiting) -> None:
    body, headers = hospital.request(case.id, LETTER, effect=case.effect)
    packed = await hospital.http.post(
        hospital.path, content=gzip.compress(body), headers={**headers, "Content-Encoding": "gzip"}
    )
    assert_problem(packed, 415, "unsupported")
    assert (packed.headers["accept-encoding"], packed.json()["errors"][0]["header"]) == ("identity", "Content-Encoding")
    plain = await hospital.http.post(hospital.path, content=body, headers={**headers, "Content-Encoding": "identity"})
    assert plain.is_success, plain.text


async def test_a_hospital_answers_only_what_it_was_asked_itself(
    here: Parts, hospital: Hospital, stranger: Hospital, supervisor: Person
) -> None:
    """Both have the dossier of one case, so both are of the case."""
    sent = await submitted(here, hospital.id)
    state = await sent.tell(ChooseCentre(stranger.id, await open_protocol(here, stranger.id)))
    second = next(one.id for one in state.submissions.values() if one.centre == stranger.id)
    accept = {"type": "AcceptPatient", "clinician": "Dr Li Wei"}
    before = len((await sent.state()).seen)
    assert_problem(await stranger.say(sent.id, {**accept, "submission": sent.submission}), 403, "not_allowed")
    assert_problem(await hospital.say(sent.id, {**accept, "submission": second}), 403, "not_allowed")
    after = await sent.state()
    assert (len(after.seen), after.accepted) == (before, None)
    own = await hospital.say(sent.id, {**accept, "submission": sent.submission})
    assert own.is_success, own.text


async def test_an_unknown_centre_case_or_request(
    hospital: Hospital, stranger: Hospital, case: Waiting, nobody: httpx2.AsyncClient
) -> None:
    assert_problem(await hospital.say("case-nobody"), 404, "not_found")
    assert_problem(await hospital.say(case.id, effect="no-such-effect"), 404, "not_found")
    assert_problem(await stranger.say(case.id, effect=case.effect), 404, "not_found")
    for name in ("centre-none", "person-x", "x"):
        answer = await nobody.post(f"/hospitals/{name}/callbacks", content=b"{}")
        assert_problem(answer, 401, "untrusted")


async def test_no_words_of_a_hospital_are_kept_in_plain(
    hospital: Hospital, supervisor: Person, case: Waiting, dsn: str
) -> None:
    """Its number must be a reference; its id of the callback is kept as one, or as a digest that repeats like it."""
    for ref in (CANARY, "L 7", "x" * 65):
        refused = await hospital.say(case.id, {**LETTER, "ref": ref}, effect=case.effect)
        assert_problem(refused, 400, "malformed")
        assert "ref must be" in refused.json()["detail"]
    callback = "Wilhelmina_Canary/@1985"
    first, again = [await hospital.say(case.id, effect=case.effect, callback=callback) for _ in range(2)]
    assert [first.json()["repeated"], again.json()["repeated"]] == [False, True], first.text
    told = await hospital.say(case.id, {"type": "DeclineTransplant", "reason": CANARY})
    assert told.is_success or told.status_code == 409, "what is sealed may be words"
    connection = await asyncpg.connect(dsn)
    kept = await connection.fetch("select data, meta from event where stream = $1", case.id)
    await connection.close()
    assert "L-7" in str(kept)
    assert "Canary" not in str(kept)


async def test_nothing_is_read_of_what_is_not_signed(hospital: Hospital, case: Waiting) -> None:
    body, headers = hospital.request(case.id, LETTER)
    read = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield body

    changed = {**headers, "Content-Digest": headers["Content-Digest"].swapcase()}
    for wrong in ({}, changed, {**headers, "Signature": "hospital=:AAAA:"}):
        assert_problem(await hospital.http.post(hospital.path, content=parts(), headers=wrong), 401, "untrusted")
    assert read == 0
    answer = await hospital.http.post(hospital.path, content=parts(), headers=headers)
    assert read == 1
    assert answer.is_success, answer.text


async def test_a_hospital_gives_only_hospital_commands(hospital: Hospital, case: Waiting) -> None:
    task = json.dumps(task_of(uuid4().hex, case.id, LETTER)).replace("IssueLetter", "MoveOn").encode()
    headers = sign("POST", hospital.path, task, hospital.keys.private(hospital.id), hospital.id, datetime.now(UTC))
    assert_problem(await hospital.http.post(hospital.path, content=task, headers=headers), 400, "malformed")


async def arrived(supervisor: Person, hospital: Hospital) -> Waiting:
    """A case whose patient is in the country; the centre was told."""
    case = (await supervisor.open(imported=True))["case"]
    facts = {"stage": "admission", "centre": hospital.id, "protocol": PROTOCOL, "consents": ["data_processing"]}
    until = "2030-01-01T00:00:00Z"
    assert (await supervisor.send(case, "ImportFacts", accepted_until=until, **facts)).is_success
    answer = await supervisor.send(case, "RecordArrival", entered=datetime.now(UTC).isoformat())
    assert answer.is_success, answer.text
    asked = [e["data"] for e in await events_of(supervisor, case) if e["type"] == "EffectRequested"]
    return Waiting(case, next(one["effect"] for one in asked if one["kind"] == "announce_arrival"))


async def test_an_answer_one_step_too_early_is_told_when_to_come_again(hospital: Hospital, supervisor: Person) -> None:
    case = await arrived(supervisor, hospital)
    screened = {"type": "ConfirmScreening", "clinician": "Dr Li"}
    early = await hospital.say(case.id, screened, effect=case.effect, callback="cb-early")
    assert_problem(early, 409, "too_early")
    assert int(early.headers["Retry-After"]) > 0
    unasked = await hospital.say(case.id, screened)
    assert_problem(unasked, 409, "missing")
    assert "Retry-After" not in unasked.headers
    assert (await hospital.say(case.id, {"type": "AdmitPatient", "ref": "E-1"}, effect=case.effect)).is_success
    again = await hospital.say(case.id, screened, effect=case.effect, callback="cb-early")
    assert again.status_code == 200, again.text
    assert again.json()["recorded"][0] == "ScreeningConfirmed"
    late = await hospital.say(case.id, {"type": "AdmitPatient", "ref": "E-2"}, effect=case.effect)
    assert_problem(late, 409, "already")


async def test_a_late_answer_is_refused_clearly(hospital: Hospital, case: Waiting) -> None:
    accepted = {
        "type": "GiveQuote",
        "submission": "s",
        "total": 1,
        "currency": "CNY",
        "valid_until": LETTER["valid_until"],
    }
    answer = await hospital.say(case.id, accepted)
    assert answer.status_code in (404, 409), answer.text
    assert "Canary" not in answer.text


async def test_too_large(hospital: Hospital) -> None:
    body = b"x" * 300_000
    headers = sign("POST", hospital.path, body, hospital.keys.private(hospital.id), hospital.id, datetime.now(UTC))
    assert_problem(await hospital.http.post(hospital.path, content=body, headers=headers), 413, "too_large")


async def test_no_personal_value_in_an_answer(hospital: Hospital, case: Waiting) -> None:
    said = {"type": "DeclinePatient", "submission": "s", "clinician": CANARY, "code": "other", "alternative": CANARY}
    assert "Canary" not in (await hospital.say(case.id, said)).text


async def test_a_simulated_hospital_says_what_came_too_early_again_until_it_is_right(
    here: Parts,
    hospital: Hospital,
    supervisor: Person,
    keys: HospitalKeys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both ends as they are, over a socket: the screening is said before the admission, and waits for it."""
    monkeypatch.setattr("api.routes.callbacks.LATER", "1")
    case = await arrived(supervisor, hospital)
    book = Book(tmp_path / "book.sqlite")
    asked = Request(case.effect, "announce_arrival", case.id, f"{hospital.id}/1", "hospital", hospital.id)
    screened = Said(0.0, {"type": "ConfirmScreening", "clinician": "Dr Li"})
    book.keep(asked, HospitalPlan(answers=(screened,)), datetime.now(UTC))
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(http_app(here, limits=NO_LIMIT), port=port, lifespan="off", log_level="warning")
    )
    serving = asyncio.create_task(server.serve())
    async with httpx2.AsyncClient() as web:
        speaking = asyncio.create_task(Speaker(book, keys, f"http://127.0.0.1:{port}", web).run())
        async with asyncio.timeout(60):
            while 409 not in statuses(book):  # noqa: ASYNC110 - another end
                await asyncio.sleep(0.05)
            assert (await supervisor.send(case.id, "AdmitPatient", ref="E-1")).is_success
            while 200 not in statuses(book):  # noqa: ASYNC110 - another end
                await asyncio.sleep(0.05)
        speaking.cancel()
        server.should_exit = True
        await serving
    types = [e["type"] for e in await events_of(supervisor, case.id)]
    assert types.count("ScreeningConfirmed") == 1
    assert book.next_due() is None
    book.close()


def statuses(book: Book) -> list[int]:
    """What came back on each try, a listener that is not up yet (0) left out."""
    return [status for answer in book.answers() for status in answer["statuses"] if status]
