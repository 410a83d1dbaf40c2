"""Where a rehearsal plays: a ledger of its own, one virtual clock, the engine's own loop, hospitals in this process."""
