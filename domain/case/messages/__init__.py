"""What was written to and by those outside, by thread."""
