-- The newest version of each protocol, as JSON the way the program writes it: keys in order, a blank behind each comma and
-- colon. A protocol that was never amended is at version 1.
with newest as (
  select stream, coalesce(max((data::json ->> 'number')::int) filter (where type = 'ProtocolAmended'), 1) as number
  from event
  where type in ('ProtocolRegistered', 'ProtocolAmended')
  group by stream
)
update source set state = whole.state
from (
  select stream, '{' || string_agg(to_json(key)::text || ': ' || value, ', ' order by key collate "C") || '}' as state
  from (
    select source.stream, each.key, each.value::text
    from source, json_each(source.state::json) as each
    where each.key <> 'number'
    union all
    select stream, 'number', number::text from newest
  ) as keys
  group by stream
) as whole
where source.stream = whole.stream and exists (select from newest where newest.stream = source.stream);
