-- What the product is called, of each protocol's newest version, as JSON the way the program writes it: keys in order, a
-- blank behind each comma and colon.
with newest as (
  select distinct on (stream) stream, data::jsonb -> 'product' as product
  from event
  where type in ('ProtocolRegistered', 'ProtocolAmended')
  order by stream, version desc
)
update source set state = whole.state
from (
  select stream, '{' || string_agg(to_json(key)::text || ': ' || value, ', ' order by key collate "C") || '}' as state
  from (
    select source.stream, each.key, each.value::text
    from source, json_each(source.state::json) as each
    where each.key <> 'product'
    union all
    select stream, 'product', product::text from newest
  ) as keys
  group by stream
) as whole
where source.stream = whole.stream and exists (select from newest where newest.stream = source.stream);
