"""Measurements of Caravel, each against a peer in the same run."""
