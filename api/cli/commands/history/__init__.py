"""Holds `caravel audit …`: what proves history, takes it away and plays it again."""
