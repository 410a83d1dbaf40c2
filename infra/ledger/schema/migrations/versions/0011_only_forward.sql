-- What the application's role may update goes one way only, whoever asks, its owner and a replica session included.

-- The number of a leader begins at one and grows by one: turned back, the late writes of one that hung would be taken;
-- driven to its end, nobody could lead again.
create function caravel_lead_goes_on() returns trigger
language plpgsql as $$
begin
    if tg_op = 'INSERT' and new.fence = 1 then
        return new;
    end if;
    if tg_op = 'UPDATE' and new.role = old.role and new.fence - old.fence in (0, 1) then
        return new;
    end if;
    raise exception 'the number of a leader begins at one and grows by one' using errcode = 'CV005';
end
$$;
create trigger lead_goes_on before insert or update on lead for each row execute function caravel_lead_goes_on();
alter table lead enable always trigger lead_goes_on;

-- An attempt ends once: ended again or not at all, mail that may have arrived would be sent once more without a mark.
-- A link is used once.
create function caravel_refuse_return() returns trigger
language plpgsql as $$
begin
    raise exception 'this was done already, and is not undone' using errcode = 'CV005';
end
$$;
create trigger claim_ends_once before update on claim for each row
    when (old.ended_at is not null and new.ended_at is distinct from old.ended_at)
    execute function caravel_refuse_return();
alter table claim enable always trigger claim_ends_once;
create trigger capability_is_used_once before update on capability for each row
    when (old.used_at is not null and new.used_at is distinct from old.used_at)
    execute function caravel_refuse_return();
alter table capability enable always trigger capability_is_used_once;
