"""Holds where a rehearsal plays: its own ledger, one virtual clock, the engine's loop, hospitals in this process."""
