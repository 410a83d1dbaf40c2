"""The log of one test: its keys, its two sinks, and the one-line ways in which the tests use them."""

from pathlib import Path

from infra.audit.checkpoints.checkpoint import Checkpoint, opened, origin_of
from infra.audit.checkpoints.sealer import Sealer, SealingLimits, sessions
from infra.audit.checkpoints.signing import SigningKeys
from infra.audit.checkpoints.sinks import FolderSink, Sink, checkpoint_name, sizes
from infra.ledger.ledger import PgLedger
from tests.infra.ledger.cases import Counted, stream, writing

ALWAYS = SealingLimits(events=1)
ORIGIN = origin_of("here")


class Log:
    """A folder with signing keys, `a` and `b`."""

    sessions = staticmethod(sessions)

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn = dsn
        self.folder = folder
        self.keys = SigningKeys(folder / "signing", ORIGIN)
        self.sinks = [FolderSink(folder / "a"), FolderSink(folder / "b")]

    def sealer(self, limits: SealingLimits = ALWAYS, *sinks: Sink) -> Sealer:
        return Sealer(self.dsn, self.keys, sinks or self.sinks, limits)

    def kept(self, sink: str = "a") -> list[int]:
        """Sizes of the checkpoints a folder holds."""
        folder = self.folder / sink
        return sizes(file.name for file in folder.iterdir()) if folder.exists() else []

    def checkpoint(self, size: int, sink: str = "a") -> Checkpoint:
        """One of them, its signature checked."""
        return opened((self.folder / sink / checkpoint_name(size)).read_bytes(), ORIGIN, self.keys.known())


async def recorded(ledger: PgLedger, *sizes: int) -> list[str]:
    """New streams of so many events each."""
    names = [stream() for _ in sizes]
    for name, size in zip(names, sizes, strict=True):
        await ledger.append(writing(name, 0, *(Counted(n) for n in range(size))))
    return names
