"""Names what the API needs from outside; api/run/http_app.py hands it in, with plain arguments.

Only api/run/ and the command line see infra/, which implements most of it, often under the name it has here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from activities.access_log import Looks
from activities.command_handler import CommandHandler
from activities.doses.genealogy import Genealogy
from activities.effect_handlers.requests import Reader
from activities.effect_handlers.reserving import DoseStock
from activities.following.dose_turns import DoseTurns
from activities.gateways import Answer
from activities.ports import DocumentLink, Documents, HealthLinks, PartialUploads, Scanner
from domain.core.policy import Party
from domain.history.figures import RecordedEvent
from domain.roles import Actor

Cursor = tuple[datetime | None, str, bool]
"""Where a page ended: the instant of its order, the case, and whether that one is pressing."""
TaskPlace = tuple[int, datetime, str]
"""Where a page of tasks ended: the part of the list, the instant of its order, the obligation."""


class Untrusted(Exception):
    """A callback that is not the hospital's own, was changed, or is too old; `reason` is safe to show."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Malformed(Untrusted):
    """A callback that is the hospital's own and says nothing we can use."""


class Sessions(Protocol):
    """Sign-ins, known to every process."""

    async def open(self, actor: str, kind: str, lasts: timedelta) -> str: ...
    async def find(self, token: str) -> Mapping[str, Any] | None: ...
    async def close(self, token: str) -> None: ...


class Capabilities(Protocol):
    """Makes and takes one-question links."""

    async def issue(
        self,
        stream: str,
        effect: str,
        actor: str,
        question: str,
        commands: Sequence[str],
        fixed: Mapping[str, str],
        zone: str,
        until: datetime,
    ) -> str: ...
    async def clear(self, stream: str) -> None: ...
    async def find(self, token: str) -> Mapping[str, Any] | None: ...
    async def use(self, token: str) -> None: ...


class Visits(Protocol):
    """Opens visits behind a link by codes, and says whether one goes on; `link` is the link's row."""

    async def code(self, token: str, link: Mapping[str, Any]) -> str | None: ...
    async def enter(self, token: str, code: str, link: Mapping[str, Any]) -> str | None: ...
    async def inside(self, token: str, secret: str) -> bool: ...


CodeMail = Callable[[str, str, str, str, str], Awaitable[None]]
"""(what it opens: dossier or translation, case number, address, language, code): send the code of a visit.

Raises GatewayRefused, Unreachable, others.
"""


class Typesetting(Protocol):
    """Sets labels and reports as PDF, the same bytes for the same input."""

    async def label(self, label: Mapping[str, Any], message: str) -> bytes: ...

    async def report(self, report: Mapping[str, Any]) -> bytes: ...


class DocumentLinks(Protocol):
    """Reads what the address of a document stands for; raises ValueError for what was not made here, or ended."""

    async def read(self, token: str) -> DocumentLink: ...


class WorklistQueries(Protocol):
    """Reads the read models."""

    async def worklist(
        self,
        scope: tuple[str, str, str],
        filters: Mapping[str, Any],
        after: Cursor | None,
        limit: int,
        order: str = "due",
    ) -> Sequence[dict[str, Any]]: ...
    async def then(self, scope: tuple[str, str, str], known_at: datetime) -> Sequence[tuple[dict[str, Any], int]]: ...
    async def tally(self, scope: tuple[str, str, str], actor: str, team: str) -> Sequence[dict[str, Any]]: ...
    async def rows(self, streams: Sequence[str]) -> Sequence[dict[str, Any]]: ...
    async def streams(self) -> Sequence[str]: ...
    async def detail(self, stream: str, text: str) -> Any: ...  # noqa: ANN401 - JSON
    async def case_of(self, number: str) -> str | None: ...
    async def belongings(self, streams: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...


class TaskQueries(Protocol):
    """Reads open obligations with their cases; `reader` is who asks, and the role they owe things as."""

    async def tasks(
        self,
        scope: tuple[str, str, str],
        reader: tuple[str, str],
        whose: str,
        filters: Mapping[str, Any],
        after: TaskPlace | None,
        limit: int,
    ) -> Sequence[dict[str, Any]]: ...
    async def tally(self, scope: tuple[str, str, str], reader: tuple[str, str]) -> Mapping[str, int]: ...


class RegisterQueries(Protocol):
    """Reads of lots, protocols, centres and persons, from their read models."""

    async def catalogue(self, prefix: str, after: str, limit: int) -> Sequence[dict[str, Any]]: ...
    async def lying(self, store: str) -> Sequence[str]:
        """Name the lots of which a unit lies or lay in a store."""

    async def released(self, products: Collection[str]) -> Sequence[tuple[str, int]]:
        """Name the released lots of these products, with their versions."""

    async def watching(self, stream: str) -> Sequence[str]: ...
    async def described(self, prefix: str, after: str, limit: int) -> Sequence[dict[str, Any]]: ...
    async def changes(self) -> Sequence[str]: ...


class AccessLogQueries(Protocol):
    """Reads of who looked at a case."""

    async def looks(self, stream: str, before: int, limit: int) -> Sequence[dict[str, Any]]: ...


class ChangeQueries(Protocol):
    """Reads of what was recorded lately."""

    async def head(self) -> int: ...
    async def changes(self, after: int, limit: int) -> Sequence[tuple[int, str, int]]: ...


class SignsIn(Protocol):
    """An identity provider that people are sent to (authorization code with PKCE)."""

    async def address(self, back: str, state: str, nonce: str, challenge: str) -> str: ...
    async def person(self, back: str, code: str, verifier: str, nonce: str) -> str | None: ...


class Seal(Protocol):
    """Makes text unreadable to whoever holds it, and readable again here; opening raises ValueError."""

    async def close(self, text: str) -> str: ...
    async def open(self, sealed: str) -> str: ...


class Audit(Protocol):
    """Reads checkpoints and proofs."""

    async def exposure(self) -> Mapping[str, Any]: ...
    async def nightly(self) -> Mapping[str, Any]: ...
    async def checkpoints(self, after: int, limit: int) -> Sequence[Mapping[str, Any]]: ...
    async def inclusion(self, stream: str, version: int, size: int | None) -> Mapping[str, Any]: ...
    async def consistency(self, old: int, new: int) -> Mapping[str, Any]: ...


class Packed(Protocol):
    """Holds a package before its readable parts are written."""

    @property
    def log(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def lines(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def size(self) -> int: ...
    @property
    def newest(self) -> int: ...
    @property
    def exposure(self) -> Mapping[str, Any]: ...


Papers = Callable[[Packed], Mapping[str, bytes]]
"""The readable parts of a package."""


class Packages(Protocol):
    """Makes of one case a file that proves itself. Raises Refused."""

    async def make(self, stream: str, upto: int, level: str, wait: float, at: str, papers: Papers) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Check:
    """A verification: running, holds, broken, failed, or left when its process ended before it did.

    `position`, `stream` and `version`: where it first breaks.
    """

    id: str
    case: str
    state: str = "running"
    done: int = 0
    of: int = 0
    covered: int = 0
    checkpoints: int = 0
    away: tuple[str, ...] = ()
    kind: str = ""
    says: str = ""
    detail: str = ""
    position: int = 0
    stream: str = ""
    version: int = 0


class Checks(Protocol):
    """Verifies history, one at a time in all processes together."""

    async def start(self, case: str) -> Check: ...
    async def find(self, check: str) -> Check | None: ...
    async def newest(self) -> Sequence[Check]: ...
    async def stop(self) -> None: ...


class Operations(Protocol):
    """Reads what operators look at: bounded lists, and figures of the newest events."""

    async def unattended(self) -> Sequence[Mapping[str, Any]]: ...
    async def late(self) -> Sequence[Mapping[str, Any]]: ...
    async def effects(self) -> Sequence[Mapping[str, Any]]: ...
    async def past_lease(self) -> Sequence[Mapping[str, Any]]: ...
    async def callbacks(self) -> Sequence[Mapping[str, Any]]: ...
    async def stages(self) -> Sequence[Mapping[str, Any]]: ...
    async def waiting(self) -> Sequence[Mapping[str, Any]]: ...
    async def reminders(self) -> Sequence[Mapping[str, Any]]: ...
    async def workers(self) -> Sequence[Mapping[str, Any]] | None: ...
    async def leads(self) -> Mapping[str, Mapping[str, Any]]: ...
    async def doubt(self) -> str: ...


class FigureQueries(Protocol):
    """Reads what figures for managers are made of."""

    async def recorded(self, first: datetime, until: datetime, known_at: datetime) -> Iterator[RecordedEvent]: ...
    async def numbers(self, streams: Sequence[str]) -> Sequence[tuple[str, str]]: ...


class Bell(Protocol):
    """Waits until something was recorded, or for a while."""

    async def __call__(self) -> None: ...


SignedBy = Callable[[str, Sequence[tuple[str, str]], str, datetime], None]
"""(the centre's key, header lines, path, now): whether the headers are the centre's own. Raises Untrusted."""

OpenCallback = Callable[[str, Sequence[tuple[str, str]], str, bytes, datetime], Answer]
"""(the centre's key, header lines, path, body, now) → what it says. Raises Untrusted, Malformed."""

Reject = Callable[[str, str, bytes, int], Awaitable[None]]
"""(centre, reason, SHA-256 of the body, its size): note a callback that was not believed."""

Probe = Callable[[], Awaitable[bool]]
"""Whether something outside answers."""


@dataclass(frozen=True, slots=True)
class DevSignIn:
    """Exists only inside `caravel up` on a ledger that is not a production one; `secret` stands in the ready URL."""

    secret: str
    hosts: frozenset[str]
    lasts: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests a minute, reads and writes alike; 0 = no limit. `address`: of strangers at it; `sign_in`: tries there.

    Bytes of one document. Open streams of one person, and of all.
    """

    actor: int = 1200
    address: int = 2400
    sign_in: int = 30
    document: int = 2 * 1024**3
    streams: int = 24
    streams_in_all: int = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Everything the app is made of."""

    commands: CommandHandler
    worklist: WorklistQueries
    tasks: TaskQueries
    registers: RegisterQueries
    genealogy: Genealogy
    stock: DoseStock
    turns: DoseTurns
    access_log: AccessLogQueries
    changes: ChangeQueries
    audit: Audit
    packages: Packages
    looks: Looks
    checks: Checks
    operations: Operations
    figures: FigureQueries
    sessions: Sessions
    capabilities: Capabilities
    documents: Documents
    uploads: PartialUploads
    document_links: DocumentLinks
    health_links: HealthLinks
    papers: Typesetting
    visits: Visits
    code_mail: CodeMail
    desk: Callable[[Party], Awaitable[Reader | None]]
    """Where the mail of a role goes; None = nobody is there."""
    signed_by: SignedBy
    open_callback: OpenCallback
    reject: Reject
    bell: Bell
    gauges: Callable[[], Awaitable[Mapping[str, Any]]]
    needed: Mapping[str, Probe]
    """Without these nothing can be recorded: database, schema."""
    wanted: Mapping[str, Probe]
    """Without these commands are recorded and wait: Temporal, courier."""
    fresh_stream: Callable[[str], str]
    clock: Callable[[], datetime]
    person_of_jwt: Callable[[str], Awaitable[str | None]] | None = None
    """The person's stream that a bearer JWT stands for; None = not believed."""
    dev: DevSignIn | None = None
    signs_in: SignsIn | None = None
    seal: Seal
    """For what somebody typed whose session had ended; it travels in their own page."""
    scanner: Scanner | None = None
    """What looks at documents for viruses as they come in; None = nothing does."""
    unscanned: Literal["refuse", "take"] = "refuse"
    """What becomes of a document that the scanner could not look at."""
    public_url: str = ""
    temporal_ui: str = ""
    """Where a case's workflow is looked at: the address before its id; empty = nowhere."""
    checkpoint_places: str = ""
    open_pages: bool = True
    """Whether /docs, /openapi.json and /metrics are for everybody; else for whoever has signed in."""
    limits: Limits = Limits()
    local: Actor | None = None
    """Who every request comes from: only in an app that is called in process and never listens."""
