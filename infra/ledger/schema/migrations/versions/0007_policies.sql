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
