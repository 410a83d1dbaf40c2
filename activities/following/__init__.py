"""Follows what changes around cases that watch nothing of it."""
