"""Lots and their units: which dose is whose, from registration to use or destruction."""
