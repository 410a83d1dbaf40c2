"""Names what activities need from outside; infra/ implements it, and activities may not see infra/."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from domain.case.erasure import Tombstone
from domain.core.fact import Draft, Fact
from domain.core.personal import KeyClass


@dataclass(frozen=True, slots=True)
class Meta:
    """Says who recorded something and why; kept with every event. It carries opaque ids only, no personal data."""

    actor: str
    purpose: str = "care_coordination"
    on_behalf_of: str | None = None
    key: str | None = None
    causation: str | None = None
    provenance: str = ""


@dataclass(frozen=True, slots=True)
class CommandKey:
    """An idempotency key: (actor, key) is remembered with the SHA-256 of the command's body."""

    actor: str
    key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Remembered:
    """A command that was recorded before: the versions it wrote in its stream (first > last when it wrote none).

    `body` is what was kept of its digest; `kept` makes the same of another's. Older ledgers kept the digest itself.
    """

    body: bytes
    stream: str
    first: int
    last: int
    kept: Callable[[bytes], bytes] = bytes

    def is_of(self, body: bytes) -> bool:
        """Return whether it was the command with this digest."""
        return self.body in (body, self.kept(body))


@dataclass(frozen=True, slots=True)
class WatchedSource:
    """A lot, protocol, centre or person as its read model shows it."""

    stream: str
    version: int
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Holds one stream as of one instant. `sources` are the streams it watches; `now` is the database's clock.

    `woken` counts how often a watched stream has called; hand it back in Attention, else a call that came meanwhile
    would be taken for answered.
    """

    stream: str
    facts: Sequence[Fact[Any]]
    now: datetime
    remembered: Remembered | None = None
    sources: Sequence[WatchedSource] = ()
    epoch: int = 0
    woken: int = 0


@dataclass(frozen=True, slots=True)
class Attention:
    """Tells the courier what it must know of a case after this append.

    `attended` is true when the engine itself has just looked (record(case, None)); `wake_at` is the next instant
    at which time alone changes something, None = never; `ended` = nothing is open, the loop may return;
    `grace` = how long the courier waits before it nudges for this append (zero for what people and hospitals wrote);
    `woken` = Loaded.woken of the load this rests on.
    """

    attended: bool = False
    wake_at: datetime | None = None
    ended: bool = False
    grace: timedelta = timedelta(0)
    epoch: int | None = None
    woken: int = 0


@dataclass(frozen=True, slots=True)
class Views:
    """Read model rows of one stream, a pure function of its state; None = this stream has no such row.

    A case's `opened_at` or `stage_since` and an effect's `requested_at` of None become the instant of recording.
    Obligations, effects and watch are None where they are as they were before this append.
    """

    case: Mapping[str, Any] | None = None
    obligations: Sequence[Mapping[str, Any]] | None = ()
    effects: Sequence[Mapping[str, Any]] | None = ()
    watch: Sequence[str] | None = ()
    source: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Append:
    """All that one command writes, in one transaction. No drafts is allowed: then only attention is written.

    `calls` = whoever watches this stream must look, since something of it that is noted may have changed.
    `placing` = the store a unit is put into, and the position of the ledger before what lies there was read: it
    conflicts with whatever was put there since.
    """

    stream: str
    expected: int
    drafts: Sequence[Draft[Any]]
    meta: Meta
    views: Views = field(default_factory=Views)
    command: CommandKey | None = None
    attention: Attention | None = None
    at: datetime | None = None
    calls: bool = True
    placing: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make one attempt of an effect until `lease_until`. `attempt` counts from 1.

    `before` is how many earlier attempts ended without a recorded outcome: the far side may have seen them.
    """

    effect: str
    attempt: int
    lease_until: datetime
    before: int


@dataclass(frozen=True, slots=True)
class ChoreFinding:
    """Tells what a nightly chore found: whether all is well, and what was seen; counts, positions, opaque ids."""

    fine: bool
    says: Mapping[str, Any]


class CatalogueSpan(NamedTuple):
    """The changes to follow: all after `done`, to `upto`."""

    done: int
    upto: int


class CatalogueChange(NamedTuple):
    """One event of a protocol or centre."""

    stream: str
    version: int
    position: int


class VersionConflict(Exception):
    """The stream has moved on since it was loaded; load again and decide again."""


class ClaimHeld(Exception):
    """Another attempt of this effect is under way; its lease ends in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"another attempt is under way for {seconds:.1f} s")
        self.seconds = seconds


class Ledger(Protocol):
    """The append-only event store and what commits together with it."""

    async def load(self, stream: str, *, after: int = 0, command: tuple[str, str] | None = None) -> Loaded:
        """Load the facts of a stream after a version, what is remembered of (actor, key), and its watched sources.

        Raises Refused(NEWER_THAN_ME) when the stream holds a type or schema version this program does not know.
        """

    async def sources(self, streams: Sequence[str]) -> Sequence[WatchedSource]:
        """Return the named lots, protocols, centres and persons that exist."""

    async def streams(self, prefix: str) -> Sequence[str]:
        """Return the lots, protocols, centres or persons there are, by the beginning of their name."""

    async def last_version(self, stream: str) -> int:
        """Return the version a stream stands at; 0 when it has no event."""

    async def append(self, append: Append) -> Sequence[Fact[Any]]:
        """Record, durably, all or nothing. Raises VersionConflict, Refused(KEY_REUSED | SUPERSEDED | READ_ONLY)."""

    async def claim(self, case: str, effect: str, *, expected: int, epoch: int, lease: timedelta) -> Claim:
        """Claim one attempt of an effect. Raises VersionConflict, ClaimHeld, Refused(SUPERSEDED)."""

    async def release(self, effect: str, attempt: int) -> None:
        """End a claim; called with the recorded outcome."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """256 bits that seal one key class of one stream."""

    id: str
    secret: bytes = field(repr=False)


Keyring = Mapping[KeyClass, DataKey | None]
"""The keys of one stream by key class: None = destroyed, absent = not on this machine."""


class Keys(Protocol):
    """Data keys, kept outside the database. A destroyed key is never made again."""

    async def for_sealing(self, stream: str, classes: Collection[KeyClass]) -> Mapping[KeyClass, DataKey]:
        """Return the keys of these classes but destroyed ones; what does not exist yet is made, durable on return.

        Raises Refused(READ_ONLY) where none may be made, since the keys of this ledger are somewhere else.
        """

    async def for_opening(self, stream: str) -> Keyring:
        """Return the keys this stream has, and which were destroyed."""

    async def destroy(self, stream: str, key_class: KeyClass, stone: Tombstone | None = None) -> None:
        """Make everything sealed with this key unreadable, for good; `stone` is kept with it. Can be repeated.

        Raises OSError where the list of destroyed keys cannot be written; then nothing was destroyed.
        """


class DocumentMissing(Exception):
    """The store does not have the document."""


class DocumentChanged(Exception):
    """The store has other bytes under this name than were kept."""


class DocumentErased(Exception):
    """The case's key of this class was destroyed."""


class DocumentKeyless(Exception):
    """The key of this document is not on this machine."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored document. `name` is the SHA-256 of its ciphertext; `same` is equal for equal contents of one case."""

    name: str
    size: int
    same: bytes


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """A document whose stored bytes are the ones that were kept."""

    key_class: KeyClass
    media_type: str
    content: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class DocumentLink:
    """Says what an address of a document stands for: one document, as it was submitted to one centre in one round."""

    case: str
    centre: str
    submission: str
    round: int
    document: str


class Documents(Protocol):
    """Documents of cases, kept encrypted outside the database."""

    async def keep(self, case: str, key_class: KeyClass, media_type: str, content: AsyncIterable[bytes]) -> Kept:
        """Encrypt and store, durably. Raises DocumentErased."""

    async def open(self, case: str, name: str, *, aside: bool = False) -> OpenedDocument:
        """Check and open. Raises DocumentMissing, DocumentChanged, DocumentErased, DocumentKeyless."""

    async def put_aside(self, name: str) -> None:
        """Keep what no case came to name for another try within a day; it is opened as `aside`."""

    async def remove(self, name: str) -> None:
        """Take away what no case came to name."""


class LinkUnusable(Exception):
    """A link that cannot be opened: why, which of link, passcode and file is at fault, how many tries are left.

    `later`: the same link may do at another time. It never holds anything of the link.
    """

    def __init__(self, detail: str, field: str = "link", *, remaining: int | None = None, later: bool = False) -> None:
        super().__init__(detail)
        self.detail, self.field, self.remaining, self.later = detail, field, remaining, later


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file behind a link, opened."""

    media: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Shared:
    """Holds what a link shares: the file that was fetched, and the media types of those that were not."""

    file: SharedFile
    others: tuple[str, ...]


class HealthLinks(Protocol):
    """Opens SMART Health Links."""

    async def fetch(self, link: str, passcode: str, recipient: str, file: int = 0) -> Shared:
        """Fetch and open one file. Raises LinkUnusable."""


class ScannerDown(Exception):
    """A file could not be scanned; its text says why, and nothing of the file."""


class Scan(Protocol):
    """One file on its way past a virus scanner."""

    def passing(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the file while the scanner gets it too."""

    async def verdict(self) -> str:
        """Return the name of the signature found in it, empty = none. Raises ScannerDown."""

    def close(self) -> None:
        """End it, whether or not there is a verdict."""


class Scanner(Protocol):
    """Looks for viruses."""

    async def begin(self) -> Scan:
        """Begin with a file. Raises ScannerDown."""


class TooManyUploads(Exception):
    """A person has as many uploads open as one may."""


class OffsetDiffers(Exception):
    """The piece that came does not begin where the upload ends."""


@dataclass(frozen=True, slots=True)
class PartialUpload:
    """Names an upload that is on its way: whose it is, and of which case and key."""

    person: str
    name: str
    case: str
    key_class: KeyClass


class PartialUploads(Protocol):
    """Keeps uploads that are on their way, encrypted, for a day after their last piece."""

    async def begin(self, person: str, case: str, key_class: KeyClass, name: str, told: bytes) -> PartialUpload:
        """Begin an upload, or go on with the one of that name. Raises TooManyUploads, DocumentErased."""

    async def find(self, person: str, case: str, name: str) -> tuple[PartialUpload, bytes] | None:
        """Return an upload of this person and case, and what it is for; None = there is none."""

    async def offset(self, upload: PartialUpload) -> int:
        """Return how many bytes of it are kept."""

    async def append(self, upload: PartialUpload, offset: int, content: AsyncIterator[bytes]) -> int:
        """Keep what comes from `offset` on; return where it ends. Raises OffsetDiffers."""

    def content(self, upload: PartialUpload) -> AsyncIterator[bytes]:
        """Yield all of it that is kept."""

    async def remove(self, upload: PartialUpload) -> None:
        """Take it away."""
