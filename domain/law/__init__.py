"""Holds what countries ask: their rules as rows, and the study's review and filing."""
