"""Stands between a stranger's bytes and everything that costs something."""
