"""Simulated hospitals are one pure function: the same every time, mostly good, never outside what hospitals may say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from activities.gateways import GatewayRefused, Request
from domain.stages.travel.arrangement_kinds import KINDS
from infra.hospitals.answers import answer_of, task_of
from infra.hospitals.codes import ASKED, SAYS
from infra.hospitals.fhir_map import request_of, task
from infra.hospitals.recall_tasks import WORDS
from rehearsal.hospitals.behaviour import DAY, behaviour, callback_id, spoken
from rehearsal.hospitals.book import Book, DueAnswer
from rehearsal.hospitals.desk import HospitalDesk
from rehearsal.hospitals.habits import HABITS, REFUSES
from rehearsal.hospitals.in_process import RehearsedHospital
from rehearsal.hospitals.speaker import LONGEST_WAIT, again
from tests.activities.effect_handlers.test_requests import ADDRESSING
from tests.domain.course import start
from tests.domain.journey import Journey
from tests.domain.stages.travel.any_arrangement import any_asked
from tests.domain.stages.travel.arranged import ask_admission, choose, newest

START = datetime(2026, 3, 1, tzinfo=UTC)
MANY = 3_000


def asking(effect: str, kind: str) -> Request:
    return Request(effect, kind, "case-1", "submission-1/1", "hospital", "centre-1")


def test_the_same_in_another_process_with_another_hash_seed() -> None:
    here = [repr(behaviour(3, f"e{n}", kind)) for n in range(20) for kind in HABITS]
    program = (
        "import json; from rehearsal.hospitals.behaviour import behaviour; "
        "from rehearsal.hospitals.habits import HABITS; "
        "print(json.dumps([repr(behaviour(3, f'e{n}', kind)) for n in range(20) for kind in HABITS]))"
    )
    env = {"PYTHONHASHSEED": "99", "PYTHONPATH": str(Path(__file__).parents[3])}
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=env, text=True)
    assert json.loads(there.stdout) == here


def test_another_seed_or_effect_is_another_mood() -> None:
    plans = {repr(behaviour(seed, effect, "submit_dossier")) for seed in range(5) for effect in "abcde"}
    assert len(plans) > 20


@pytest.mark.parametrize("kind", sorted(ASKED))
def test_whatever_is_said_is_a_command_hospitals_may_give(kind: str) -> None:
    for n in range(25):
        request = asking(f"e{n}", kind)
        for number, said in enumerate(behaviour(1, request.effect, kind).answers):
            command = spoken(said, request, START)
            sent = task_of(callback_id(request.effect, number), "case-1", command, in_reply_to=request.effect)
            assert answer_of(json.dumps(sent).encode()).command["type"] in SAYS


def test_mostly_good_and_now_and_then_everything() -> None:
    plans = [behaviour(1, f"e{n}", "submit_dossier") for n in range(MANY)]
    first = [p.answers[0].command["type"] if p.answers else "" for p in plans]
    assert 0.85 < sum(not p.troubles for p in plans) / MANY < 0.96
    assert {t for p in plans for t in p.troubles} == {
        "error", "error_kept", "hang", "hang_kept", "garbage_kept", "conflict_kept", "busy",
    }  # fmt: skip
    accepted = sum(any(s.command["type"] == "AcceptPatient" for s in p.answers) for p in plans) / MANY
    assert 0.66 < accepted < 0.80
    assert 0.005 < first.count("") / MANY < 0.06  # never
    assert any(s.copies > 1 for p in plans for s in p.answers)  # twice under one id
    assert any([s.after for s in p.answers] != sorted(s.after for s in p.answers) for p in plans)  # out of order
    assert max(s.after for p in plans for s in p.answers) > 8 * DAY  # slow


def test_every_kind_that_answers_is_one_a_hospital_is_sent() -> None:
    assert set(HABITS) | set(REFUSES) <= set(ASKED) | set(WORDS)


def test_what_only_the_moment_fills() -> None:
    thaw, bed = behaviour(1, "e1", "confirm_thaw").answers, [behaviour(1, f"e{n}", "hold_bed") for n in range(99)]
    request = Request("e1", "confirm_thaw", "case-1", "fact-1", "hospital", "centre-1", {"unit": "lot-7/3"})
    assert {spoken(said, request, START)["unit"] for said in thaw} == {"lot-7/3"}
    held = next(said for plan in bed for said in plan.answers if said.command["type"] == "HoldBed")
    assert spoken(held, request, START)["until"] == (START + timedelta(days=7)).isoformat()


async def test_a_rehearsal_uses_the_same_desk_on_its_own_clock() -> None:
    now, book = START, Book(":memory:")
    side = RehearsedHospital(HospitalDesk(book, 1), "centre-1", lambda: now)
    outcomes = []
    for n in range(400):
        request = asking(f"e{n}", "submit_dossier")
        try:
            outcomes.append((await side.send(request)).number)
        except GatewayRefused:
            outcomes.append("refused")
        except Exception:  # noqa: BLE001  unknown, as the port says
            receipt = await side.ask(request.effect)
            outcomes.append(receipt.number if receipt else "unknown")
    assert outcomes.count("refused") < 15
    kept = {e["effect"] for e in book.effects()}
    assert len(kept) == sum(o.startswith("Task/") for o in outcomes)
    assert not book.due(START)
    said = []
    now = START + timedelta(days=100)
    while due := book.due(now):
        for one in due:
            said.append(one.callback)
            book.delivered(one, 200, now, None, done=True)
    assert said == [a["callback"] for a in book.answers()]
    book.close()


def test_a_book_goes_on_where_a_rehearsal_ended_only_faster(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.sqlite", durable=False)
    desk = HospitalDesk(book, 1)
    for n in range(50):
        desk.receive(asking(f"e{n}", "submit_dossier"), START)
    end = START + timedelta(days=2)
    before = {a["callback"]: a["next_at"] for a in book.answers()}
    book.hasten(end, DAY)
    book.close()
    live = Book(tmp_path / "book.sqlite")
    for answer in live.answers():
        was = before[answer["callback"]]
        left = was - end.timestamp()
        assert answer["next_at"] == pytest.approx(end.timestamp() + left / DAY if left > 0 else was)
    live.close()


def test_what_is_due_next_is_due_at_that_instant(tmp_path: Path) -> None:
    """Instants are kept as floats: one rounded down would be looked for too early, again and again."""
    book = Book(tmp_path / "book.sqlite", durable=False)
    desk = HospitalDesk(book, 1)
    for n in range(100):
        desk.receive(asking(f"e{n}", "submit_dossier"), START)
    planned = {a["callback"]: a["next_at"] for a in book.answers()}
    rounded_down = 0
    while (at := book.next_due()) is not None:
        [due] = book.due(at, 1)
        kept = planned[due.callback]
        rounded_down += datetime.fromtimestamp(kept, UTC).timestamp() < kept
        book.delivered(due, 200, at, None, done=True)
    assert rounded_down > 20, "the plain rounding would have missed these"
    book.close()


def said(first_try: datetime | None = None, tries: int = 0) -> DueAnswer:
    return DueAnswer(
        "c", "e", "centre-1", "case-1", "s/1", {}, 1, 0, tries, first_try.timestamp() if first_try else None
    )


def test_a_no_is_final_unless_the_receiver_says_when_to_come_again() -> None:
    minute = timedelta(minutes=1)
    assert again(said(), 409, START) is None
    assert again(said(), 409, START, minute) == START + minute
    assert again(said(START, 20), 503, START + minute) == START + minute + LONGEST_WAIT
    assert again(said(START, 20), 503, START + timedelta(hours=13)) is None
    assert again(said(START, 20), 409, START + timedelta(days=6), minute) == START + timedelta(days=6) + LONGEST_WAIT
    assert again(said(START, 20), 409, START + timedelta(days=8), minute) is None


def arranged(j: Journey, kind: str, n: int) -> Mapping[str, Any]:
    """What the simulated centre says first to the newest request of that kind, read back as a callback is."""
    asked = j.asked(kind)[-1]
    request = ADDRESSING.hospital(j.case, replace(asked, id=f"e{n}"))
    read = request_of(task(request), request.centre)
    said = behaviour(1, read.effect, kind).answers
    return spoken(said[0], read, j.now) if said else {}


@pytest.mark.parametrize("kind", ["lodging", "interpreter", "transfer", "local_contact"])
def test_what_a_centre_says_of_an_arrangement_is_taken(kind: str) -> None:
    j = start("planned")
    j.tell(any_asked(j, [str(k) for k in KINDS].index(kind)))
    said = [arranged(j, "arrange_service", n) for n in range(30)]
    assert {one.get("type") for one in said} >= {"ConfirmArrangement", "RefuseArrangement"}
    for one in said:
        if one:
            j.fork().tell(TypeAdapter(SAYS[one["type"]]).validate_python(one))


def test_a_centre_offers_times_and_books_the_one_that_was_chosen() -> None:
    j = start("planned")
    ask_admission(j)
    offers = next(one for n in range(30) if (one := arranged(j, "book_appointment", n)).get("type") == "OfferSlots")
    j.tell(TypeAdapter(SAYS["OfferSlots"]).validate_python(offers))
    choose(j)
    booked = [arranged(j, "book_appointment", n) for n in range(30)]
    yes = next(one for one in booked if one.get("type") == "ConfirmArrangement")
    assert "OfferSlots" not in {one.get("type") for one in booked}
    j.tell(TypeAdapter(SAYS["ConfirmArrangement"]).validate_python(yes))
    assert newest(j).state == "confirmed"
