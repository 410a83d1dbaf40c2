"""Holds what cases depend on and do not own: protocols, centres, staff, the installation."""
