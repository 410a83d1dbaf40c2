"""Rehearsals: whole journeys through years in seconds, on the real rules and a real ledger with a virtual clock.

`courses` and `days` read published courses, `tellings`, `mainline`, `before` and `script` turn one into commands on a
clock, `stage` plays them, `report` says what became of each; `cohort` plays generated cases instead.
"""
