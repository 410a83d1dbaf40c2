-- What was erased, as the ledger says. The events are the truth; this only finds them.
create index event_erasures on event (stream) where type = 'CaseErased';
