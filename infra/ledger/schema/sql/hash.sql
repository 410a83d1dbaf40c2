-- The bytes of docs/ledger-format.md. Plain SQL, so that the planner inlines it into the append.

-- text(s): length and UTF-8 bytes; `migrate` takes only a database in UTF-8.
create or replace function caravel_text(value text) returns bytea
language sql stable parallel safe as $$
    select int8send(octet_length(value)) || convert_to(value, 'UTF8')
$$;

-- moment(t): present or absent, microseconds since 1970.
create or replace function caravel_moment(value timestamptz) returns bytea
language sql stable parallel safe as $$
    select case when value is null then '\x000000000000000000'::bytea
                else '\x01'::bytea || int8send((extract(epoch from value) * 1000000)::bigint) end
$$;

-- D(part); `place` is 0 for data, 1 for sealed, 2 for meta.
create or replace function caravel_part(salts bytea, place integer, content text) returns bytea
language sql stable parallel safe as $$
    select sha256(substring(salts from place * 16 + 1 for 16) || convert_to(content, 'UTF8'))
$$;

-- Chain link and Merkle leaf of one event. `previous` is null at version 1.
create or replace function caravel_event_hash(
    previous bytea, stream text, version integer, id text, type text, schema_version integer,
    earliest timestamptz, latest timestamptz, prec text, recorded timestamptz,
    salts bytea, data text, sealed text, meta text
) returns bytea
language sql stable parallel safe as $$
    select sha256(
        '\x00'::bytea
        || coalesce(previous, '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea)
        || int8send(1) || caravel_text(stream) || int8send(version) || caravel_text(id) || caravel_text(type)
        || int8send(schema_version) || caravel_moment(earliest) || caravel_moment(latest) || caravel_text(prec)
        || int8send((extract(epoch from recorded) * 1000000)::bigint)
        || caravel_part(salts, 0, data) || caravel_part(salts, 1, sealed) || caravel_part(salts, 2, meta)
    )
$$;
