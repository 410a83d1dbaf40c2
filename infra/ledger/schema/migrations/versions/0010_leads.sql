-- Who does what only one of all processes may do. A lease holds while it was renewed lately; `fence` only grows, and every
-- write of a leader names its own: see caravel_led. `holder` is null when the lease was given up; `lost_at` and `lost_by`
-- say when one last ended without that, and whose it was. Operational.
create table lead (
    role text primary key,
    fence bigint not null,
    holder text,
    since timestamptz not null,
    renewed_at timestamptz not null,
    lost_at timestamptz,
    lost_by text
);
grant select, insert, update on lead to caravel_app;
grant select on lead to caravel_auditor;
