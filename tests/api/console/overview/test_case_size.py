"""A case's page stays small when the case is full: every case of a rehearsed cohort, treated ones among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.console.text.times import apart
from api.ports import DevSignIn
from api.run.http_app import http_app
from api.run.wiring import parts
from rehearsal.cohort.cohort_run import rehearse_cohort
from tests.api.conftest import HOST, NO_LIMIT, SECRET, settings
from tests.api.console.conftest import browsing
from tests.conftest import fresh

MOST = 56_000
"""Bytes of the page, without the criteria: those are as many as a protocol has."""
WITH_CRITERIA = 64_000
CRITERIA = re.compile(r'<section aria-labelledby="h-criteria-.*?</section>', re.DOTALL)
CASES = "select distinct stream from event where stream like 'case-%'"
BEGAN = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - theirs


@given(INSTANTS)
def test_instants_of_a_slider_add_up_again(instants: Sequence[datetime]) -> None:
    at, read = BEGAN, list[datetime]()
    for step in apart(instants):
        at += timedelta(microseconds=int(step, 36))
        read.append(at)
    assert read == instants


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_the_page_of_every_case_of_a_cohort_is_small(postgres: str, tmp_path: Path) -> None:
    dsn = await fresh(postgres, "case_size")
    await rehearse_cohort(16, 5, timedelta(days=300), database=dsn, folder=tmp_path, alive=True)
    async with parts(settings(dsn, tmp_path, kind="rehearsal", installation="rehearsal")) as here:
        app = http_app(here, dev=DevSignIn(SECRET, frozenset({HOST})), limits=NO_LIMIT)
        async with app.router.lifespan_context(app):
            one = await browsing(app, "person-coordinator")
            rows = await here.ledger.pool.fetch(CASES)
            pages = [await one.get(f"/console/cases/{row['stream']}") for row in rows]
    assert [page.status_code for page in pages] == [200] * 16
    sizes = [len(page.content) for page in pages]
    assert max(sizes) > MOST / 2, "control: some of them are full"
    assert max(len(CRITERIA.sub("", page.text).encode()) for page in pages) <= MOST
    assert max(sizes) <= WITH_CRITERIA, sizes
