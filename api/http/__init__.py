"""Holds what every request passes: limits, sign-in, permission, JSON, and problems as answers."""
