"""Every statement of sealing, verifying and packing, by name.

They run on asyncpg and compare bytes: none goes through the classes of tables.py, so that what is verified is what the
database holds and nothing that was made of it.
"""

from infra.ledger.encoding.stored import COLUMNS

ROW_COLUMNS = """
position, stream, version, id, type, schema_version, timestamptz_send(occurred_earliest) as earliest,
timestamptz_send(occurred_latest) as latest, precision, timestamptz_send(recorded_at) as recorded,
convert_to(data, 'UTF8') as data, convert_to(sealed, 'UTF8') as sealed, convert_to(meta, 'UTF8') as meta, salts, hash
"""
"""As bytes, the way they are hashed: a driver that makes text and instants of them costs as much as hashing."""

# The hashes of some subtrees of the sealed tree.
NODES = """
select n.level, n.index, n.hash from unnest($1::smallint[], $2::bigint[]) as wanted (level, index)
join tree_node n on (n.level, n.index) = (wanted.level, wanted.index)
"""

# Rows that are not sealed yet, in the order they were recorded in.
OPEN_ROWS = f"select {ROW_COLUMNS} from event where position > $1 order by position limit $2"  # noqa: S608 - names from this program

# The clock of one row.
RECORDED_AT = "select timestamptz_send(recorded_at) as recorded from event where position = $1"

# What streams stand at before a position, with the link as it was sealed.
SEALED_HEADS = """
select e.stream, e.version, n.hash from unnest($1::text[], $2::integer[]) as wanted (stream, version)
join event e on (e.stream, e.version) = (wanted.stream, wanted.version) and e.position <= $3
join tree_node n on n.level = 0 and n.index = e.position - 1
"""

# The newest checkpoint, the head, and how many seconds the oldest open event waits.
SEAL_DUE = """
select c.size, c.note, coalesce((select max(position) from event), 0) as head,
       extract(epoch from clock_timestamp() - (select recorded_at from event where position = c.size + 1)) as age
from (select coalesce(max(size), 0) as size, (select note from checkpoint order by size desc limit 1) as note
      from checkpoint) c
"""

# Adds subtrees and the signed checkpoint over them, if the sealer of this number still leads.
SEAL = "select caravel_seal($1, $2, $3, $4, $5, $6, $7)"

# Writes down how sealing does, for whoever looks at another process.
TELL_SEALING = """
update sealing set outside = $1, refused = $2, sinks = $3 where caravel_led('sealer', $4) = 'sealer'
"""

# What is missing of the history, as the sealer sees it: one that hung would say it again after it was accepted.
SEALER_NOTES_LOSS = "select caravel_note_loss($1, false) from caravel_led('sealer', $2)"

# Checkpoints that a place outside may not have yet, by size.
NOTES_AFTER = "select size, note from checkpoint where size > $1 order by size limit 500"

# The ledger's own copy of one checkpoint.
NOTE_OF = "select note from checkpoint where size = $1"

# Which of these sizes the ledger has a checkpoint of.
SIZES_KNOWN = "select size from checkpoint where size = any($1::bigint[])"

# What a person accepted as lost, each time.
LOSSES_ACCEPTED = "select data from event where stream = 'installation' and type = 'LossAccepted' order by version"

# The same, with when it was said.
LOSSES_SAID = """
select data, to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"') as at from event
where stream = 'installation' and type = 'LossAccepted' order by version
"""

# How far this ledger goes, and up to where it was sealed.
LEDGER_HERE = """
select (select coalesce(max(position), 0) from event) as head, (select max(recorded_at) from event) as last_at,
       (select coalesce(max(size), 0) from checkpoint) as agreed
"""

# The rows of a span of positions.
CHUNK_ROWS = f"select {ROW_COLUMNS} from event where position > $1 and position <= $2 order by position"  # noqa: S608 - names from this program

# What streams stand at before a position.
HEADS = """
select e.stream, e.version, e.hash from unnest($1::text[], $2::integer[]) as wanted (stream, version)
join event e on (e.stream, e.version) = (wanted.stream, wanted.version) and e.position <= $3
"""

# One digest of a part of the sealed tree: level by level, each in the order of the index, so that nothing is sorted.
TREE_DIGEST = """
select sha256(coalesce(string_agg(nodes, ''::bytea order by level), ''::bytea)) from (
    select level, (
        select string_agg(hash, ''::bytea order by index) from tree_node t
        where t.level = l.level and index >= ($1::bigint >> l.level) and index < ($2::bigint >> l.level)
    ) as nodes from generate_series(0, $3::integer) as l (level)
) levels
"""

# The sealed leaves of a span.
LEAVES = "select index, hash from tree_node where level = 0 and index >= $1 and index < $2"

# The row at a position.
ROW_AT = f"select {ROW_COLUMNS} from event where position = $1"  # noqa: S608 - names from this program

# The rows of a stream from a version on.
STREAM_FROM = f"select {ROW_COLUMNS} from event where stream = $1 and version >= $2 order by version"  # noqa: S608 - names from this program

# Whether anything stands after a position.
ANY_AFTER = "select exists (select from event where position > $1)"

# The stored hash of one version.
LINK_OF = "select hash from event where stream = $1 and version = $2"

# The sealed leaf of an index.
LEAF_AT = "select hash from tree_node where level = 0 and index = $1"

# Whether one of these hashes was sealed at another place.
SEALED_ELSEWHERE = "select exists (select from tree_node where level = 0 and hash = any($1::bytea[]) and index <> $2)"

# Whether this hash stands at another position.
STANDS_ELSEWHERE = "select exists (select from event where hash = $1 and position <> $2)"

# Whether a version of a stream stands after a position.
STANDS_LATER = "select exists (select from event where stream = $1 and version = $2 and position > $3)"

# The ledger's own list of checkpoints from a size on.
NOTES_FROM = "select size, note from checkpoint where size >= $1 order by size"

# One digest of that list up to a size.
NOTES_DIGEST = """
select encode(sha256(coalesce(string_agg(sha256(convert_to(note, 'UTF8')), ''::bytea order by size), ''::bytea)), 'hex')
from checkpoint where size <= $1
"""

# How far the sealer says it kept checkpoints outside.
SEALING_TOLD = "select outside, sinks from sealing"

# Every case, or one: how many events it has and where its last stands.
HISTORIES = """
select stream, count(*)::integer as events, max(position) as last from event
where stream like 'case-%' and ($1 = '' or stream = $1) group by stream order by stream collate "C"
"""

# The events of some cases, case by case.
HISTORY_ROWS = f"""
select {COLUMNS} from event where stream = any($1::text[]) order by stream collate "C", version
"""  # noqa: S608 - names from this program

# The size of the newest checkpoint.
LARGEST_SEALED = "select coalesce(max(size), 0) from checkpoint"

# The smallest checkpoint that covers a position, and the newest.
PROVING_POINTS = """
select c.size, c.note from checkpoint c
where c.size in ((select min(size) from checkpoint where size >= $1), (select max(size) from checkpoint)) order by size
"""
