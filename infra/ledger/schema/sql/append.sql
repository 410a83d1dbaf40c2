-- Append: one call, one transaction, everything that one or many commands write. Errors are told apart by SQLSTATE:
--   CV001 the stream has moved on      CV002 key reused with another body     CV003 superseded by another engine
--   CV004 no instant may be given      CV005 history cannot be changed        CV006 claim held; the message is seconds
--   CV007 the ledger has no name yet      CV008 the end of the history is lost and nobody has accepted that
--   CV009 another process leads by now (leads.sql)      CV010 a clock is wrong, and the message says which (clock.sql)

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

-- While the end of the history is missing, only looks are recorded, and the word of the person who goes on without it.
create or replace function caravel_check_loss(p_types text[]) returns void
language plpgsql as $$
begin
    if p_types <@ array['CasesSeen'] and p_types <> '{}' then
        return;
    end if;
    if p_types = array['LossAccepted'] then
        delete from loss;
        return;
    end if;
    raise exception 'the end of the history is lost' using errcode = 'CV008';
end
$$;

-- Why a key that is known is not remembered again. The same key and body raced another process: reload and find it.
create or replace function caravel_refuse_key(p_actor text, p_key text, p_body bytea) returns void
language plpgsql as $$
begin
    if exists (select from command where (actor, key) = (p_actor, p_key) and body <> p_body) then
        raise exception 'key reused' using errcode = 'CV002';
    end if;
    raise exception 'recorded meanwhile' using errcode = 'CV001';
end
$$;

-- Appends to several streams, each once; refused as a whole. The first arrays have one entry an append, those from
-- p_ids to p_precisions one an event, p_counts events an append. A null precision means "at the instant of recording".
-- An array that would hold only nulls may itself be null. p_calls: whoever watches the stream must look. Attention (null
-- p_attended: none) and read models: see attention.sql and views.sql. An append without events writes only command and
-- attention. Answers, for each append, with the instant it was recorded at and the hash of its last event.
-- p_stores: the store a unit is put into; nothing else may have been put there after position p_seen, before which what
-- lies there was read (CV001).
-- p_sent: what the clock of the process says, which must agree with the database's within p_bound.
drop function if exists caravel_append_all;
create function caravel_append_all(
    p_streams text[], p_expected integer[], p_counts integer[], p_ats timestamptz[],
    p_actors text[], p_keys text[], p_bodies bytea[],
    p_attended boolean[], p_woken integer[], p_wake_at timestamptz[], p_ended boolean[], p_grace interval[],
    p_epochs integer[], p_stores text[], p_seen bigint[], p_calls boolean[],
    p_ids text[], p_types text[], p_schemas integer[], p_datas text[], p_seals text[], p_metas text[], p_salts bytea[],
    p_earliest timestamptz[], p_latest timestamptz[], p_precisions text[],
    p_cases json, p_owing text[], p_obligations json, p_obligation_ids text[], p_asking text[], p_effects json,
    p_effect_ids text[], p_watching text[], p_watchers text[], p_watched text[], p_sources json,
    p_sent timestamptz, p_bound interval,
    out o_recorded timestamptz[], out o_hashes bytea[]
)
-- Plans are made once: planning costs more than running, and one made while a table was empty must not go on reading
-- the whole of it when it has grown. What does not apply is not called, and loops over rows are spelt out: a call costs
-- as much as a small query, and so does an array that is put together.
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off as $$
declare
    v_events integer := coalesce(cardinality(p_ids), 0);
    v_version integer;
    v_hash bytea;
    v_position bigint;
    v_head timestamptz;
    v_clock timestamptz;
    v_true timestamptz;
    v_said text;
    v_earliest timestamptz;
    v_latest timestamptz;
    v_rewoken text[] := '{}';
    v_together boolean := false;
    v_owners integer[];
    v_versions integer[];
    v_hashes bytea[];
    i integer := 0;
begin
    -- A statement of its own: the reads below must not share its snapshot, which is older than the lock.
    if v_events > 0 or p_keys is not null then
        perform pg_advisory_xact_lock(4846793);
    end if;
    if exists (select from loss) then
        perform caravel_check_loss(p_types);
    end if;
    if p_epochs is not null then
        perform caravel_check_epoch((select min(epoch) from unnest(p_epochs) epoch));
    end if;
    o_recorded := array_fill(null::timestamptz, array[cardinality(p_streams)]);
    o_hashes := array_fill(null::bytea, array[cardinality(p_streams)]);
    select position, recorded_at into v_position, v_head from event order by position desc limit 1;
    if p_ats is null then
        v_clock := clock_timestamp();
        -- caravel_clocks_agree, spelt out.
        if (v_clock - p_sent between -p_bound and p_bound and (v_head is null or v_head <= v_clock + p_bound)) is not true then
            select o_clock, o_said into v_true, v_said from caravel_doubted(p_types, v_clock, p_sent, p_bound, v_head);
            v_clock := v_true;
            p_metas := array(select left(meta, -1) || ',"clock":' || v_said || '}'
                             from unnest(p_metas) with ordinality as given (meta, n) order by n);
        end if;
    end if;
    if v_events > 0 then
        if v_position is null and (p_streams[1], p_types[1]) <> ('installation', 'InstallationNamed') then
            raise exception 'the ledger has no name yet' using errcode = 'CV007';
        end if;
        -- A statement for each event costs as much again as the event; an append that comes after another to its stream
        -- has to find that one's.
        v_together := v_events > 1 and (cardinality(p_streams) = 1
            or (select count(distinct stream) = cardinality(p_streams) from unnest(p_streams) stream));
        if p_ats is not null then
            perform caravel_check_rehearsal(p_streams, p_types, p_datas[1]);
        end if;
    end if;
    for a in 1 .. cardinality(p_streams) loop
        if p_keys[a] is not null then
            insert into command values (p_actors[a], p_keys[a], p_bodies[a], p_streams[a], p_expected[a] + 1,
                p_expected[a] + p_counts[a]) on conflict do nothing;
            if not found then
                perform caravel_refuse_key(p_actors[a], p_keys[a], p_bodies[a]);
            end if;
        end if;
        select version, hash into v_version, v_hash from event where stream = p_streams[a] order by version desc limit 1;
        if coalesce(v_version, 0) <> p_expected[a] then
            raise exception 'the stream has moved on' using errcode = 'CV001';
        end if;
        for version in p_expected[a] + 1 .. p_expected[a] + p_counts[a] loop
            i := i + 1;
            if o_recorded[a] is null then
                v_head := greatest(coalesce(p_ats[a], v_clock), v_head);
                o_recorded[a] := coalesce(v_true, v_head);
            end if;
            v_earliest := case when p_precisions[i] is null then o_recorded[a] else p_earliest[i] end;
            v_latest := case when p_precisions[i] is null then o_recorded[a] else p_latest[i] end;
            v_hash := caravel_event_hash(v_hash, p_streams[a], version, p_ids[i], p_types[i], p_schemas[i], v_earliest,
                v_latest, coalesce(p_precisions[i], 'instant'), v_head, p_salts[i], p_datas[i], p_seals[i], p_metas[i]);
            if v_together then
                v_owners[i] := a;
                v_versions[i] := version;
                v_hashes[i] := v_hash;
            else
                insert into event values (coalesce(v_position, 0) + i, p_streams[a], version, p_ids[i], p_types[i],
                    p_schemas[i], v_earliest, v_latest, coalesce(p_precisions[i], 'instant'), v_head, p_datas[i],
                    p_seals[i], p_metas[i], p_salts[i], v_hash);
            end if;
        end loop;
        if p_counts[a] > 0 then
            o_hashes[a] := v_hash;
        end if;
    end loop;
    if v_together then
        insert into event
        select coalesce(v_position, 0) + n, p_streams[v_owners[n]], v_versions[n], p_ids[n], p_types[n], p_schemas[n],
            case when p_precisions[n] is null then o_recorded[v_owners[n]] else p_earliest[n] end,
            case when p_precisions[n] is null then o_recorded[v_owners[n]] else p_latest[n] end,
            coalesce(p_precisions[n], 'instant'), case when v_true is null then o_recorded[v_owners[n]] else v_head end, p_datas[n], p_seals[n], p_metas[n],
            p_salts[n], v_hashes[n]
        from generate_subscripts(p_ids, 1) n;
    end if;
    -- What goes to the same store in the same call counts as well: it was written above.
    if p_stores is not null and exists (
        select from unnest(p_streams, p_stores, p_seen) asked (stream, store, seen)
        join event placed on placed.position > asked.seen and placed.type = 'UnitPlaced'
            and placed.stream <> asked.stream and placed.data::json ->> 'store' = asked.store
    ) then
        raise exception 'something was put into the store' using errcode = 'CV001';
    end if;
    if p_cases is not null or p_owing is not null or p_asking is not null or p_watching is not null then
        v_rewoken := caravel_replace_views(p_streams, o_recorded, p_cases, p_owing, p_obligations, p_obligation_ids,
            p_asking, p_effects, p_effect_ids, p_watching, p_watchers, p_watched);
    end if;
    if p_sources is not null then
        insert into source select * from json_populate_recordset(null::source, p_sources)
        on conflict (stream) do update set version = excluded.version, state = excluded.state;
    end if;
    if v_events > 0 then
        perform pg_notify('caravel_events', (coalesce(v_position, 0) + v_events)::text);
    end if;
    if p_attended is not null then
        perform caravel_attend(p_streams, p_expected, p_counts, p_attended, p_woken, p_wake_at, p_ended, p_grace,
            v_rewoken);
    end if;
    if p_calls is not null then
        perform caravel_wake_watchers(p_streams, p_counts, p_calls);
    end if;
end
$$;
