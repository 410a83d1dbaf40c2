-- What a centre takes, and where and for whom a protocol runs, from the newest events that say so, as JSON the way the
-- program writes it: keys in order, a blank behind each comma and colon.
with told as (
  select distinct on (stream) stream, data::json as said
  from event
  where type in ('CentreRegistered', 'CentreAmended', 'ProtocolRegistered', 'ProtocolAmended')
  order by stream, version desc
), door as (
  select distinct on (stream) stream, type = 'ProtocolClosed' as shut
  from event
  where type in ('ProtocolClosed', 'ProtocolOpenConfirmed')
  order by stream, version desc
), added as (
  select stream, 'accepts_international' as key, coalesce(said ->> 'accepts_international', 'null') as value
  from told where stream like 'centre-%'
  union all
  select stream, name, '[' || coalesce((
    select string_agg(to_json(one)::text, ', ' order by place)
    from json_array_elements_text(said -> name) with ordinality as listed (one, place)
  ), '') || ']'
  from told, (values ('centre-%', 'capabilities'), ('protocol-%', 'diseases')) as lists (kind, name)
  where stream like kind and (name = 'capabilities' or json_array_length(said -> name) > 0)
  union all
  select stream, 'centre', to_json(said ->> 'centre')::text
  from told where stream like 'protocol-%' and said ->> 'centre' <> ''
  union all
  select stream, 'shut', 'true' from door where shut
)
update source set state = whole.state
from (
  select stream, '{' || string_agg(to_json(key)::text || ': ' || value, ', ' order by key collate "C") || '}' as state
  from (
    select source.stream, each.key, each.value::text
    from source, json_each(source.state::json) as each
    where not exists (select from added where added.stream = source.stream and added.key = each.key)
    union all
    select stream, key, value from added
  ) as keys
  group by stream
) as whole
where source.stream = whole.stream and exists (select from added where added.stream = source.stream);
