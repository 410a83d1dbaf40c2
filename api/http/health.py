"""Says whether the process lives and can record, with figures for Prometheus: counts and ages, nobody's data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, Histogram, generate_latest

from api.http.auth import Parts, open_page
from api.ports import Probe, Service

router = APIRouter(tags=["operations"])
PATIENCE = 3.0
UNAVAILABLE = "unavailable"
BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Figures:
    """The metrics of one app; ages and counts are asked of the database at every scrape."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._latency = Histogram(
            "caravel_http_seconds", "Time to the answer", labels, buckets=BUCKETS, registry=self.registry
        )
        self._plain = {
            "oldest_unattended": self._gauge(
                "caravel_oldest_unattended_case_seconds", "Oldest case nobody has seen to"
            ),
            "oldest_overdue": self._gauge(
                "caravel_oldest_overdue_obligation_seconds", "What is late the longest, missed or not"
            ),
            "oldest_unwoken": self._gauge(
                "caravel_oldest_unwoken_case_seconds", "Oldest case whose hour came and that nobody looked at"
            ),
            "claims_past_lease": self._gauge("caravel_claims_past_lease", "Attempts whose end nobody knows"),
            "exposed_seconds": self._gauge("caravel_exposed_seconds", "Age of the oldest event no checkpoint covers"),
            "exposed_events": self._gauge("caravel_exposed_events", "Events no checkpoint kept outside covers"),
            "sealing_refused": self._gauge("caravel_sealing_refused", "1 = history is not as it was sealed"),
            "sinks_failing": self._gauge("caravel_checkpoint_sinks_failing", "Places of checkpoints that are away"),
        }
        self._labelled = {
            "effects": self._gauge("caravel_effects", "Effects refused or unknown", ("kind", "state")),
            "open_cases": self._gauge("caravel_open_cases", "Open cases", ("stage",)),
            "nightly": self._gauge("caravel_nightly_fine", "1 = the chore of the night found all well", ("chore",)),
            "nightly_age": self._gauge("caravel_nightly_age_seconds", "Since it was carried out", ("chore",)),
            "drift": self._gauge("caravel_drift", "Where ledger and Temporal differed last night", ("kind",)),
        }

    def _gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request as answered. `method` is one of METHODS or other, `route` the template, never an address."""
        self._latency.labels(method, route, str(status)).observe(seconds)

    def page(self, figures: Mapping[str, object]) -> bytes:
        """Write the text Prometheus reads."""
        for name, gauge in self._plain.items():
            gauge.set(float(str(figures[name])))
        for name, gauge in self._labelled.items():
            counts = figures[name]
            gauge.clear()
            assert isinstance(counts, Mapping)
            for labels, number in counts.items():
                gauge.labels(*([labels] if isinstance(labels, str) else labels)).set(number)
        return generate_latest(self.registry)


@router.get("/healthz")
async def healthz() -> Mapping[str, str]:
    """The process is alive."""
    return {"status": "alive"}


class Readiness:
    """Asks whether things can be recorded, once for all who ask at the same time: strangers may ask as they like."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._asking: asyncio.Task[Mapping[str, object]] | None = None

    async def now(self) -> Mapping[str, object]:
        """Return what is found, by whoever began to look."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._look())
        return await asyncio.shield(self._asking)

    async def _look(self) -> Mapping[str, object]:
        service = self._service
        needed, wanted = await answering(service.needed), await answering(service.wanted)
        ready = all(needed.values())
        status = "ready" if ready and all(wanted.values()) else "degraded" if ready else UNAVAILABLE
        shown = {name: "ok" if fine else "away" for name, fine in {**needed, **wanted}.items()}
        told = {"status": status, "parts": shown, "leaders": await _told(service.operations.leads, {})}
        doubt = await _told(service.operations.doubt, "")
        ending = service.commands.policy.ending(datetime.now(UTC))
        return told | ({"clock": doubt} if doubt else {}) | ({"calendars": ending} if ending else {})


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """503 while nothing can be read. Without Temporal or courier commands are recorded and wait: degraded.

    So it is while a clock is wrong (`clock` says which): then nothing is recorded, and reads go on. `leaders` says of
    courier and sealer who it is, since when, and when one was last lost; `calendars` of which countries holidays are
    known for less than two years more.
    """
    readiness: Readiness = request.app.state.readiness
    told = await readiness.now()
    code = 503 if told["status"] == UNAVAILABLE else 200
    return JSONResponse(jsonable_encoder(told), code, {"Cache-Control": "no-store"})


async def _told(ask: Callable[[], Awaitable[object]], otherwise: object) -> object:
    """Ask the database, which may be away."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await ask()
    except Exception:  # noqa: BLE001 - as below
        return otherwise


async def answering(probes: Mapping[str, Probe]) -> dict[str, bool]:
    """Ask each probe and return which of them answer."""
    answers = await asyncio.gather(*(_answers(probe) for probe in probes.values()))
    return dict(zip(probes, answers, strict=True))


async def _answers(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await probe()
    except Exception:  # noqa: BLE001 - whatever it says, it does not answer
        return False


@router.get("/metrics", dependencies=[Depends(open_page)])
async def metrics(request: Request, service: Parts) -> Response:
    """Return the metrics as Prometheus reads them."""
    figures: Figures = request.app.state.figures
    return Response(figures.page(await service.gauges()), media_type=CONTENT_TYPE_LATEST)
