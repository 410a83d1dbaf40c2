"""Brings files in piece by piece."""
