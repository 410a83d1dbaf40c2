"""Holds one file per stage and track: commands, events, decide, evolve, rules, needs, obligations and effects due."""
