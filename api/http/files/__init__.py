"""Looks into files that strangers send: their type, whether they are whole, and whose name is in them."""
