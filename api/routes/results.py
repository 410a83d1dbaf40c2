"""Results: a laboratory's file is taken into a case, and everything that was observed is listed, as it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from api.http.answers import CREATED, idempotency_key
from api.http.auth import Parts, Who
from api.http.limits import stream_body
from api.http.masking import EVERYTHING, Sees, mask, masked
from api.http.strangers.header_values import parameters
from api.results.taking import MOST_BYTES, File, take
from api.routes.reads import private, seen_case
from api.routes.screening import reckoned_as_json
from domain.case.state import Case
from domain.stages.records.observing import observed, reckoned
from domain.stages.records.results import conflicts

router = APIRouter(tags=["cases"])


@router.post("/cases/{case}/observations", status_code=CREATED)
async def take_results(
    case: str,
    request: Request,
    service: Parts,
    who: Who,
    mapping: str = "",
    skip_faults: bool = False,
    dry_run: bool = False,
) -> JSONResponse:
    """Take in a file of results: text/csv with a `mapping` (JSON), or a FHIR R4 Bundle of this patient.

    All of it or nothing: with `skip_faults` what is wrong is left out and named. `dry_run` records nothing.
    """
    key = idempotency_key(request)
    media, _ = parameters(request.headers.get("content-type", ""))
    body = b"".join([part async for part in stream_body(request, MOST_BYTES)])
    told = await take(service, who, case, File(media, body, mapping, skip_faults, dry_run), key)
    return JSONResponse(dict(told), CREATED if told["recorded"] else 200, headers=private())


@router.get("/cases/{case}/observations")
async def observations_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Return everything that was observed, as it was written, what contradicts what, and the files it came from."""
    state, _, now, visible = await seen_case(service, who, case, "observations", known_at)
    body = {
        "id": state.id,
        "observations": [{"id": name, **_one(state, name, visible)} for name in state.samples],
        "computed": _reckoned(state, now) if "clinical" in visible else [],
        "therapies": [{"id": name, **mask(one, visible)} for name, one in state.therapies.items()],
        "conflicts": conflicts(state) if "clinical" in visible else [],
        "files": [mask(one, EVERYTHING) for one in state.files],
        "masked": masked(visible),
        "as_known_at": (known_at or now).isoformat(),
    }
    return JSONResponse(body, headers=private())


def _reckoned(case: Case, now: datetime) -> Sequence[Mapping[str, Any]]:
    """What follows from what was measured, beside it: where a value was measured, that one counts."""
    return [reckoned_as_json(one) for one in reckoned(case, observed(case, now), now)]


def _one(case: Case, name: str, visible: Sees) -> Mapping[str, Any]:
    sample = case.samples[name]
    source = {"source": mask(sample.source, visible)} if sample.source else {}
    return {**mask(sample.observed, visible), "taken": mask(sample.taken, EVERYTHING), **source}
