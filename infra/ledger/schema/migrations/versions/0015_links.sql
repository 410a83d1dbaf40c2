-- What is made of what, from both ends. The events are the truth; this only finds them.
create index event_links_to on event ((data::jsonb ->> 'parent')) where type = 'MaterialLinked';
create index event_links_of on event (stream) where type in ('MaterialLinked', 'MaterialUnlinked');
