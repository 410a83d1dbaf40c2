"""Routes of the way to the centre."""
