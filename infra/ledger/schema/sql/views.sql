-- Read models, as the cases say they are. Rows that did not change are not written.

-- The rows of the cases, as JSON. p_owing, p_asking, p_watching: cases whose obligations, effects, watches are given
-- anew; what is not among them is deleted. An instant that is null is that at which its stream of p_streams was recorded.
-- Answers with the cases that began to watch another stream.
drop function if exists caravel_replace_views;
create function caravel_replace_views(
    p_streams text[], p_recorded timestamptz[],
    p_cases json, p_owing text[], p_obligations json, p_obligation_ids text[], p_asking text[], p_effects json,
    p_effect_ids text[], p_watching text[], p_watchers text[], p_watched text[]
) returns text[]
language plpgsql as $$
declare
    v_rewoken text[];
begin
    if p_cases is not null then
        insert into case_view as old
        select stream, version, number, stage, exit, owner, team, centre, protocol, country, urgent, on_hold, open,
            coalesce(opened_at, p_recorded[array_position(p_streams, stream)]),
            coalesce(stage_since, p_recorded[array_position(p_streams, stream)]),
            next_due, next_kind, next_debtor, facts_version, detail
        from json_populate_recordset(null::case_view, p_cases)
        on conflict (stream) do update set
            version = excluded.version, number = excluded.number, stage = excluded.stage, exit = excluded.exit,
            owner = excluded.owner, team = excluded.team, centre = excluded.centre, protocol = excluded.protocol,
            country = excluded.country, urgent = excluded.urgent, on_hold = excluded.on_hold, open = excluded.open,
            opened_at = excluded.opened_at, stage_since = excluded.stage_since, next_due = excluded.next_due,
            next_kind = excluded.next_kind, next_debtor = excluded.next_debtor,
            facts_version = excluded.facts_version,
            detail = case excluded.detail when '' then old.detail else excluded.detail end;  -- empty: as it was
    end if;
    if p_owing is not null then
        delete from obligation_view where stream = any (p_owing) and id <> all (p_obligation_ids);
    end if;
    if p_obligations is not null then
        insert into obligation_view as old select * from json_populate_recordset(null::obligation_view, p_obligations)
        on conflict (id) do update set
            stream = excluded.stream, kind = excluded.kind, about = excluded.about, debtor = excluded.debtor,
            creditor = excluded.creditor, state = excluded.state, due = excluded.due,
            next_step_at = excluded.next_step_at, opened_at = excluded.opened_at, late_since = excluded.late_since,
            holder = excluded.holder, offered = excluded.offered
        where old.* is distinct from excluded.*;
    end if;
    if p_asking is not null then
        delete from effect_view where stream = any (p_asking) and id <> all (p_effect_ids);
    end if;
    if p_effects is not null then
        insert into effect_view as old
        select id, stream, kind, about, state, tries, not_before,
            coalesce(requested_at, p_recorded[array_position(p_streams, stream)])
        from json_populate_recordset(null::effect_view, p_effects)
        on conflict (id) do update set
            stream = excluded.stream, kind = excluded.kind, about = excluded.about, state = excluded.state,
            tries = excluded.tries, not_before = excluded.not_before, requested_at = excluded.requested_at
        where old.* is distinct from excluded.*;
    end if;
    if p_watching is not null then
        delete from watch w
        where watcher = any (p_watching) and not exists (
            select from unnest(p_watchers, p_watched) kept (watcher, stream)
            where (kept.watcher, kept.stream) = (w.watcher, w.stream));
    end if;
    if p_watchers is null then
        return '{}';
    end if;
    with begun as (
        insert into watch select * from unnest(p_watchers, p_watched) on conflict do nothing returning watcher
    ) select coalesce(array_agg(watcher), '{}') into v_rewoken from begun;
    return v_rewoken;
end
$$;
