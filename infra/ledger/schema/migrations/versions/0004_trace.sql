-- Which trace the newest command of a case belongs to, from its commit to the courier's nudge. Only while traces are sent.
create table trace (
    stream text primary key,
    parent text not null check (length(parent) <= 55)
);
grant select, insert, update, delete on trace to caravel_app;
