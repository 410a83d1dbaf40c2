-- Who of the debtor's role has a task in hand, and who was asked to take it: null where nobody, as of everything before.
alter table obligation_view add column holder text;
alter table obligation_view add column offered text;
