"""The floor under an append with everything on: the same rows by one plain statement, without lock, hash or check."""

import asyncpg

from infra.ids import fresh_id, fresh_stream

TABLES = ("event", "command", "case_view", "obligation_view", "effect_view", "attention")
COPIES = (
    "create sequence same_position",
    *(f"create table same_{table} (like {table} including all)" for table in TABLES),
)
"""The tables with every index of theirs, without triggers."""
SAME_ROWS = """
with e as (insert into same_event
           select nextval('same_position'), $1, $2 + n, id, 'Personal', 1, now(), now(), 'instant', now(),
                  repeat('x', 300), repeat('x', 200), '{}', $4, sha256($4)
           from unnest($3::text[]) with ordinality as given (id, n)),
     k as (insert into same_command values ('a', $3[1], $4, $1, $2, $2)),
     c as (insert into same_case_view (stream, version, number, stage, urgent, on_hold, open, opened_at, stage_since,
                                       next_due, facts_version, detail)
           values ($1, $2, $1, $2::integer::text, false, false, true, now(), now(), now(), 1, '{}')
           on conflict (stream) do update set version = excluded.version, stage = excluded.stage),
     o as (insert into same_obligation_view (id, stream, kind, about, debtor, creditor, state, due, opened_at)
           select $1 || n, $1, 'a', 'b', 'c', 'd', $2::integer::text, now(), now() from generate_series(1, 3) n
           on conflict (id) do update set state = excluded.state),
     f as (insert into same_effect_view (id, stream, kind, about, state, tries, requested_at)
           values ($1, $1, 'a', 'b', $2::integer::text, 0, now()) on conflict (id) do update set state = excluded.state)
insert into same_attention values ($1, $2, 0, 0, null, false, now())
on conflict (stream) do update set version = excluded.version, nudge_at = excluded.nudge_at
"""


class SameRows:
    """What `Everything` makes its append write, on a connection of its own, to a case of as many events."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", batch: int, life: int) -> None:
        self._connection, self._batch, self._life = connection, batch, life
        self._stream, self._version = fresh_stream("case"), 0

    async def __call__(self) -> None:
        if self._version >= self._life:
            self._stream, self._version = fresh_stream("case"), 0
        ids = [fresh_id() for _ in range(self._batch)]
        await self._connection.execute(SAME_ROWS, self._stream, self._version, ids, bytes(48))
        self._version += self._batch
