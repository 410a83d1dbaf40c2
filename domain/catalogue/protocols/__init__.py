"""Holds what a protocol says of itself, and how those who answer for it govern its use."""
