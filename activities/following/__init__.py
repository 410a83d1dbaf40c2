"""Follows what changes around cases and lots that watch nothing of it."""
