-- Verifications that were asked for on a page: how far each is and what it found, for every process. Operational.
create table verification (
    id text primary key,
    stream text not null,
    began_at timestamptz not null,
    seen_at timestamptz not null,
    state text not null,
    found text not null
);
create unique index verification_running on verification ((true)) where state = 'running';
grant select, insert, update, delete on verification to caravel_app;
grant select on verification to caravel_auditor;
