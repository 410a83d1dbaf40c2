"""The simulated hospitals' own book in SQLite: what came in and how often, what was said and how it was received."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from activities.gateways import Request
from rehearsal.hospitals.behaviour import HospitalPlan, callback_id, spoken

SCHEMA = """
CREATE TABLE IF NOT EXISTS attempt (effect TEXT PRIMARY KEY, times INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS effect (
    number INTEGER PRIMARY KEY, effect TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, centre TEXT NOT NULL,
    case_id TEXT NOT NULL, about TEXT NOT NULL, received_at REAL NOT NULL, times INTEGER NOT NULL DEFAULT 1);
CREATE TABLE IF NOT EXISTS answer (
    callback TEXT PRIMARY KEY, effect TEXT NOT NULL, command TEXT NOT NULL, copies INTEGER NOT NULL,
    due_at REAL NOT NULL, next_at REAL, sent INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0,
    status INTEGER, first_try REAL);
CREATE INDEX IF NOT EXISTS answer_due ON answer (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS document (
    effect TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL, digest TEXT, size INTEGER, status INTEGER,
    tries INTEGER NOT NULL DEFAULT 0, next_at REAL, PRIMARY KEY (effect, name));
CREATE TABLE IF NOT EXISTS binary_ (
    centre TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, times INTEGER NOT NULL,
    PRIMARY KEY (centre, name));
CREATE TABLE IF NOT EXISTS delivery (callback TEXT NOT NULL, at REAL NOT NULL, status INTEGER NOT NULL);
"""


READ = 1_000
"""The number of the answer that names what was read; a story has fewer lines."""


@dataclass(frozen=True, slots=True)
class DueAnswer:
    """An answer whose time has come, with what it needs to be said again."""

    callback: str
    effect: str
    centre: str
    case: str
    about: str
    command: Mapping[str, Any] = field(repr=False)
    copies: int = 1
    sent: int = 0
    tries: int = 0
    first_try: float | None = None


@dataclass(frozen=True, slots=True)
class UnreadDocument:
    """A document of a dossier that a hospital was sent the address of and has not read."""

    effect: str
    name: str
    url: str = field(repr=False)
    tries: int = 0


class Book:
    """One file; survives SIGKILL of its process (WAL). `path` ":memory:" keeps nothing."""

    def __init__(self, path: Path | str, *, durable: bool = True) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={'NORMAL' if durable else 'OFF'}")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Give the file free."""
        self._db.close()

    def attempted(self, effect: str) -> int:
        """Count one more request for this effect, kept or not; how many there were, this one included."""
        query = "INSERT INTO attempt VALUES (?, 1) ON CONFLICT (effect) DO UPDATE SET times = times + 1 RETURNING times"
        return int(self._db.execute(query, (effect,)).fetchone()["times"])

    def find(self, effect: str, centre: str) -> int | None:
        """Return the number under which this centre has the effect."""
        found = self._db.execute("SELECT number FROM effect WHERE effect = ? AND centre = ?", (effect, centre))
        row = found.fetchone()
        return int(row["number"]) if row else None

    def keep(self, request: Request, plan: HospitalPlan, now: datetime, speed: float = 1.0) -> tuple[int, bool]:
        """Keep the request and plan its answers, in one transaction. Its number, and whether it is new."""
        at = now.timestamp()
        row = (request.effect, request.kind, request.centre, request.case, request.about, at)
        insert = """INSERT INTO effect (effect, kind, centre, case_id, about, received_at) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT (effect) DO UPDATE SET times = times + 1 RETURNING number, times"""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            kept = self._db.execute(insert, row).fetchone()
            if kept["times"] == 1:
                self._plan(request, plan, at, speed)
            self._told(request, at)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return int(kept["number"]), kept["times"] == 1

    def _told(self, request: Request, at: float) -> None:
        """Keep the addresses of a dossier's documents; a reminder's are fresh ones for what was not read yet."""
        insert = "INSERT INTO document (effect, name, url, next_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        update = "UPDATE document SET url = ?, next_at = ?, tries = 0 WHERE name = ? AND digest IS NULL"
        for name, url in request.links.items():
            if request.kind == "submit_dossier":
                self._db.execute(insert, (request.effect, name, url, at))
            else:
                self._db.execute(update, (url, at, name))

    def _plan(self, request: Request, plan: HospitalPlan, at: float, speed: float) -> None:
        for number, said in enumerate(plan.answers):
            due = at + said.after / speed
            command = json.dumps(spoken(said, request, datetime.fromtimestamp(due, UTC)))
            row = (callback_id(request.effect, number), request.effect, command, said.copies, due, due)
            insert = "INSERT INTO answer (callback, effect, command, copies, due_at, next_at) VALUES (?, ?, ?, ?, ?, ?)"
            self._db.execute(insert, row)

    def due(self, now: datetime, limit: int = 50) -> Sequence[DueAnswer]:
        """List what should be said by now, oldest first."""
        query = """SELECT callback, effect, centre, case_id AS "case", about, command, copies, sent, tries, first_try
                   FROM answer JOIN effect USING (effect) WHERE next_at <= ? ORDER BY next_at, callback LIMIT ?"""
        rows = [dict(row) for row in self._db.execute(query, (now.timestamp(), limit))]
        return [DueAnswer(**{**row, "command": json.loads(row["command"])}) for row in rows]

    def next_due(self) -> datetime | None:
        """Return when something is to be said next: an instant at which `due` surely finds it."""
        at = self._db.execute("SELECT min(next_at) AS at FROM answer WHERE next_at IS NOT NULL").fetchone()["at"]
        return None if at is None else _not_before(at)

    def delivered(self, due: DueAnswer, status: int, now: datetime, again_at: datetime | None, *, done: bool) -> None:
        """Note one try at saying it: the HTTP status (0 = no answer), when to try or repeat, None = never again."""
        at, again = now.timestamp(), again_at.timestamp() if again_at else None
        update = """UPDATE answer SET status = ?, next_at = ?, sent = sent + ?, first_try = coalesce(first_try, ?),
                    tries = CASE WHEN ? THEN 0 ELSE tries + 1 END WHERE callback = ?"""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("INSERT INTO delivery VALUES (?, ?, ?)", (due.callback, at, status))
        self._db.execute(update, (status, again, int(done), at, done, due.callback))
        self._db.execute("COMMIT")

    def unread(self, now: datetime, limit: int = 8) -> Sequence[UnreadDocument]:
        """List the documents that should be fetched by now."""
        query = "SELECT effect, name, url, tries FROM document WHERE next_at <= ? ORDER BY next_at LIMIT ?"
        return [UnreadDocument(**dict(row)) for row in self._db.execute(query, (now.timestamp(), limit))]

    def fetched(
        self, one: UnreadDocument, status: int, again_at: datetime | None, digest: str = "", size: int = 0
    ) -> None:
        """Note one try at fetching it: what came, or when to try again, None = never."""
        update = """UPDATE document SET status = ?, next_at = ?, digest = ?, size = ?, tries = tries + 1
                    WHERE effect = ? AND name = ?"""
        again = again_at.timestamp() if again_at else None
        self._db.execute(update, (status, again, digest or None, size, one.effect, one.name))

    def uploaded(self, centre: str, name: str, digest: str, size: int) -> int:
        """Keep what was uploaded; return how often it was, 0 = something else is kept under that name."""
        insert = """INSERT INTO binary_ VALUES (?, ?, ?, ?, 1) ON CONFLICT (centre, name) DO UPDATE
                    SET times = times + 1 WHERE digest = excluded.digest RETURNING times"""
        row = self._db.execute(insert, (centre, name, digest, size)).fetchone()
        return int(row["times"]) if row else 0

    def binary(self, name: str) -> tuple[str, int] | None:
        """Return digest and size of what was uploaded under a name."""
        row = self._db.execute("SELECT digest, size FROM binary_ WHERE name = ?", (name,)).fetchone()
        return (str(row["digest"]), int(row["size"])) if row else None

    def binaries(self) -> Sequence[Mapping[str, Any]]:
        """Return everything that was uploaded, and how often."""
        return [dict(row) for row in self._db.execute("SELECT * FROM binary_ ORDER BY centre, name")]

    def confirm(self, effect: str, now: datetime) -> bool:
        """Once every document of a dossier was fetched, plan the answer that names their digests."""
        rows = [
            dict(row) for row in self._db.execute("SELECT digest, next_at FROM document WHERE effect = ?", (effect,))
        ]
        digests = [row["digest"] for row in rows if row["digest"]]
        if not digests or any(row["next_at"] is not None for row in rows):
            return False
        about = self._db.execute("SELECT about FROM effect WHERE effect = ?", (effect,)).fetchone()["about"]
        submission = str(about).split("/", maxsplit=1)[0]
        command = json.dumps({"type": "ConfirmDossierRead", "submission": submission, "digests": digests})
        at = now.timestamp()
        row = (callback_id(effect, READ), effect, command, 1, at, at)
        insert = """INSERT INTO answer (callback, effect, command, copies, due_at, next_at) VALUES (?, ?, ?, ?, ?, ?)
                    ON CONFLICT DO NOTHING"""
        self._db.execute(insert, row)
        return True

    def documents(self) -> Sequence[Mapping[str, Any]]:
        """Return every document a hospital was sent the address of, and what came of fetching it."""
        query = "SELECT effect, name, digest, size, status, tries FROM document ORDER BY effect, name"
        return [dict(row) for row in self._db.execute(query)]

    def hasten(self, now: datetime, speed: float) -> None:
        """Let time pass `speed` times as fast from now on: what is still due comes nearer by that much."""
        update = "UPDATE answer SET next_at = ? + (next_at - ?) / ? WHERE next_at > ?"
        at = now.timestamp()
        self._db.execute(update, (at, at, speed, at))

    def effects(self) -> Sequence[Mapping[str, Any]]:
        """Return every effect kept, with how often it was requested and how often it came in at all."""
        query = """SELECT effect, kind, centre, case_id, about, received_at, effect.times AS kept,
                   attempt.times AS requests FROM effect LEFT JOIN attempt USING (effect) ORDER BY number"""
        return [dict(row) for row in self._db.execute(query)]

    def answers(self) -> Sequence[Mapping[str, Any]]:
        """Return every answer planned or sent, with the status of each try."""
        query = """SELECT answer.*, (SELECT json_group_array(status) FROM delivery d WHERE d.callback = answer.callback)
                   AS statuses FROM answer ORDER BY due_at, callback"""
        rows = [dict(row) for row in self._db.execute(query)]
        return [{**r, "command": json.loads(r["command"]), "statuses": json.loads(r["statuses"])} for r in rows]


def _not_before(at: float) -> datetime:
    """The first instant of whole microseconds that is not before `at`: rounding down would wake just too early."""
    nearest = datetime.fromtimestamp(at, UTC)
    return nearest if nearest.timestamp() >= at else nearest + timedelta(microseconds=1)
