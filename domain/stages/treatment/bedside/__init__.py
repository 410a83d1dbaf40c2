"""Compares patient and unit at the bedside by what two people scan."""
