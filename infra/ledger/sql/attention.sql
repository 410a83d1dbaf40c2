-- Who must look at which case, who may attempt which effect, and which engine acts.

-- p_attention: {"attended", "woken", "wake_at", "ended", "grace" (seconds), "epoch"}. `p_rewoken`: the case has just
-- begun to watch a stream whose state it cannot have seen for certain.
create or replace function caravel_attend(p_stream text, p_version integer, p_attention json, p_rewoken boolean)
returns void
language plpgsql as $$
declare
    v_attended boolean := (p_attention ->> 'attended')::boolean;
    v_grace double precision := (p_attention ->> 'grace')::double precision;
    v_nudge_at timestamptz := clock_timestamp() + make_interval(secs => v_grace);
begin
    insert into attention as a values (
        p_stream, p_version, case when v_attended and not p_rewoken then p_version else 0 end, 0,
        (p_attention ->> 'wake_at')::timestamptz, (p_attention ->> 'ended')::boolean, v_nudge_at)
    on conflict (stream) do update set
        version = greatest(a.version, excluded.version),
        attended = case when not v_attended then a.attended
                        when p_rewoken or (p_attention ->> 'woken')::integer < a.woken then 0
                        else excluded.attended end,
        wake_at = case when v_attended then excluded.wake_at else a.wake_at end,
        ended = excluded.ended,
        -- A nudge that is already owed is never put off by something less urgent.
        nudge_at = case when a.attended < a.version then least(a.nudge_at, v_nudge_at) else v_nudge_at end;
    if not v_attended and v_grace = 0 then
        perform pg_notify('caravel_attention', '');
    end if;
end
$$;

-- The cases that watch this stream have something new to note.
create or replace function caravel_wake_watchers(p_stream text) returns void
language plpgsql as $$
begin
    update attention a set attended = 0, woken = a.woken + 1, nudge_at = clock_timestamp()
    from watch w where w.stream = p_stream and a.stream = w.watcher;
    if found then
        perform pg_notify('caravel_attention', '');
    end if;
end
$$;

-- The right to make one attempt of an effect. `o_before`: earlier attempts nobody knows the end of.
create or replace function caravel_claim(
    p_stream text, p_effect text, p_expected integer, p_epoch integer, p_lease interval,
    out o_attempt integer, out o_lease_until timestamptz, out o_before integer
)
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_now timestamptz;
    v_held timestamptz;
begin
    perform pg_advisory_xact_lock(4846794, hashtext(p_effect));
    perform from engine for share;  -- nobody takes over between the check and the commit
    perform caravel_check_epoch(p_epoch);
    if p_expected <> coalesce((select max(version) from event where stream = p_stream), 0) then
        raise exception 'the stream has moved on' using errcode = 'CV001';
    end if;
    v_now := clock_timestamp();
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

-- Note a callback that was not believed; only the newest 1,000 are kept, whoever knocks.
create or replace function caravel_reject_callback(p_centre text, p_reason text, p_digest bytea, p_size integer)
returns void
language sql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
    insert into rejected_callback (received_at, centre, reason, digest, size)
    values (clock_timestamp(), p_centre, p_reason, p_digest, p_size);
    delete from rejected_callback where id <= (select max(id) from rejected_callback) - 1000;
$$;
