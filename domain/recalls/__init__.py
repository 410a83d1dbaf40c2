"""Recalls: lots stopped, hospitals asked until each has acknowledged; streams that are driven as cases are."""
