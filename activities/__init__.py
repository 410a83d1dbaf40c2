"""Touches the world on behalf of a case: the one door to the ledger and the named effects."""
