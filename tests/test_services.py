"""The compose file's own services, started: a case is opened with a sign-in, seen to, traced, and all of them stop."""

from __future__ import annotations

import json
import os
import signal
import uuid
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from temporalio.client import Client

from infra.embedded.postgres_server import PostgresServer
from infra.embedded.server_process import free_port
from infra.embedded.temporal_server import TemporalServer
from tests.conftest import execute
from tests.services import Collector, Issuer, Stack, eventually, example, outside, reached_by

pytestmark = pytest.mark.slow
CANARY = "Wilhelmina Canary"
INQUIRY = {
    "country": "IN",
    "language": "en",
    "zone": "Asia/Kolkata",
    "patient_name": CANARY,
    "team": "asia",
    "despite_duplicates": "a test",
}


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(scope="module")
def collector() -> Collector:
    return Collector()


@pytest.fixture(scope="module")
async def stack(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServer,
    temporal_server: TemporalServer,
    issuer: Issuer,
    collector: Collector,
) -> AsyncIterator[Stack]:
    login = urlsplit(example()["CARAVEL_DATABASE_URL"])
    await execute(postgres_server.dsn, f"CREATE ROLE {login.username} SUPERUSER LOGIN PASSWORD '{login.password}'")
    with outside(issuer, collector) as port:
        ports = {"postgres": postgres_server.port, "temporal": temporal_server.port, "outside": port}
        here = Stack(tmp_path_factory.mktemp("services"), {**ports, "collector.example.org": port, "api": free_port()})
        try:
            await here.start_all()
            yield here
        finally:
            await here.kill()


@pytest.fixture(scope="module")
async def person(stack: Stack) -> str:
    """Registered by an operator, where the database and the keys are."""
    words = ("role=coordinator", "team=asia", f"name={CANARY}", "mail=staff@example.org", "zone=Asia/Kolkata")
    return str(json.loads(await stack.caravel("person", "register", *words, "language=en", "--json"))["id"])


@pytest.fixture(scope="module")
async def http(stack: Stack, issuer: Issuer, person: str) -> AsyncIterator[httpx2.AsyncClient]:
    signed_in = {"Authorization": f"Bearer {issuer.token(person)}"}
    async with httpx2.AsyncClient(base_url=stack.url, headers=signed_in, timeout=30) as http:
        await eventually(lambda: ready(http))
        yield http


@pytest.fixture(scope="module")
async def case(http: httpx2.AsyncClient) -> str:
    return str((await post(http, "/cases", {**INQUIRY, "patient_mail": "canary@example.org"}))["case"])


async def ready(http: httpx2.AsyncClient) -> bool:
    """Database, schema, Temporal and a courier."""
    return bool((await http.get("/readyz")).json()["status"] == "ready")


async def post(http: httpx2.AsyncClient, path: str, body: Any, **headers: str) -> Any:
    answer = await http.post(path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex, **headers})
    assert answer.is_success, answer.text
    return answer.json()


async def test_only_a_token_of_the_issuer_for_us_and_of_somebody_known_is_believed(
    stack: Stack, issuer: Issuer, person: str
) -> None:
    async with httpx2.AsyncClient(base_url=stack.url) as http:
        for token in ("x", Issuer().token(person), issuer.token(person, "other"), issuer.token("person-none")):
            answer = await http.get("/me", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401, token
        assert (await http.post("/dev/sign-in", json={})).status_code == 404


async def listed(client: Client, case: str) -> bool:
    return bool([w async for w in client.list_workflows("CaravelStage = 'inquiry'") if w.id == case])


async def test_a_case_is_nudged_by_the_worker(stack: Stack, http: httpx2.AsyncClient, case: str) -> None:
    client = await Client.connect(f"127.0.0.1:{stack.ports['temporal']}", namespace="caravel")

    await eventually(lambda: listed(client, case))
    agenda = (await http.get(f"/cases/{case}/agenda")).json()
    assert agenda["stage"] == "inquiry"
    assert agenda["obligations"]


async def test_the_command_line_over_http_is_whoever_the_token_says(
    stack: Stack, issuer: Issuer, person: str, http: httpx2.AsyncClient
) -> None:
    way = {"CARAVEL_API": stack.url, "CARAVEL_TOKEN": issuer.token(person), "CARAVEL_DATABASE_URL": ""}
    words = [f"{name}={value}" for name, value in INQUIRY.items()]
    opened = json.loads(await stack.caravel("case", "open", *words, "--json", **way))
    scan = stack.folder / "scan.pdf"
    scan.write_bytes(b"%PDF-1.7 scan")
    assert "DocumentAttached" in await stack.caravel("case", "attach", opened["number"], str(scan), **way)
    listed = json.loads(await stack.caravel("case", "list", "--json", **way))["cases"]
    assert opened["number"] in {row["number"] for row in listed}
    events = json.loads(await stack.caravel("case", "timeline", opened["case"], "--json", **way))
    attached = next(e for e in events if e["type"] == "DocumentAttached")
    assert attached["actor"] == person
    got = await http.get(f"/cases/{opened['case']}/documents/{attached['data']['document']}")
    assert got.content == scan.read_bytes()


async def test_a_kick_is_a_nudge(stack: Stack, case: str) -> None:
    client = await Client.connect(f"127.0.0.1:{stack.ports['temporal']}", namespace="caravel")

    async def nudges() -> int:
        history = await client.get_workflow_handle(case).fetch_history()
        return sum(e.HasField("workflow_execution_signaled_event_attributes") for e in history.events)

    await eventually(lambda: listed(client, case))
    before = await nudges()
    assert f"nudged {case}" in await stack.caravel("case", "kick", case)
    assert await nudges() == before + 1


async def test_one_command_is_one_trace_from_the_api_to_the_effect(
    collector: Collector, http: httpx2.AsyncClient, case: str
) -> None:
    trace = uuid.uuid4()
    headers = {
        "traceparent": f"00-{trace.hex}-00f067aa0ba902b7-01",
        "tracestate": "vendor=WilhelminaCanary",
        "baggage": "patient=WilhelminaCanary",
        "user-agent": CANARY,
    }
    command = {"type": "RequestRecord", "kind": "passport", "note": CANARY}
    await post(http, f"/cases/{case}/commands", command, **{**headers, "Idempotency-Key": "key-1"})
    names = {
        "POST /cases/{case}/commands": "caravel-api",
        "nudge": "caravel-worker",
        "look": "caravel-worker",
        "activity attend": "caravel-worker",
        "activity request_record": "caravel-worker",
    }

    async def complete() -> dict[str, tuple[str, Span]]:
        found = collector.of(trace.bytes)
        return found if names.keys() <= found.keys() else {}

    found = await eventually(complete)
    assert {name: found[name][0] for name in names} == names
    spans = {name: found[name][1] for name in names}
    for parent, child in [*pairwise(list(names)[:4]), ("look", "activity request_record")]:
        assert spans[child].parent_span_id == spans[parent].span_id, child
    told = {a.key: a.value.string_value for a in spans["POST /cases/{case}/commands"].attributes}
    assert (told["caravel.case"], told["caravel.key"], told["http.route"]) == (case, "key-1", "/cases/{case}/commands")
    for name in list(names)[1:]:
        assert {a.key: a.value.string_value for a in spans[name].attributes}["caravel.case"] == case


async def test_another_command_is_another_trace(collector: Collector, http: httpx2.AsyncClient, case: str) -> None:
    """The loop runs on from command to command; what it does for one is not told as the other's."""
    trace = uuid.uuid4()
    before = {span.span_id for _, span in collector.spans}
    headers = {"traceparent": f"00-{trace.hex}-00f067aa0ba902b7-01"}
    await post(http, f"/cases/{case}/commands", {"type": "AddNote", "kind": "note", "text": CANARY}, **headers)

    async def complete() -> bool:
        return {"nudge", "look", "activity attend"} <= collector.of(trace.bytes).keys()

    await eventually(complete)
    looks = [span for _, span in collector.spans if span.name == "look" and span.span_id not in before]
    assert [span.trace_id for span in looks].count(trace.bytes) == 1


async def leaders(http: httpx2.AsyncClient) -> dict[str, Any]:
    return dict((await http.get("/readyz")).json()["leaders"])


async def test_a_worker_that_is_stopped_and_not_dead_leads_no_longer(stack: Stack, http: httpx2.AsyncClient) -> None:
    """Within half a minute another is the courier and the sealer, and new cases are seen to."""
    held = {role: int(row["holder"].partition("@")[0]) for role, row in (await leaders(http)).items()}
    assert held.keys() == {"courier", "sealer"}
    stopped = held["courier"]
    assert stopped in {stack.running[name].pid for name in stack.workers}
    os.kill(stopped, signal.SIGSTOP)
    try:
        new = (await post(http, "/cases", INQUIRY))["case"]

        async def another() -> bool:
            now = await leaders(http)
            passed = [now[role] for role, pid in held.items() if pid == stopped]
            return all(one["leads"] and str(one["lost_by"]).startswith(f"{stopped}@") for one in passed)

        await eventually(another, within=60)
        client = await Client.connect(f"127.0.0.1:{stack.ports['temporal']}", namespace="caravel")
        await eventually(lambda: listed(client, new))
        assert (await http.get("/readyz")).json()["status"] == "ready"
    finally:
        os.kill(stopped, signal.SIGCONT)


async def test_whoever_starts_before_the_database_says_so_and_waits_for_it(stack: Stack) -> None:
    database, early = free_port(), free_port()
    way = stack.environment("api")["CARAVEL_DATABASE_URL"].replace(f":{stack.ports['postgres']}/", f":{database}/")
    there = {"CARAVEL_DATABASE_URL": way, "CARAVEL_API_PORT": str(early)}
    for name in ("api", "worker"):
        await stack.start(name, stack.words(name), f"early-{name}", **there)

    async def waiting() -> bool:
        return all("waiting for the database" in stack.log(f"early-{name}") for name in ("api", "worker"))

    async def at_work() -> bool:
        assert stack.running["early-api"].returncode is stack.running["early-worker"].returncode is None
        ready = "api ready" in stack.log("early-api")
        return ready and "worker ready" in stack.log("early-worker")

    await eventually(waiting)
    async with reached_by(database, stack.ports["postgres"]):
        await eventually(at_work)
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{early}") as http:
            assert (await http.get("/readyz")).json()["parts"]["database"] == "ok"
        await stack.stop("early-api", "early-worker")


async def test_who_is_stopped_while_waiting_for_the_database_ends_at_once(stack: Stack) -> None:
    nobody = f"postgres://caravel@127.0.0.1:{free_port()}/caravel"
    process = await stack.start("worker", stack.words("worker"), "idle", CARAVEL_DATABASE_URL=nobody)

    async def waiting() -> bool:
        assert process.returncode is None, stack.log("idle")
        return "waiting for the database" in stack.log("idle")

    await eventually(waiting)
    await stack.stop("idle")


async def test_everything_stops_when_told_and_nobody_was_named(
    stack: Stack, collector: Collector, http: httpx2.AsyncClient, case: str
) -> None:
    await http.get("/cases", params={"team": "canary"})
    await http.get(f"/cases/{case}-canary")
    assert (await http.get("/reply/canary")).status_code == 404
    await stack.stop("api", *stack.workers)
    said = "".join(stack.log(name) for name in ("api", *stack.workers, "restore"))
    assert "Traceback" not in said
    assert '"trace_id"' in said
    assert case.encode() in collector.raw
    assert b"/reply/{token}" in collector.raw
    for text in (said, collector.raw.decode(errors="replace")):
        assert "canary" not in text.lower()
