"""Checks of every promise, from pure rules to the whole stack under kills."""
