-- Nobody edits the tree or what was signed of it, not even their owner (as for event, see append.sql).
create or replace trigger tree_node_is_append_only before update or delete or truncate on tree_node
    for each statement execute function caravel_refuse_change();
alter table tree_node enable always trigger tree_node_is_append_only;
create or replace trigger checkpoint_is_append_only before update or delete or truncate on checkpoint
    for each statement execute function caravel_refuse_change();
alter table checkpoint enable always trigger checkpoint_is_append_only;

grant update (outside, refused, sinks) on sealing to caravel_sealer;
grant select on event, tree_node, checkpoint, sealing to caravel_sealer;
grant select on tree_node, checkpoint, sealing to caravel_app, caravel_auditor;
