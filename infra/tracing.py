"""Traces over OTLP/HTTP when OTEL_EXPORTER_OTLP_ENDPOINT is set; otherwise nothing is made, kept or sent.

What leaves is held against a list: route, status, opaque ids and codes. Addresses, headers and error texts, which the
libraries put into their spans, do not leave.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.contrib.opentelemetry import OpenTelemetryInterceptor, create_tracer_provider
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

ENDPOINT = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
TRACER = trace.get_tracer("caravel")
LEAVES = frozenset({"http.request.method", "http.route", "http.response.status_code", "error.type"})
OURS = "caravel."
_W3C = TraceContextTextMapPropagator()
_on = False


def configure_traces(service: str) -> bool:
    """Begin to send this process's spans, if somebody is named to send them to; whether they are sent."""
    global _on  # noqa: PLW0603 - a process has one tracer provider
    if not _on and any(os.environ.get(name) for name in ENDPOINT):
        resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME") or service})
        provider = create_tracer_provider(resource=resource)
        provider.add_span_processor(BatchSpanProcessor(Listed(OTLPSpanExporter())))
        trace.set_tracer_provider(provider)
        _on = True
    return _on


def interceptors() -> Sequence[ClientInterceptor]:
    """Return interceptors for a Temporal client and its workers, which carry the trace context. None while off."""
    return [OpenTelemetryInterceptor(), ActivitySpans()] if _on else []


def tracing() -> bool:
    """Return whether this process sends its spans."""
    return _on


def parent_here() -> str:
    """Return the present span as a W3C traceparent; empty where there is none."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent", "")


def context_of(parent: str) -> Context:
    """Return the context a kept traceparent stands for; without a span for an empty one."""
    return _W3C.extract({"traceparent": parent}, Context())


class Listed(SpanExporter):
    """Hands on spans with nothing but what is on the list."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch of spans."""
        return self._inner.export([_listed(span) for span in spans])

    def shutdown(self) -> None:
        """Stop sending spans."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send the spans that wait."""
        return self._inner.force_flush(timeout_millis)


def _listed(span: ReadableSpan) -> ReadableSpan:
    known = {name: value for name, value in (span.attributes or {}).items() if name in LEAVES or name.startswith(OURS)}
    return ReadableSpan(
        name=span.name,
        context=_bare(span.context),
        parent=_bare(span.parent),
        resource=span.resource,
        attributes=known,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _bare(context: SpanContext | None) -> SpanContext | None:
    """Without the caller's tracestate, which may say anything."""
    return context and SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


class ActivitySpans(ClientInterceptor, Interceptor):
    """A span for every activity, in the context that came with it."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - as there
        """Put our interceptor in front of the next."""
        return _ActivitySpan(next)


class _ActivitySpan(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> object:  # noqa: A002 - as there
        info = activity.info()
        about: dict[str, str | int] = {"caravel.case": info.workflow_id or "", "caravel.attempt": info.attempt}
        if effect := getattr(input.args[0] if input.args else None, "effect", ""):
            about["caravel.effect"] = effect
        with TRACER.start_as_current_span(
            f"activity {info.activity_type}", attributes=about, record_exception=False, set_status_on_exception=False
        ):
            return await super().execute_activity(input)
