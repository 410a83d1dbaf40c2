-- Who may do what. The application reads everything and writes history only through the functions.
revoke all on all functions in schema public from public;
grant execute on function caravel_append_all, caravel_claim, caravel_take_over, caravel_reject_callback, caravel_note_loss
    to caravel_app;
grant execute on function caravel_led to caravel_app, caravel_sealer;
grant execute on function caravel_note_loss, caravel_seal to caravel_sealer;
-- Everybody may check a hash.
grant execute on function caravel_text, caravel_moment, caravel_part, caravel_event_hash to caravel_app, caravel_auditor;
grant select on event, command, attention, claim, engine, watch, source, case_view, obligation_view, effect_view,
    rejected_callback to caravel_app, caravel_auditor;
grant update (nudge_at) on attention to caravel_app;
grant update (ended_at) on claim to caravel_app;
