-- Every table: the ledger, the read models that commit with it, what the courier and the effects need, the sealed tree,
-- and what is operational and may be emptied.
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
-- Who saw a case. The events are the truth; this only finds them. Other events are not in it.
create index event_cases_seen on event using gin ((data::jsonb -> 'cases')) where type = 'CasesSeen';

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

-- Sign-ins and one-question links. Operational: neither is part of the truth, both may be emptied at any time.

-- Only the SHA-256 of a token is kept. `kind` development is refused by every process without a development sign-in.
create table session (
    token bytea primary key check (octet_length(token) = 32),
    actor text not null,
    kind text not null check (kind in ('development', 'console')),
    opened_at timestamptz not null,
    expires_at timestamptz not null
);
create index session_expires_at on session (expires_at);

-- One question to somebody without an account. `fixed` is JSON of fields already known (opaque ids only).
create table capability (
    token bytea primary key check (octet_length(token) = 32),
    stream text not null,
    effect text not null,
    actor text not null,
    question text not null,
    commands text[] not null,
    fixed text not null,
    zone text not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index capability_expires_at on capability (expires_at);

grant select, insert, delete on session, capability to caravel_app;
grant update (used_at) on capability to caravel_app;

-- The tree over the ledger and what was signed of it. Only the sealer adds rows; nobody changes them.

-- Complete subtrees: (level, index) covers the events at positions index·2^level + 1 … (index + 1)·2^level.
create table tree_node (
    level smallint not null,
    index bigint not null,
    hash bytea not null check (octet_length(hash) = 32),
    primary key (level, index)
);

-- `note` is the signed checkpoint as it is kept outside, byte for byte.
create table checkpoint (
    size bigint primary key check (size > 0),
    root bytea not null check (octet_length(root) = 32),
    note text not null,
    signed_at timestamptz not null
);

-- How sealing does. Operational; exactly one row. `outside`: the largest size some sink holds; `refused`: why nothing
-- is signed; `sinks`: JSON, one entry a sink.
create table sealing (
    singleton boolean primary key check (singleton),
    outside bigint not null,
    refused text,
    sinks text not null
);
insert into sealing values (true, 0, null, '[]');

-- Which trace the newest command of a case belongs to, from its commit to the courier's nudge. Only while traces are sent.
create table trace (
    stream text primary key,
    parent text not null check (length(parent) <= 55)
);
grant select, insert, update, delete on trace to caravel_app;

-- What each chore of the night found last: JSON. Operational.
create table chore (
    name text primary key,
    ended_at timestamptz not null,
    fine boolean not null,
    found text not null
);
grant select, insert, update on chore to caravel_app;
grant select on chore to caravel_auditor;

-- Every policy this ledger's processes have worked under: the bytes of the policy file and of the calendars.
-- Events name it by its hash, so that what followed from it can be computed again. Not a read model.
create table policy (
    hash text primary key,
    file bytea not null,
    calendars bytea not null,
    constraint policy_is_its_hash check (
        hash = encode(sha256(int8send(octet_length(file)) || file || int8send(octet_length(calendars)) || calendars), 'hex')
    )
);
grant select, insert on policy to caravel_app;
grant select on policy to caravel_auditor;

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

-- What is missing at the end of this history, as far as others know of it: JSON, one row at most. Operational; what was
-- accepted is an event.
create table loss (
    single boolean primary key default true check (single),
    noted_at timestamptz not null,
    found text not null
);
grant select on loss to caravel_app, caravel_auditor, caravel_sealer;
