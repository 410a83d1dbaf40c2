"""Rehearsals: whole journeys through years in seconds, on the real rules and a real ledger with a virtual clock."""
