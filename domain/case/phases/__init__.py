"""Keeps what a case knows, one file a phase; domain/case/state.py puts them together."""
