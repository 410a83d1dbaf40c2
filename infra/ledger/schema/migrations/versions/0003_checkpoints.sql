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
