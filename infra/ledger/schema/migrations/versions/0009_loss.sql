-- What is missing at the end of this history, as far as others know of it: JSON, one row at most. Operational; what was
-- accepted is an event.
create table loss (
    single boolean primary key default true check (single),
    noted_at timestamptz not null,
    found text not null
);
grant select on loss to caravel_app, caravel_auditor, caravel_sealer;
