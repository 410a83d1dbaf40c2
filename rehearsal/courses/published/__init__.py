"""Reads a file of published courses: events, their days, and the corrections that later papers made."""
