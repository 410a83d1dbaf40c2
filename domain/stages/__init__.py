"""One file per stage and track, in journey order: commands, events, decide, evolve, rules, needs, debts, effects."""
