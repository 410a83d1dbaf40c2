-- A leader that hung may come back after another has taken its place. Every write of a leader calls this in its own
-- statement, so that no transaction of a process that hangs holds the lock. CV009: another leads. Who asks with 0 has
-- never led, which is right only while nobody has.
create or replace function caravel_led(p_role text, p_fence bigint) returns text
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if p_fence < (select fence from lead where role = p_role for share) then
        raise exception 'another leads' using errcode = 'CV009';
    end if;
    return p_role;
end
$$;

-- What the sealer found, at once: whoever seals the same events a second time is refused by the keys of the tables.
create or replace function caravel_seal(
    p_fence bigint, p_levels smallint[], p_indexes bigint[], p_hashes bytea[], p_size bigint, p_root bytea, p_note text
) returns void
language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    perform caravel_led('sealer', p_fence);
    insert into tree_node select * from unnest(p_levels, p_indexes, p_hashes);
    insert into checkpoint values (p_size, p_root, p_note, clock_timestamp());
end
$$;
revoke insert on tree_node, checkpoint from caravel_sealer;
