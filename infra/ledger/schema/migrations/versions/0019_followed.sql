-- How far changes of the catalogue were followed for the first rank of cases: all to `done`; those after it to `upto` are
-- being followed by `holder` until `lease_until`. What was before this table counts as followed. Operational.
create table followed (
    single boolean primary key default true check (single),
    done bigint not null,
    upto bigint not null,
    holder text not null,
    lease_until timestamptz not null,
    check (upto >= done)
);
insert into followed (done, upto, holder, lease_until)
select coalesce(max(position), 0), coalesce(max(position), 0), '', '-infinity' from event;
grant select, update (done, upto, holder, lease_until) on followed to caravel_app;
grant select on followed to caravel_auditor;

-- Turned back, a change would be told twice; what a range is stays as it is until it was followed to its end.
create trigger followed_goes_on before update on followed for each row
    when (new.done < old.done or new.upto < old.upto or (old.upto > old.done and new.upto <> old.upto))
    execute function caravel_refuse_return();
alter table followed enable always trigger followed_goes_on;
