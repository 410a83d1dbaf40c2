"""The hospital fetches the very documents: while it is asked, by its own addresses, recorded, confirmed by digest."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Callable, Coroutine
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest

from activities.ports import DocumentLink
from api.routes import handing_over
from api.routes.handing_over import Look, handed
from api.run.http_app import documents
from api.run.wiring import Parts
from domain.core.errors import Refused
from domain.stages.eligibility.handing_over import SUMMARY
from domain.stages.eligibility.submissions import WithdrawSubmission
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.intake.people import WithdrawConsent
from domain.stages.records.records import RejectRecord
from infra.identity import sealed_text as sealing
from infra.identity.document_links import DocumentLinks, addresses
from tests.api.conftest import CANARY, Person
from tests.api.routes.test_callbacks import Hospital, events_of, hospital, keys, stranger
from tests.api.routes.test_commands import assert_problem
from tests.api.submitted import Submitted, submitted

__all__ = ["hospital", "keys", "stranger"]


@pytest.fixture
async def sent(here: Parts, hospital: Hospital) -> Submitted:
    return await submitted(here, hospital.id)


async def paths(sent: Submitted) -> dict[str, str]:
    """The document's name → the path of the address that goes out in the Task."""
    known = (await sent.state()).submissions[sent.submission]
    made = await addresses(sent.here.keys, "https://caravel.example/")(sent.id, known)
    assert all(one.startswith(f"https://caravel.example/hospitals/{sent.centre}/documents/") for one in made.values())
    return {name: urlsplit(one).path for name, one in made.items() if name != SUMMARY}


async def test_every_document_comes_back_as_it_was_and_each_look_is_recorded(
    sent: Submitted, nobody: httpx2.AsyncClient, supervisor: Person
) -> None:
    found = await paths(sent)
    assert set(found) == set(sent.files)
    for name, path in found.items():
        got = await nobody.get(path)
        assert got.status_code == 200, got.text
        assert got.content == sent.files[name]
        assert (got.headers["cache-control"], got.headers["referrer-policy"]) == ("no-store", "no-referrer")
        assert (await nobody.get(path)).content == sent.files[name], "a repeat is harmless"
    looks = (await supervisor.get(f"/cases/{sent.id}/looks")).json()["looks"]
    seen = [one for one in looks if one["actor"] == sent.centre]
    assert [(one["what"], one["purpose"]) for one in seen] == [("document", "treatment")] * 4
    noted = [e["data"] for e in await events_of(supervisor, sent.id) if e["type"] == "DocumentHandedOver"]
    assert {one["document"]: one["digest"] for one in noted} == {
        n: sha256(c).hexdigest() for n, c in sent.files.items()
    }
    assert len(noted) == 2, "noted once"


async def test_who_asks_for_the_head_alone_was_handed_nothing(
    sent: Submitted, nobody: httpx2.AsyncClient, supervisor: Person
) -> None:
    """As what scans mail for dangerous links does, or a proxy."""
    name, path = next(iter((await paths(sent)).items()))
    head = await nobody.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert not (await sent.state()).submissions[sent.submission].handed
    looks = (await supervisor.get(f"/cases/{sent.id}/looks")).json()["looks"]
    assert sent.centre not in {one["actor"] for one in looks}
    assert (await nobody.get(path)).content == sent.files[name]
    assert set((await sent.state()).submissions[sent.submission].handed) == {name}


async def test_nothing_of_an_address_can_be_read_or_made(
    sent: Submitted, here: Parts, stranger: Hospital, nobody: httpx2.AsyncClient
) -> None:
    path = next(iter((await paths(sent)).values()))
    assert not any(word in path for word in (sent.id, sent.submission, CANARY, *sent.files))
    assert_problem(await nobody.get(path.replace(sent.centre, stranger.id)), 404, "not_found")
    token = path.rpartition("/")[2]
    for wrong in (token[:-8] + "AAAAAAA=", "x", "a" * 3000, f"A{token}"):
        assert_problem(await nobody.get(path.replace(token, wrong)), 404, "not_found")
    typed = await here_form(here, sent)
    assert_problem(await nobody.get(path.replace(token, typed)), 404, "not_found")
    other = await DocumentLinks(here.keys).make(DocumentLink(sent.id, sent.centre, sent.submission, 1, "0" * 64))
    assert_problem(await nobody.get(path.replace(token, other)), 404, "not_found")


async def here_form(here: Parts, sent: Submitted) -> str:
    """The same words, sealed as what somebody typed in a form."""
    return await sealing.SealedText(here.keys).close(
        f'["{sent.id}","{sent.centre}","{sent.submission}",1,"{next(iter(sent.files))}"]'
    )


async def test_an_address_ends_by_itself(
    sent: Submitted, nobody: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = next(iter((await paths(sent)).values()))
    now = time.time()
    monkeypatch.setattr(sealing, "time", lambda: now + 3 * 86_400 + 5)
    assert_problem(await nobody.get(path), 404, "not_found")


ENDS: dict[str, Callable[[Submitted], Coroutine[Any, Any, Any]]] = {
    "consent to share": lambda s: s.tell(WithdrawConsent("share_with_hospital", s.patient, s.centre)),
    "consent to cross": lambda s: s.tell(WithdrawConsent("cross_border", s.patient, s.centre)),
    "withdrawn": lambda s: s.tell(WithdrawSubmission(s.submission)),
    "left": lambda s: s.tell(LeaveJourney("declined")),
}


@pytest.mark.parametrize("end", ENDS)
async def test_the_way_in_ends_at_once(
    end: str, sent: Submitted, nobody: httpx2.AsyncClient, hospital: Hospital, supervisor: Person
) -> None:
    found = await paths(sent)
    assert (await nobody.get(next(iter(found.values())))).status_code == 200
    await ENDS[end](sent)
    for path in found.values():
        gone = await nobody.get(path)
        assert_problem(gone, 410, "lapsed")
        assert not any(content in gone.content for content in sent.files.values())
    said = {"type": "ConfirmDossierRead", "submission": sent.submission, "digests": ["a" * 64]}
    assert (await hospital.say(sent.id, said)).status_code == 409
    looks = (await supervisor.get(f"/cases/{sent.id}/looks")).json()["looks"]
    assert [one["actor"] for one in looks].count(sent.centre) == 1, "what was not shown is no look"


@pytest.mark.parametrize("before", [0, 1], ids=["first", "again"])
async def test_consent_withdrawn_while_it_is_being_read_keeps_the_end_back(
    before: int, sent: Submitted, nobody: httpx2.AsyncClient, app: Any
) -> None:
    name = max(sent.files, key=lambda one: len(sent.files[one]))
    for _ in range(before):
        assert (await nobody.get((await paths(sent))[name])).content == sent.files[name]
    link = DocumentLink(sent.id, sent.centre, sent.submission, 1, name)
    answer = await handed(app.state.service, Look(sent.centre, "test"), link)
    parts: Any = aiter(answer.body_iterator)
    read = await anext(parts)
    await sent.tell(WithdrawConsent("share_with_hospital", sent.patient, sent.centre))
    rest = []

    async def go_on() -> None:
        async for part in parts:
            rest.append(part)  # noqa: PERF401 - what came before it broke off counts

    with pytest.raises(Refused, match="this request has ended"):
        await go_on()
    read += b"".join(rest)
    assert 0 < len(read) < len(sent.files[name])


async def test_a_document_that_was_rejected_since_is_not_opened_any_more(
    sent: Submitted, nobody: httpx2.AsyncClient
) -> None:
    found, [report, summary] = await paths(sent), list(sent.files)
    assert (await nobody.get(found[report])).status_code == 200
    await sent.tell(RejectRecord(next(iter((await sent.state()).records)), "wrong_patient"))
    gone = await nobody.get(found[report])
    assert_problem(gone, 410, "lapsed")
    assert sent.files[report] not in gone.content
    assert (await nobody.get(found[summary])).content == sent.files[summary], "the others stay"


async def test_the_hospital_names_what_it_read_and_a_wrong_digest_is_an_alarm(
    sent: Submitted, nobody: httpx2.AsyncClient, hospital: Hospital, supervisor: Person, dsn: str
) -> None:
    def confirm(*digests: str) -> dict[str, Any]:
        return {"type": "ConfirmDossierRead", "submission": sent.submission, "digests": list(digests)}

    early = await hospital.say(sent.id, confirm("a" * 64))
    assert_problem(early, 409, "not_now")
    bodies = [(await nobody.get(path)).content for path in (await paths(sent)).values()]
    digests = [sha256(body).hexdigest() for body in bodies]
    right = await hospital.say(sent.id, confirm(*digests))
    assert right.status_code == 200, right.text
    state = await sent.state()
    assert set(state.submissions[sent.submission].read) == set(sent.files)
    assert "misread_dossier" not in {o.kind for o in state.obligations.values()}
    wrong = await hospital.say(sent.id, confirm(digests[0], "f" * 64))
    assert wrong.status_code == 200, wrong.text
    owed = [o for o in (await sent.state()).obligations.values() if o.kind == "misread_dossier"]
    assert [o.about for o in owed] == [sent.submission]
    for bad in ("F" * 64, "x"):
        assert (await hospital.say(sent.id, confirm(bad))).status_code in (400, 422)
    settled = await supervisor.send(
        sent.id, "ExplainMisreading", submission=sent.submission, explanation="an older copy in their archive"
    )
    assert settled.is_success, settled.text
    assert not any(o.kind == "misread_dossier" and o.state == "open" for o in (await sent.state()).obligations.values())
    connection = await asyncpg.connect(dsn)
    kept = str(await connection.fetch("select data, meta from event where stream = $1", sent.id))
    await connection.close()
    assert not any(digest in kept for digest in digests), "the digest of what was read is sealed"


async def test_five_at_once_note_it_once(sent: Submitted, nobody: httpx2.AsyncClient, supervisor: Person) -> None:
    path = next(iter((await paths(sent)).values()))
    got = await asyncio.gather(*(nobody.get(path) for _ in range(5)))
    assert {one.status_code for one in got} == {200}
    types = [e["type"] for e in await events_of(supervisor, sent.id)]
    assert types.count("DocumentHandedOver") == 1


async def test_a_document_that_was_erased_is_gone_and_says_so(
    sent: Submitted, here: Parts, nobody: httpx2.AsyncClient
) -> None:
    found = await paths(sent)
    await here.keys.destroy(sent.id, "clinical")
    for path in found.values():
        assert (await nobody.get(path)).status_code == 410


async def test_a_large_document_passes_through_in_pieces(sent: Submitted, app: Any, here: Parts) -> None:
    """64 MiB: at no time is a sixth of it held. The control holds all of it."""
    size, piece = 64 << 20, bytes(1 << 20)

    async def content() -> Any:
        for _ in range(size // len(piece)):
            yield piece

    name = (await documents(here).keep(sent.id, "clinical", "application/pdf", content())).name
    service = replace(app.state.service, commands=_Known(sent, name))
    answer = await handed(service, Look(sent.centre, "test"), DocumentLink(sent.id, sent.centre, "s", 1, name))
    tracemalloc.start()
    read = 0
    async for part in answer.body_iterator:
        read += len(part)
    most = tracemalloc.get_traced_memory()[1]
    held = b"".join([piece for _ in range(size // len(piece))])
    control = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read == len(held) == size
    assert most < size / 6 < control


class _Known:
    """Commands of a case whose submission holds one more document than it was sent."""

    def __init__(self, sent: Submitted, name: str) -> None:
        self._sent, self._name = sent, name

    async def case(self, _: str) -> Any:
        state = await self._sent.state()
        known = state.submissions[self._sent.submission]
        known = replace(known, id="s", documents=(self._name,), handed={self._name: "a" * 64})
        return replace(state, submissions={"s": known}), (), None


def test_the_digest_is_noted_before_the_end_leaves() -> None:
    """Whoever has all of a document is one of whom the ledger knows it."""

    async def run() -> list[object]:
        seen: list[object] = []

        async def pieces() -> Any:
            for part in (b"a", b"b", b"c"):
                yield part

        async def note(digest: str) -> None:
            seen.append(digest)

        async for part in handing_over._noted(pieces(), note):
            seen.append(part)  # noqa: PERF401 - in the order in which they come, the note among them
        return seen

    assert asyncio.run(run()) == [b"a", b"b", sha256(b"abc").hexdigest(), b"c"]
