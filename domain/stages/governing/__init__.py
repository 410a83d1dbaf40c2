"""Holds what the make of a product, and those who govern its use, change for a case."""
