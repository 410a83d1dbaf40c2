-- Append: one call, one transaction, everything that one or many commands write. Errors are told apart by SQLSTATE:
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

-- Held to the end of the transaction by whoever appends (caravel_append_all spells it out), so that positions are
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

-- Only a rehearsal that has not ended accepts given instants. `p_first_data` is the naming itself when the ledger is
-- still empty. What is recorded together with the end of the rehearsal is refused: it may stand behind it.
create or replace function caravel_check_rehearsal(p_streams text[], p_types text[], p_first_data text) returns void
language plpgsql as $$
begin
    if exists (select from event where stream = 'installation' and type = 'RehearsalEnded')
        or 'RehearsalEnded' = any (p_types) and cardinality(p_streams) > 1
        or coalesce((select data from event where stream = 'installation' and version = 1), p_first_data)::json
            ->> 'kind' is distinct from 'rehearsal' then
        raise exception 'no instant may be given' using errcode = 'CV004';
    end if;
end
$$;

-- Remember each (actor, key), or say why not. The same key and body raced another process: reload and find it.
create or replace function caravel_remember(
    p_streams text[], p_expected integer[], p_counts integer[], p_actors text[], p_keys text[], p_bodies bytea[]
) returns void
language plpgsql as $$
declare
    v_new integer;
begin
    insert into command
    select p_actors[a], p_keys[a], p_bodies[a], p_streams[a], p_expected[a] + 1, p_expected[a] + p_counts[a]
    from generate_series(1, cardinality(p_keys)) a where p_keys[a] is not null
    on conflict do nothing;
    get diagnostics v_new = row_count;
    if v_new = num_nonnulls(variadic p_keys) then
        return;
    elsif exists (
        select from unnest(p_actors, p_keys, p_bodies) asked (actor, key, body)
        join command known using (actor, key) where known.body <> asked.body
    ) then
        raise exception 'key reused' using errcode = 'CV002';
    end if;
    raise exception 'recorded meanwhile' using errcode = 'CV001';
end
$$;

-- Appends to several streams, each once; refused as a whole. The first arrays have one entry an append, those from
-- p_ids to p_precisions one an event, p_counts events an append. A null precision means "at the instant of recording".
-- An array that would hold only nulls may itself be null. Attention (null p_attended: none) and read models (those of
-- p_viewed): see attention.sql and views.sql. An append without events writes only command and attention. Answers with
-- the instant each append was recorded at.
create or replace function caravel_append_all(
    p_streams text[], p_expected integer[], p_counts integer[], p_ats timestamptz[],
    p_actors text[], p_keys text[], p_bodies bytea[],
    p_attended boolean[], p_woken integer[], p_wake_at timestamptz[], p_ended boolean[], p_grace interval[],
    p_epochs integer[],
    p_ids text[], p_types text[], p_schemas integer[], p_datas text[], p_seals text[], p_metas text[], p_salts bytea[],
    p_earliest timestamptz[], p_latest timestamptz[], p_precisions text[],
    p_viewed text[], p_cases json, p_obligations json, p_obligation_ids text[], p_effects json, p_effect_ids text[],
    p_watchers text[], p_watched text[], p_sources json
) returns timestamptz[]
-- Plans are made once: planning costs more than running, and one made while a table was empty must not go on reading
-- the whole of it when it has grown.
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
declare
    v_events integer := coalesce(cardinality(p_ids), 0);
    v_version integer;
    v_hash bytea;
    v_hashes bytea[] := '{}';
    v_position bigint;
    v_head timestamptz;
    v_recorded timestamptz[];
    v_rewoken text[] := '{}';
begin
    -- A statement of its own: the reads below must not share its snapshot, which is older than the lock.
    if v_events > 0 or p_keys is not null then
        perform pg_advisory_xact_lock(4846793);
    end if;
    -- What does not apply is not called: each call costs as much as a small query.
    if p_epochs is not null then
        perform caravel_check_epoch((select min(epoch) from unnest(p_epochs) epoch));
    end if;
    if p_keys is not null then
        perform caravel_remember(p_streams, p_expected, p_counts, p_actors, p_keys, p_bodies);
    end if;
    for a in 1 .. cardinality(p_streams) loop
        select version, hash into v_version, v_hash from event where stream = p_streams[a] order by version desc limit 1;
        if coalesce(v_version, 0) <> p_expected[a] then
            raise exception 'the stream has moved on' using errcode = 'CV001';
        end if;
        v_hashes[a] := v_hash;
    end loop;
    if v_events > 0 then
        select position, recorded_at into v_position, v_head from event order by position desc limit 1;
        if v_position is null and (p_streams[1], p_types[1]) <> ('installation', 'InstallationNamed') then
            raise exception 'the ledger has no name yet' using errcode = 'CV007';
        end if;
        if p_ats is not null then
            perform caravel_check_rehearsal(p_streams, p_types, p_datas[1]);
        end if;
        v_recorded := caravel_place(coalesce(v_position, 0), v_head, p_ats, v_hashes, p_streams, p_expected, p_counts,
            p_ids, p_types, p_schemas, p_datas, p_seals, p_metas, p_salts, p_earliest, p_latest, p_precisions);
        if p_viewed is not null then
            v_rewoken := caravel_replace_views(p_viewed, p_cases, p_obligations, p_obligation_ids, p_effects,
                p_effect_ids, p_watchers, p_watched);
        end if;
        if p_sources is not null then
            insert into source select * from json_populate_recordset(null::source, p_sources)
            on conflict (stream) do update set version = excluded.version, state = excluded.state;
        end if;
        perform pg_notify('caravel_events', (coalesce(v_position, 0) + v_events)::text);
    end if;
    if p_attended is not null then
        perform caravel_attend(p_streams, p_expected, p_counts, p_attended, p_woken, p_wake_at, p_ended, p_grace,
            v_rewoken);
    end if;
    if v_events > 0 and exists (select from watch where stream = any (p_streams)) then
        perform caravel_wake_watchers(p_streams, p_counts);
    end if;
    return v_recorded;
end
$$;

-- Write the events themselves, each linked to the one before it in its stream.
create or replace function caravel_place(
    p_position bigint, p_head timestamptz, p_ats timestamptz[], p_hashes bytea[],
    p_streams text[], p_expected integer[], p_counts integer[],
    p_ids text[], p_types text[], p_schemas integer[], p_datas text[], p_seals text[], p_metas text[], p_salts bytea[],
    p_earliest timestamptz[], p_latest timestamptz[], p_precisions text[]
) returns timestamptz[]
language plpgsql as $$
declare
    v_recorded timestamptz[] := array_fill(null::timestamptz, array[cardinality(p_streams)]);
    v_of integer[] := '{}';
    v_versions integer[] := '{}';
    v_links bytea[] := '{}';
    v_link bytea;
    i integer := 0;
begin
    for a in 1 .. cardinality(p_streams) loop
        if p_counts[a] > 0 then
            p_head := greatest(coalesce(p_ats[a], clock_timestamp()), p_head);
            v_recorded[a] := p_head;
        end if;
        v_link := p_hashes[a];
        for version in p_expected[a] + 1 .. p_expected[a] + p_counts[a] loop
            i := i + 1;
            if p_precisions[i] is null then
                p_precisions[i] := 'instant';
                p_earliest[i] := p_head;
                p_latest[i] := p_head;
            end if;
            v_link := caravel_event_hash(v_link, p_streams[a], version, p_ids[i], p_types[i], p_schemas[i],
                p_earliest[i], p_latest[i], p_precisions[i], p_head, p_salts[i], p_datas[i], p_seals[i], p_metas[i]);
            v_of[i] := a;
            v_versions[i] := version;
            v_links[i] := v_link;
        end loop;
    end loop;
    insert into event
    select p_position + e, p_streams[v_of[e]], v_versions[e], p_ids[e], p_types[e], p_schemas[e], p_earliest[e],
        p_latest[e], p_precisions[e], v_recorded[v_of[e]], p_datas[e], p_seals[e], p_metas[e], p_salts[e], v_links[e]
    from generate_series(1, i) e;
    return v_recorded;
end
$$;
