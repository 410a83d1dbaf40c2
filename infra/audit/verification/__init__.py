"""Recomputes everything the ledger claims from its rows and from the checkpoints kept outside."""
