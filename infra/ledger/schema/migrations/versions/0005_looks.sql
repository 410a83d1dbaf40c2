-- Who saw a case. The events are the truth; this only finds them. Other events are not in it.
create index event_cases_seen on event using gin ((data::jsonb -> 'cases')) where type = 'CasesSeen';
