-- How a patient comes to the product, where that is no trial, by the newest event that says so; as JSON the way the program
-- writes it: keys in order, a blank behind each comma and colon. Before version 3 of these events all were trials.
with told as (
  select distinct on (stream) stream, coalesce(data::json ->> 'access', 'trial') as access
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
    union all
    select stream, 'access', to_json(access)::text from told where access <> 'trial'
  ) as keys
  group by stream
) as whole
where source.stream = whole.stream and exists (select from told where told.stream = source.stream and access <> 'trial');
