-- The drugs of lymphodepletion with days, of each protocol's newest version, as JSON the way the program writes it: keys in
-- order, a blank behind each comma and colon. The keys of a drug are in that order in jsonb too (by length, then by letter).
with newest as (
  select distinct on (stream) stream, data::jsonb -> 'lymphodepletion' as drugs
  from event
  where type in ('ProtocolRegistered', 'ProtocolAmended')
  order by stream, version desc
), planned as (
  select stream, jsonb_agg(drug order by place) as drugs
  from newest, jsonb_array_elements(coalesce(drugs, '[]')) with ordinality as each (drug, place)
  where jsonb_array_length(drug -> 'days') > 0
  group by stream
)
update source set state = whole.state
from (
  select stream, '{' || string_agg(to_json(key)::text || ': ' || value, ', ' order by key collate "C") || '}' as state
  from (
    select source.stream, each.key, each.value::text
    from source, json_each(source.state::json) as each
    where each.key <> 'lymphodepletion'
    union all
    select stream, 'lymphodepletion', drugs::text from planned
  ) as keys
  group by stream
) as whole
where source.stream = whole.stream and exists (select from planned where planned.stream = source.stream);
