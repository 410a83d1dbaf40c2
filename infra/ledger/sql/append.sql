-- Append: one call, one transaction, everything that one command writes. Errors are told apart by SQLSTATE:
--   CV001 the stream has moved on      CV002 key reused with another body     CV003 superseded by another engine
--   CV004 no instant may be given      CV005 history cannot be changed        CV006 claim held; the message is seconds
--   CV007 the ledger has no name yet

-- Nobody edits history, not even its owner. (A superuser can switch this off: checkpoints kept outside are for that.)
create or replace function caravel_refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception 'history cannot be changed' using errcode = 'CV005';
end
$$;
create or replace trigger event_is_append_only before update or delete or truncate on event
    for each statement execute function caravel_refuse_change();
alter table event enable always trigger event_is_append_only;

-- Held to the end of the transaction by whoever appends (caravel_append spells it out), so that positions are
-- contiguous in commit order.
create or replace function caravel_append_lock() returns void
language sql volatile as $$ select pg_advisory_xact_lock(4846793) $$;

-- An engine that another one has replaced may not write. Null = not an engine.
create or replace function caravel_check_epoch(p_epoch integer) returns void
language plpgsql as $$
begin
    if p_epoch < (select epoch from engine) then
        raise exception 'superseded' using errcode = 'CV003';
    end if;
end
$$;

-- The given instant, never before the head; only a rehearsal that has not ended accepts one. `p_first_data` is the
-- naming itself when the ledger is still empty.
create or replace function caravel_given_instant(p_at timestamptz, p_head timestamptz, p_first_data text)
returns timestamptz
language plpgsql as $$
begin
    if exists (select from event where stream = 'installation' and type = 'RehearsalEnded')
        or coalesce((select data from event where stream = 'installation' and version = 1), p_first_data)::json
            ->> 'kind' is distinct from 'rehearsal' then
        raise exception 'no instant may be given' using errcode = 'CV004';
    end if;
    return greatest(p_at, p_head);
end
$$;

-- Remember (actor, key), or say why not. The same key and body raced another process: reload and find it.
create or replace function caravel_check_key(p_actor text, p_key text, p_body bytea) returns void
language plpgsql as $$
declare
    known bytea;
begin
    select body into known from command where actor = p_actor and key = p_key;
    if known = p_body then
        raise exception 'recorded meanwhile' using errcode = 'CV001';
    elsif found then
        raise exception 'key reused' using errcode = 'CV002';
    end if;
end
$$;

-- Appends p_ids … to p_stream after version p_expected; all arrays have one entry an event. A null precision means
-- "at the instant of recording". p_views and p_attention: see views.sql and attention.sql. Without events only
-- command and attention are written.
create or replace function caravel_append(
    p_stream text, p_expected integer,
    p_ids text[], p_types text[], p_schemas integer[], p_datas text[], p_seals text[], p_metas text[], p_salts bytea[],
    p_earliest timestamptz[], p_latest timestamptz[], p_precisions text[],
    p_at timestamptz, p_actor text, p_key text, p_body bytea, p_views json, p_attention json,
    out o_recorded_at timestamptz, out o_first_position bigint
)
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    v_count integer := cardinality(p_ids);
    v_version integer;
    v_hash bytea;
    v_head timestamptz;
    v_rewoken boolean := false;
begin
    -- A statement of its own: the reads below must not share its snapshot, which is older than the lock.
    if v_count > 0 or p_key is not null then
        perform pg_advisory_xact_lock(4846793);
    end if;
    -- What does not apply is not called: each call costs as much as a small query.
    if p_attention ->> 'epoch' is not null then
        perform caravel_check_epoch((p_attention ->> 'epoch')::integer);
    end if;
    if p_key is not null then
        perform caravel_check_key(p_actor, p_key, p_body);
    end if;
    select version, hash into v_version, v_hash from event where stream = p_stream order by version desc limit 1;
    if coalesce(v_version, 0) <> p_expected then
        raise exception 'the stream has moved on' using errcode = 'CV001';
    end if;
    if v_count > 0 then
        select position + 1, recorded_at into o_first_position, v_head from event order by position desc limit 1;
        if o_first_position is null and (p_stream, p_types[1]) <> ('installation', 'InstallationNamed') then
            raise exception 'the ledger has no name yet' using errcode = 'CV007';
        end if;
        o_first_position := coalesce(o_first_position, 1);
        o_recorded_at := greatest(clock_timestamp(), v_head);
        if p_at is not null then
            o_recorded_at := caravel_given_instant(p_at, v_head, p_datas[1]);
        end if;
        perform caravel_place(o_first_position, o_recorded_at, v_hash, p_stream, p_expected, p_ids, p_types, p_schemas,
            p_datas, p_seals, p_metas, p_salts, p_earliest, p_latest, p_precisions);
        if p_views is not null then
            v_rewoken := caravel_replace_views(p_stream, p_views);
        end if;
        if exists (select from watch where stream = p_stream) then
            perform caravel_wake_watchers(p_stream);
        end if;
        perform pg_notify('caravel_events', (o_first_position + v_count - 1)::text);
    end if;
    if p_key is not null then
        insert into command values (p_actor, p_key, p_body, p_stream, p_expected + 1, p_expected + v_count);
    end if;
    if p_attention is not null then
        perform caravel_attend(p_stream, p_expected + v_count, p_attention, v_rewoken);
    end if;
end
$$;

-- Write the events themselves, each linked to the one before it.
create or replace function caravel_place(
    p_first bigint, p_recorded timestamptz, p_previous bytea, p_stream text, p_expected integer,
    p_ids text[], p_types text[], p_schemas integer[], p_datas text[], p_seals text[], p_metas text[], p_salts bytea[],
    p_earliest timestamptz[], p_latest timestamptz[], p_precisions text[]
) returns void
language plpgsql as $$
declare
    v_earliest timestamptz;
    v_latest timestamptz;
    v_precision text;
begin
    for i in 1 .. cardinality(p_ids) loop
        v_precision := coalesce(p_precisions[i], 'instant');
        v_earliest := case when p_precisions[i] is null then p_recorded else p_earliest[i] end;
        v_latest := case when p_precisions[i] is null then p_recorded else p_latest[i] end;
        p_previous := caravel_event_hash(p_previous, p_stream, p_expected + i, p_ids[i], p_types[i], p_schemas[i],
            v_earliest, v_latest, v_precision, p_recorded, p_salts[i], p_datas[i], p_seals[i], p_metas[i]);
        insert into event values (p_first + i - 1, p_stream, p_expected + i, p_ids[i], p_types[i], p_schemas[i],
            v_earliest, v_latest, v_precision, p_recorded, p_datas[i], p_seals[i], p_metas[i], p_salts[i], p_previous);
    end loop;
end
$$;
