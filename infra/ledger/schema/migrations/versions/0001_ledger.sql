-- Tables of the ledger, the read models that commit with it, and what the courier and the effects need.
-- Owner: caravel_owner. Roles and grants: ../../sql/roles.sql. Functions: ../../sql, applied again by every `migrate`.

-- The truth. docs/ledger-format.md explains each column. Only caravel_append_all writes here.
create table event (
    position bigint primary key,
    stream text not null,
    version integer not null,
    id text not null,
    type text not null,
    schema_version integer not null,
    occurred_earliest timestamptz,
    occurred_latest timestamptz,
    precision text not null check (precision in ('instant', 'day', 'bound', 'unknown')),
    recorded_at timestamptz not null,
    data text not null,
    sealed text not null,
    meta text not null,
    salts bytea not null check (octet_length(salts) = 48),
    hash bytea not null,
    constraint event_stream_version unique (stream, version)
);

-- What was recorded for (actor, idempotency key); first > last when the command wrote no event.
create table command (
    actor text not null,
    key text not null,
    body bytea not null,
    stream text not null,
    first integer not null,
    last integer not null,
    primary key (actor, key)
);

-- What the courier must know of a case. attended < version: nobody has looked since something was recorded.
-- An append to a watched stream sets attended to 0 and raises woken; an attend that had not seen that leaves it so.
-- Nobody is nudged before nudge_at.
create table attention (
    stream text primary key,
    version integer not null,
    attended integer not null,
    woken integer not null,
    wake_at timestamptz,
    ended boolean not null,
    nudge_at timestamptz not null
);
create index attention_unattended on attention (nudge_at) where attended < version;
create index attention_wake_at on attention (wake_at) where wake_at is not null;

-- One row an attempt of an effect; ended_at is null while nobody knows how it went.
create table claim (
    effect text not null,
    attempt integer not null,
    stream text not null,
    epoch integer not null,
    claimed_at timestamptz not null,
    lease_until timestamptz not null,
    ended_at timestamptz,
    newest boolean not null,
    primary key (effect, attempt)
);
create index claim_past_lease on claim (lease_until) where newest and ended_at is null;

-- The workflow engine that acts for this ledger; exactly one row.
create table engine (
    singleton boolean primary key check (singleton),
    epoch integer not null,
    target text not null,
    cluster text not null
);
insert into engine values (true, 0, '', '');

-- Which case wants to know when another stream grows.
create table watch (
    watcher text not null,
    stream text not null,
    primary key (watcher, stream)
);
create index watch_stream on watch (stream);

-- Lots, protocols, centres and persons as others see them; state is JSON.
create table source (
    stream text primary key,
    version integer not null,
    state text not null
);

-- The worklist. detail is JSON with its personal fields sealed.
create table case_view (
    stream text primary key,
    version integer not null,
    number text not null,
    stage text not null,
    exit text,
    owner text,
    team text,
    centre text,
    protocol text,
    country text,
    urgent boolean not null,
    on_hold boolean not null,
    open boolean not null,
    opened_at timestamptz not null,
    stage_since timestamptz not null,
    next_due timestamptz,
    next_kind text,
    next_debtor text,
    facts_version integer not null,
    detail text not null,
    constraint case_view_number unique (number)
);
create index case_view_due on case_view (next_due, stream);
create index case_view_owner_due on case_view (owner, next_due, stream);
create index case_view_team_due on case_view (team, next_due, stream);
create index case_view_stage_due on case_view (stage, next_due, stream);

create table obligation_view (
    id text primary key,
    stream text not null,
    kind text not null,
    about text not null,
    debtor text not null,
    creditor text not null,
    state text not null,
    due timestamptz not null,
    next_step_at timestamptz,
    opened_at timestamptz not null
);
create index obligation_view_stream on obligation_view (stream);
create index obligation_view_overdue on obligation_view (due) where state = 'open';

create table effect_view (
    id text primary key,
    stream text not null,
    kind text not null,
    about text not null,
    state text not null,
    tries integer not null,
    not_before timestamptz,
    requested_at timestamptz not null
);
create index effect_view_stream on effect_view (stream);
create index effect_view_unfinished on effect_view (requested_at) where state in ('requested', 'unknown');

-- Callbacks that were not believed: digest and size only, the newest 1,000.
create table rejected_callback (
    id bigint generated always as identity primary key,
    received_at timestamptz not null,
    centre text not null,
    reason text not null,
    digest bytea not null,
    size integer not null
);
