-- The class of the product, and that no lymphodepletion is planned, of each protocol's newest version, as JSON the way the
-- program writes it: keys in order, a blank behind each comma and colon. What is not said stands there in no row.
with newest as (
  select distinct on (stream) stream, data::jsonb as told
  from event
  where type in ('ProtocolRegistered', 'ProtocolAmended')
  order by stream, version desc
), made as (
  select stream, 'product_class' as key, told -> 'product_class' as value from newest
  where told ->> 'product_class' <> 'not_said'
  union all
  select stream, 'depletion_planned', told -> 'lymphodepletion_planned' from newest
  where told -> 'lymphodepletion_planned' = 'false'
)
update source set state = whole.state
from (
  select stream, '{' || string_agg(to_json(key)::text || ': ' || value, ', ' order by key collate "C") || '}' as state
  from (
    select source.stream, each.key, each.value::text
    from source, json_each(source.state::json) as each
    where each.key not in ('product_class', 'depletion_planned')
    union all
    select stream, key, value::text from made
  ) as keys
  group by stream
) as whole
where source.stream = whole.stream and exists (select from made where made.stream = source.stream);
