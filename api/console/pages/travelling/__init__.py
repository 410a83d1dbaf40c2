"""The pages of the way to the centre."""
