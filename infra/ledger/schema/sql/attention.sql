-- Who must look at which case, who may attempt which effect, and which engine acts.

-- Arrays with one entry an append; those without attention have null in p_attended. `p_rewoken`: cases that have just
-- begun to watch a stream whose state they cannot have seen for certain.
create or replace function caravel_attend(
    p_streams text[], p_expected integer[], p_counts integer[],
    p_attended boolean[], p_woken integer[], p_wake_at timestamptz[], p_ended boolean[], p_grace interval[],
    p_rewoken text[]
) returns void
language plpgsql as $$
declare
    a integer;
    v_version integer;
    v_rings boolean := false;
begin
    -- The same order everywhere, so that nobody deadlocks.
    for a in select n from generate_subscripts(p_streams, 1) n where p_attended[n] is not null
            order by p_streams[n], n loop
        v_version := p_expected[a] + p_counts[a];
        insert into attention as old values (p_streams[a], v_version,
            case when p_attended[a] and p_streams[a] <> all (p_rewoken) then v_version else 0 end, 0,
            p_wake_at[a], p_ended[a], clock_timestamp() + p_grace[a])
        on conflict (stream) do update set
            version = greatest(old.version, excluded.version),
            attended = case when not p_attended[a] then old.attended
                            when p_woken[a] < old.woken then 0
                            else excluded.attended end,
            wake_at = case when p_attended[a] then excluded.wake_at else old.wake_at end,
            ended = excluded.ended,
            -- A nudge that is already owed is never put off by something less urgent.
            nudge_at = case when old.attended < old.version then least(old.nudge_at, excluded.nudge_at)
                            else excluded.nudge_at end;
        v_rings := v_rings or not p_attended[a] and p_grace[a] = interval '0';
    end loop;
    if v_rings then
        perform pg_notify('caravel_attention', '');
    end if;
end
$$;

-- The cases that watch one of these streams, if it grew by something they note, have to look.
drop function if exists caravel_wake_watchers;
create function caravel_wake_watchers(p_streams text[], p_counts integer[], p_calls boolean[]) returns void
language plpgsql as $$
begin
    update attention a set attended = 0, woken = a.woken + 1, nudge_at = clock_timestamp()
    from (
        select distinct watcher from watch
        join unnest(p_streams, p_counts, p_calls) grown (stream, count, calls) using (stream)
        where count > 0 and calls
    ) w where a.stream = w.watcher;
    if found then
        perform pg_notify('caravel_attention', '');
    end if;
end
$$;

-- The right to make one attempt of an effect. `o_before`: earlier attempts nobody knows the end of.
drop function if exists caravel_claim;
create function caravel_claim(
    p_stream text, p_effect text, p_expected integer, p_epoch integer, p_lease interval,
    p_sent timestamptz, p_bound interval,
    out o_attempt integer, out o_lease_until timestamptz, out o_before integer
)
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_now timestamptz;
    v_held timestamptz;
    v_head timestamptz;
begin
    if exists (select from loss) then
        perform caravel_check_loss(null);
    end if;
    perform pg_advisory_xact_lock(4846794, hashtext(p_effect));
    perform from engine for share;  -- nobody takes over between the check and the commit
    perform caravel_check_epoch(p_epoch);
    if p_expected <> coalesce((select max(version) from event where stream = p_stream), 0) then
        raise exception 'the stream has moved on' using errcode = 'CV001';
    end if;
    v_now := clock_timestamp();
    select recorded_at into v_head from event order by position desc limit 1;
    if not caravel_clocks_agree(v_now, p_sent, p_bound, v_head) then
        perform caravel_doubted('{}', v_now, p_sent, p_bound, v_head);
    end if;
    select max(lease_until) filter (where ended_at is null), coalesce(max(attempt), 0) + 1,
           count(*) filter (where ended_at is null)
    into v_held, o_attempt, o_before from claim where effect = p_effect;
    if v_held > v_now then
        raise exception '%', extract(epoch from v_held - v_now) using errcode = 'CV006';
    end if;
    o_lease_until := v_now + p_lease;
    update claim set newest = false where effect = p_effect and newest;
    insert into claim values (p_effect, o_attempt, p_stream, p_epoch, v_now, o_lease_until, null, true);
end
$$;

-- Another workflow engine acts from now on; every epoch before the answer is superseded.
create or replace function caravel_take_over(p_target text, p_cluster text) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_epoch integer;
begin
    perform caravel_append_lock();
    update engine set epoch = epoch + 1, target = p_target, cluster = p_cluster returning epoch into v_epoch;
    return v_epoch;
end
$$;

-- What is missing of the history; from here on commands and effects are refused. The first word of it stands, unless
-- more is known.
create or replace function caravel_note_loss(p_found text, p_more boolean) returns void
language sql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
    select caravel_append_lock();
    insert into loss values (true, clock_timestamp(), p_found)
    on conflict (single) do update set found = excluded.found where p_more;
$$;

-- Note a callback that was not believed; only the newest 1,000 are kept, whoever knocks.
create or replace function caravel_reject_callback(p_centre text, p_reason text, p_digest bytea, p_size integer)
returns void
language sql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
    insert into rejected_callback (received_at, centre, reason, digest, size)
    values (clock_timestamp(), p_centre, p_reason, p_digest, p_size);
    delete from rejected_callback where id <= (select max(id) from rejected_callback) - 1000;
$$;
