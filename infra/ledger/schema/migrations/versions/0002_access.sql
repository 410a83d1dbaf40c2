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
