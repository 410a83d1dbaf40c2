-- An obligation that chases something is late since that was due: the last instant it was given, and nothing came.
alter table obligation_view add column late_since timestamptz;
with owed as (
  select stream, data::json ->> 'obligation' as id,
    (data::json ->> 'kind') || ':' || (data::json ->> 'about') as what
  from event where type = 'ObligationOpened'
), dated as (
  select distinct on (stream, data::json ->> 'obligation')
    stream, data::json ->> 'obligation' as id, (data::json ->> 'due')::timestamptz as due
  from event where type in ('ObligationOpened', 'ObligationRedated')
  order by stream, data::json ->> 'obligation', version desc
), missed as (
  select owed.stream, owed.what, max(dated.due) as due
  from event
  join owed on owed.stream = event.stream and owed.id = event.data::json ->> 'obligation'
  join dated on dated.stream = owed.stream and dated.id = owed.id
  where event.type = 'ObligationMissed'
  group by owed.stream, owed.what
)
update obligation_view set late_since = missed.due
from missed
where missed.stream = obligation_view.stream and missed.what = obligation_view.about
  and obligation_view.kind like 'chase%';
create index obligation_view_late on obligation_view (late_since) where late_since is not null;
