"""Says which trace a look belongs to: that of the nudge or the effect that called for it, else one of its own.

Nothing here is held open across an await: a loop that leaves its worker's memory is ended in another context.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import get_current_span, get_tracer, set_span_in_context

TRACER = get_tracer("caravel")
"""Makes nothing until a process has a provider."""


def begun(name: str, case: str, cause: Context) -> Context:
    """Begin a new span below `cause`, for what belongs to it."""
    return set_span_in_context(TRACER.start_span(name, cause, attributes={"caravel.case": case}), cause)


def ended(begun: Context) -> None:
    """End the span of a look that `begun` started."""
    get_current_span(begun).end()


@contextmanager
def within(cause: Context) -> Iterator[None]:
    """Let every span that starts inside belong to `cause`."""
    token = attach(cause)
    try:
        yield
    finally:
        detach(token)
