-- Read models: replaced with every append, as the case says they are. Rows that did not change are not written.

-- p_views: {"case": row, "obligations": [rows], "effects": [rows], "watch": [streams], "source": row}; what is absent
-- stays as it is. Answers whether the stream began to watch another one.
create or replace function caravel_replace_views(p_stream text, p_views json) returns boolean
language plpgsql as $$
begin
    if p_views -> 'case' is not null then
        perform caravel_replace_case(p_views -> 'case');
    end if;
    if p_views -> 'obligations' is not null then
        perform caravel_replace_obligations(p_stream, p_views -> 'obligations');
    end if;
    if p_views -> 'effects' is not null then
        perform caravel_replace_effects(p_stream, p_views -> 'effects');
    end if;
    if p_views -> 'source' is not null then
        insert into source select * from json_populate_record(null::source, p_views -> 'source')
        on conflict (stream) do update set version = excluded.version, state = excluded.state;
    end if;
    return p_views -> 'watch' is not null and caravel_replace_watch(p_stream, p_views -> 'watch');
end
$$;

create or replace function caravel_replace_case(p_row json) returns void
language plpgsql as $$
begin
    insert into case_view select * from json_populate_record(null::case_view, p_row)
    on conflict (stream) do update set
        version = excluded.version, number = excluded.number, stage = excluded.stage, exit = excluded.exit,
        owner = excluded.owner, team = excluded.team, centre = excluded.centre, protocol = excluded.protocol,
        country = excluded.country, urgent = excluded.urgent, on_hold = excluded.on_hold, open = excluded.open,
        opened_at = excluded.opened_at, stage_since = excluded.stage_since, next_due = excluded.next_due,
        next_kind = excluded.next_kind, next_debtor = excluded.next_debtor, facts_version = excluded.facts_version,
        detail = excluded.detail;
end
$$;

create or replace function caravel_replace_obligations(p_stream text, p_rows json) returns void
language plpgsql as $$
begin
    delete from obligation_view
    where stream = p_stream and id not in (select id from json_populate_recordset(null::obligation_view, p_rows));
    insert into obligation_view as old select * from json_populate_recordset(null::obligation_view, p_rows)
    on conflict (id) do update set
        stream = excluded.stream, kind = excluded.kind, about = excluded.about, debtor = excluded.debtor,
        creditor = excluded.creditor, state = excluded.state, due = excluded.due,
        next_step_at = excluded.next_step_at, opened_at = excluded.opened_at
    where old.* is distinct from excluded.*;
end
$$;

create or replace function caravel_replace_effects(p_stream text, p_rows json) returns void
language plpgsql as $$
begin
    delete from effect_view
    where stream = p_stream and id not in (select id from json_populate_recordset(null::effect_view, p_rows));
    insert into effect_view as old select * from json_populate_recordset(null::effect_view, p_rows)
    on conflict (id) do update set
        stream = excluded.stream, kind = excluded.kind, about = excluded.about, state = excluded.state,
        tries = excluded.tries, not_before = excluded.not_before, requested_at = excluded.requested_at
    where old.* is distinct from excluded.*;
end
$$;

create or replace function caravel_replace_watch(p_stream text, p_streams json) returns boolean
language plpgsql as $$
declare
    v_streams text[] := array(select json_array_elements_text(p_streams));
begin
    delete from watch where watcher = p_stream and stream <> all (v_streams);
    insert into watch select p_stream, unnest(v_streams) on conflict do nothing;
    return found;
end
$$;
