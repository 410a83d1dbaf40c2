-- Whether two clocks agree, and the last event lies behind both: what the database's says, what the process sent, how far
-- they may differ, when the last event was recorded. Not true when one is missing.
create or replace function caravel_clocks_agree(
    p_clock timestamptz, p_sent timestamptz, p_bound interval, p_head timestamptz
) returns boolean
language sql stable as $$
    select coalesce(p_clock - p_sent between -p_bound and p_bound and (p_head <= p_clock + p_bound or p_head is null), false)
$$;

create or replace function caravel_said(p_at timestamptz) returns text
language sql stable as $$ select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' $$;

-- What is done when they do not. No event is dated by a clock that is known to be wrong: CV010, but
--   a look, which is recorded before anybody is shown anything, is dated by the last event;
--   ahead of both clocks is only the last event, and a person has accepted that (or does so now): what comes after it is
--   recorded at its instant, since no event is recorded before the last, and `meta` says when it was.
-- Answers with the instant to date by, and what is put into each `meta`.
create or replace function caravel_doubted(
    p_types text[], p_clock timestamptz, p_sent timestamptz, p_bound interval, p_head timestamptz,
    out o_clock timestamptz, out o_said text
)
language plpgsql as $$
declare
    v_look constant boolean := p_types <> '{}' and p_types <@ array['CasesSeen'] and p_head is not null;
begin
    o_clock := p_clock;
    o_said := to_json(to_char(p_clock at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'))::text;
    if p_clock - p_sent between -p_bound and p_bound then
        if v_look or p_types = array['ClockAccepted'] or exists (
            select from event where stream = 'installation' and type = 'ClockAccepted' and recorded_at >= p_head
        ) then
            return;
        end if;
        raise exception 'the last event is dated %, and it is %: a clock was wrong when it was recorded; `caravel audit clock` says what was done by it and what to do',
            caravel_said(p_head), caravel_said(p_clock) using errcode = 'CV010';
    end if;
    if v_look then
        o_clock := p_head;
        o_said := 'null';
        return;
    end if;
    raise exception 'the clock of the database says %, that of this process %; nobody knows which is right. Set the wrong one right',
        caravel_said(p_clock), coalesce(caravel_said(p_sent), 'nothing') using errcode = 'CV010';
end
$$;
