"""The statements of append, load and follow, and the courier's, by name; what is longer is a function in a .sql file.

They run on asyncpg. What people look at is selected through the classes of tables.py: see infra/ledger/statement.py.
"""

from infra.ledger.encoding.stored import COLUMNS

# A stream after a version, with what is remembered of a command and the watched sources. One statement, so that facts,
# command memory and sources are of one instant.
LOAD = """
select greatest(clock_timestamp(), (
           select case when recorded_at <= clock_timestamp() + $5::interval then recorded_at end
           from event order by position desc limit 1
       )) as now,
       (select epoch from engine) as epoch,
       coalesce((select woken from attention where stream = $1), 0) as woken,
       (select hash from event where stream = $1 and version = $2) as hash_before,
       c.body, c.stream as command_stream, c.first, c.last, e.*, s.*
from (select array_agg(position) as position, array_agg(version) as version, array_agg(id) as id,
             array_agg(type) as type, array_agg(schema_version) as schema_version,
             array_agg(occurred_earliest) as occurred_earliest, array_agg(occurred_latest) as occurred_latest,
             array_agg(precision) as precision, array_agg(recorded_at) as recorded_at, array_agg(data) as data,
             array_agg(sealed) as sealed, array_agg(meta) as meta, array_agg(hash) as hash
      from (select * from event where stream = $1 and version > $2 order by version) ordered) e
cross join (select array_agg(source.stream) as source_streams, array_agg(source.version) as source_versions,
                   array_agg(source.state) as source_states
            from watch join source on source.stream = watch.stream where watch.watcher = $1) s
left join command c on c.actor = $3 and c.key = $4
"""

# Lots, protocols, centres and persons by name.
SOURCES = "select stream, version, state from source where stream = any($1::text[])"

# Those there are, by the beginning of their name.
STREAMS = "select stream from source where starts_with(stream, $1) order by stream"

# Centres, persons and desks of which somebody is still to be told something.
OWING_NOTICES = "select stream from source where state::json -> 'untold' is not null order by stream"

# Everything that one or many commands write, in one transaction; see sql/append.sql.
APPEND = f"select o_recorded, o_hashes from caravel_append_all({', '.join(f'${n}' for n in range(1, 40))})"  # noqa: S608 - numbers

# The right to make one attempt of an effect.
CLAIM = """
select o_attempt as attempt, o_lease_until as lease_until, o_before as before
from caravel_claim($1, $2, $3, $4, $5, $6, $7)
"""

# The case an attempted effect belongs to.
CASE_OF_EFFECT = "select stream from claim where effect = $1 limit 1"

# The end of an attempt, said once.
RELEASE = "update claim set ended_at = clock_timestamp() where effect = $1 and attempt = $2 and ended_at is null"

# The newest position.
HEAD = "select coalesce(max(position), 0) from event"

# The version a stream stands at.
LAST_VERSION = "select coalesce(max(version), 0) from event where stream = $1"

# The next events of the log, for followers.
AFTER = f"select {COLUMNS} from event where position > $1 order by position limit $2"  # noqa: S608 - as above

# Whether something in a stream was sealed with a key of one of these classes.
SEALED_BEFORE = """
select exists (select from event, lateral json_object_keys(sealed::json) key_class
               where stream = $1 and sealed <> '{}' and key_class = any($2::text[]))
"""

# The first events with something sealed.
SEALED_FIRST = "select stream, sealed from event where sealed <> '{}' order by position limit $1"

# Every link on the way from some materials or lots ($1) to what was made of them, and back to what they are made of, as
# known at an instant ($2; null = now). A link stands that was not taken back by then. Read from the events themselves:
# so now and any day before are one statement, and there is nothing to rebuild.
STANDS = """
    e.type = 'MaterialLinked' and e.recorded_at <= coalesce($2::timestamptz, 'infinity') and not exists (
        select from event u where u.stream = e.stream and u.type = 'MaterialUnlinked' and u.version > e.version
        and u.data::jsonb ->> 'parent' = e.data::jsonb ->> 'parent'
        and u.recorded_at <= coalesce($2::timestamptz, 'infinity'))
"""
MADE_INTO = f"""
with recursive walked (child, parent) as (
    select e.stream, e.data::jsonb ->> 'parent' from event e
    where e.data::jsonb ->> 'parent' = any($1::text[]) and {STANDS}
    union
    select e.stream, w.child from walked w join event e on e.data::jsonb ->> 'parent' = w.child and {STANDS}
) select child, parent from walked
"""  # noqa: S608 - a condition of ours
MADE_OF = f"""
with recursive walked (child, parent) as (
    select e.stream, e.data::jsonb ->> 'parent' from event e where e.stream = any($1::text[]) and {STANDS}
    union
    select e.stream, e.data::jsonb ->> 'parent' from walked w join event e on e.stream = w.parent and {STANDS}
) select child, parent from walked
"""  # noqa: S608 - as above

# Of many lots ($1) the events of some types ($2), as known at an instant ($3; null = now).
LOT_FACTS = f"""
select {COLUMNS} from event where stream = any($1::text[]) and type = any($2::text[])
    and recorded_at <= coalesce($3::timestamptz, 'infinity') order by stream, version
"""  # noqa: S608 - columns of ours

# Each unit of many lots ($1) of which anything was ever said by events of some types ($2), as known at an instant ($3):
# the events in order, each with its outcome where it has one, until when it was last held, and the sealed text of that.
UNITS_MOVED = """
with moved as (
    select stream, version, type, data::jsonb as told from event
    where stream = any($1::text[]) and type = any($2::text[])
        and recorded_at <= coalesce($3::timestamptz, 'infinity')
), each as (
    select stream, told ->> 'unit' as unit,
        string_agg(concat_ws(' ', type, told ->> 'outcome'), '|' order by version) as moves,
        max(version) filter (where type = 'UnitHeld') as held,
        (array_agg(told ->> 'until' order by version desc)
            filter (where type in ('UnitHeld', 'HoldExtended')))[1] as until
    from moved group by 1, 2
)
select each.stream, each.unit, each.moves, each.until, e.id, e.sealed
from each left join event e on e.stream = each.stream and e.version = each.held
"""

# The events of a stream up to a version.
STREAM = f"""
select {COLUMNS} from event where stream = $1 and version <= coalesce($2, 2147483647) order by version
"""  # noqa: S608 - as above

# Cases the courier should nudge: longest unattended first, then overdue, then claims whose attempt nobody knows the end
# of. None is put off by more than some seconds: what seems to be was put off by a clock that was wrong. By
# statement_timestamp(): clock_timestamp() may change from row to row, so no index is searched for what lies before it.
RIPE = "(nudge_at <= statement_timestamp() or nudge_at > statement_timestamp() + interval '2 minutes')"
ATTENTION_DUE = f"""
select stream, version, woken, wake_at from (
    (select a.*, 1 as urgency from attention a
     where attended < version and {RIPE} order by nudge_at limit $1)
    union all
    (select a.*, 2 from attention a
     where wake_at < statement_timestamp() - interval '1 minute' and attended >= version
         and {RIPE} order by wake_at limit $1)
    union all
    (select a.*, 3 from claim c join attention a on a.stream = c.stream join effect_view e on e.id = c.effect
     where c.newest and c.ended_at is null and c.lease_until < statement_timestamp() and a.attended >= a.version
         and e.state in ('requested', 'unknown') and {RIPE}
     order by c.lease_until limit $1)
) due group by stream, version, woken, wake_at order by min(urgency), min(nudge_at) limit $1
"""  # noqa: S608 - a condition of ours

# Lots of a product of which units may be had, now or once they are released again, the soonest to expire first.
LOTS_OF = """
select stream from source
where stream like 'lot-%' and state::json ->> 'product' = $1
    and state::json ->> 'state' in ('registered', 'released', 'quarantined')
    and (state::json ->> 'expires')::timestamptz > $2
order by state::json ->> 'expires', stream
"""

# Every case that is not ended and in how many seconds it is due. At once (null): what nobody has looked at, and what
# somebody was about to do, of which a new engine knows nothing.
OPEN_CASES = """
with due as (select stream from effect_view where state in ('requested', 'unknown')
             and (not_before <= clock_timestamp() or state = 'requested' and not_before is null))
select stream, case when attended < version or stream in (select stream from due) then null
                    else extract(epoch from coalesce(wake_at, 'infinity') - clock_timestamp()) end::double precision
from attention where not ended order by 2 nulls first
"""

# The range of positions whose changes of the catalogue are followed next: the one begun before, if it was not finished,
# else all since. Nobody gets it while another holds the lease; who takes over an old one gets the very same range.
FOLLOW = """
update followed f set upto = case when f.upto > f.done then f.upto else head.position end, holder = $1,
       lease_until = clock_timestamp() + $2::interval
from (select coalesce(max(position), 0) as position from event) head
where f.lease_until < clock_timestamp() and (f.upto > f.done or head.position > f.done)
returning f.done, f.upto
"""

# More time for whoever follows; no row where another has taken over.
FOLLOW_ON = """
update followed set lease_until = clock_timestamp() + $2::interval where holder = $1 and upto > done returning true
"""

# The range was followed to its end, by its holder or by one who had it before: the work is the same.
FOLLOWED = "update followed set done = $1, lease_until = '-infinity' where upto = $1 and done < $1"

# Which protocols and centres changed after a position, and where.
CATALOGUE_AFTER = """
select stream, version, position from event
where position > $1 and (starts_with(stream, 'protocol-') or starts_with(stream, 'centre-')) order by position
"""

# Cases at these stages that have not left, with the position they were opened at.
AT_STAGES = """
select c.stream, e.position from case_view c join event e on e.stream = c.stream and e.version = 1
where c.open and c.exit is null and c.stage = any($1::text[]) and c.stream > $2 order by c.stream limit $3
"""

# Leaves cases alone for a while, if the courier of this number still leads. Only what has not changed since it was
# seen: a newer append keeps its own nudge.
NUDGED = """
update attention a set nudge_at = clock_timestamp() + $4
from unnest($1::text[], $2::integer[], $3::integer[]) as due (stream, version, woken), caravel_led('courier', $5)
where a.stream = due.stream and a.version = due.version and a.woken = due.woken
"""

# What the clock says, and when the last event was recorded.
CLOCK = "select clock_timestamp() as now, (select recorded_at from event order by position desc limit 1) as last"

# Whether a person has accepted that the last event is dated so far ahead.
AHEAD_ACCEPTED = """
select exists (select from event where stream = 'installation' and type = 'ClockAccepted' and recorded_at >= $1)
"""

# The engine that acts.
ENGINE = "select epoch, target, cluster from engine"

# Another engine acts from now on.
TAKE_OVER = "select caravel_take_over($1, $2)"

# A callback that was not believed.
REJECT_CALLBACK = "select caravel_reject_callback($1, $2, $3, $4)"

# What is missing at the end of the history.
NOTE_LOSS = "select caravel_note_loss($1, $2)"

# The trace of the newest command of a case, until the courier takes it along.
LEAVE_TRACE = """
insert into trace values ($1, $2) on conflict (stream) do update set parent = excluded.parent
"""

# The traces of these cases, once.
TAKE_TRACES = "delete from trace where stream = any($1::text[]) returning stream, parent"

# Whether anybody answers at all.
ALIVE = "select true"

# Takes the lease of a role; no row while it holds. It ended when it was given up, was not renewed lately (or, by a
# clock that was wrong, in what is now the future), or when the session that took it is gone: a process that is killed
# need not be waited for. The session marks itself by a lock that only says so.
TAKE_LEAD = """
insert into lead as old values ($1, 1, $2, clock_timestamp(), clock_timestamp(), null, null)
on conflict (role) do update set
    fence = old.fence + 1, holder = excluded.holder, since = excluded.since, renewed_at = excluded.renewed_at,
    lost_at = case when old.holder is null then old.lost_at else excluded.since end,
    lost_by = coalesce(old.holder, old.lost_by)
where old.holder is null or excluded.renewed_at not between old.renewed_at and old.renewed_at + $3 or not exists (
    select from pg_locks where locktype = 'advisory' and granted and objsubid = 2 and classid = $4::integer
    and objid = old.fence and database = (select oid from pg_database where datname = current_database()))
returning fence, pg_try_advisory_lock($4, fence::integer)
"""

# Holds the lease for longer; no row when another has taken it.
RENEW_LEAD = "update lead set renewed_at = clock_timestamp() where role = $1 and fence = $2 returning true"

# Gives the lease up, so that the next need not wait for its end.
LEAVE_LEAD = "update lead set holder = null where role = $1 and fence = $2"

# Takes a role over from whoever has it, where somebody else knows that it hangs.
SUPERSEDE_LEAD = """
insert into lead as old values ($1, 1, $2, clock_timestamp(), clock_timestamp(), null, null)
on conflict (role) do update set
    fence = old.fence + 1, holder = excluded.holder, since = excluded.since, renewed_at = excluded.renewed_at
returning fence
"""

# The events between two positions, for exports.
SPAN = f"select {COLUMNS} from event where position > $1 and position <= $2 order by position limit $3"  # noqa: S608 - as above

# The next events of a stream that stand no further than a position, for exports.
VERSIONS = f"""
select {COLUMNS} from event
where stream = $1 and version > $2 and position <= $3 order by version limit $4
"""  # noqa: S608 - as above
