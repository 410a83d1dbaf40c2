-- What each chore of the night found last: JSON. Operational.
create table chore (
    name text primary key,
    ended_at timestamptz not null,
    fine boolean not null,
    found text not null
);
grant select, insert, update on chore to caravel_app;
grant select on chore to caravel_auditor;
