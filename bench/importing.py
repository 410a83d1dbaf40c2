"""A bundle as Synthea writes it over HTTP into a case, by its number of entries, against parsing its JSON alone.

Of ten entries one is a result that is observed here and one a condition; the others are what such bundles are full of:
observations of other things, encounters and claims, each named as not taken.
"""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import httpx2

from bench.common import Asked, Row, server, short
from bench.http import INQUIRY, api, signed_in

SIZES, ROUNDS = (100, 1_000, 10_000), 3
PATIENT = "urn:uuid:8e5b1a50-0f0c-4a39-9f53-2d6b2f1c1d10"
BEGAN = datetime(2016, 1, 1, 8, tzinfo=UTC)


def entries(many: int) -> Iterator[dict[str, Any]]:
    """The patient, then entries in turn; each result at an hour of its own."""
    yield {"resourceType": "Patient", "name": [{"family": "Rao", "given": ["A."]}], "birthDate": "1980-03-02"}
    about = {"subject": {"reference": PATIENT}, "status": "final"}
    for n in range(many - 1):
        at = (BEGAN + timedelta(hours=n)).isoformat()
        if n % 10 == 0:
            yield {**about, **_measured("29463-7", "Body Weight", 60 + n % 7 + 0.46284761341237, "kg"), **_at(at)}
        elif n % 10 == 1:
            words = {
                "coding": [{"system": "http://snomed.info/sct", "code": f"{10_000_000 + n}"}],
                "text": f"Finding {n}",
            }
            yield {"resourceType": "Condition", "subject": about["subject"], "code": words, "onsetDateTime": at}
        elif n % 2:
            yield {**about, **_measured("8480-6", "Systolic Blood Pressure", 120 + n % 30, "mm[Hg]"), **_at(at)}
        else:
            yield {"resourceType": "Claim", "patient": about["subject"], "created": at, "item": [{"sequence": 1}] * 3}


def _measured(code: str, words: str, value: float, unit: str) -> dict[str, Any]:
    named = {"coding": [{"system": "http://loinc.org", "code": code, "display": words}], "text": words}
    of = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {"resourceType": "Observation", "code": named, "valueQuantity": of}


def _at(at: str) -> dict[str, str]:
    return {"effectiveDateTime": at, "issued": at}


def bundle(many: int) -> bytes:
    """A transaction of so many entries."""
    listed = [
        {"fullUrl": PATIENT if n == 0 else f"urn:uuid:{uuid.uuid4()}", "resource": one, "request": {"method": "POST"}}
        for n, one in enumerate(entries(many))
    ]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": listed}).encode()


async def taken(http: httpx2.AsyncClient, body: bytes) -> tuple[float, int]:
    """Seconds of the import into a case of its own, durable when answered; how many results came of it."""
    key = {"Idempotency-Key": uuid.uuid4().hex}
    case = (await http.post("/cases", json=INQUIRY, headers=key)).raise_for_status().json()["case"]
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/fhir+json"}
    begun = time.perf_counter()
    answer = await http.post(f"/cases/{case}/observations", content=body, headers=headers)
    spent = time.perf_counter() - begun
    if answer.is_error:
        raise RuntimeError(answer.text[:400])
    seen = (await http.get(f"/cases/{case}/observations")).json()["observations"]
    return spent, len(seen)


async def main(asked: Asked) -> AsyncIterator[Row]:
    """A row for each size."""
    async with server() as (running, folder):
        token = await signed_in(running.dsn, folder / "home")
        async with api(running.dsn, folder / "home") as port:
            url, bearer = f"http://127.0.0.1:{int(port)}", {"Authorization": f"Bearer {token}"}
            async with httpx2.AsyncClient(base_url=url, headers=bearer, timeout=120) as http:
                for many in asked.either(SIZES, (10, 20)):
                    yield await _row(http, many, asked.either(ROUNDS, 1))


async def _row(http: httpx2.AsyncClient, many: int, rounds: int) -> Row:
    ours, parsed, results = list[float](), list[float](), 0
    for _ in range(rounds):
        body = bundle(many)
        spent, results = await taken(http, body)
        begun = time.perf_counter()
        await asyncio.to_thread(json.loads, body)
        ours, parsed = [*ours, spent], [*parsed, time.perf_counter() - begun]
    return {
        "entries": many,
        "KiB": round(len(bundle(many)) / 1024),
        "results": results,
        "ms": {"import": short(1000 * median(ours)), "JSON alone": short(1000 * median(parsed))},
        "ms for 100 entries": short(1000 * median(ours) * 100 / many),
    }
