"""Reads recorded facts: the second clock, differences, grounds, and runs under other rules."""
