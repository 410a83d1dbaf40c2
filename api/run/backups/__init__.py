"""Backups: made with an end mark, and put back only when they are whole."""
