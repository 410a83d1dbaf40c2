"""What is read out of recorded facts: the second clock, differences, grounds, and runs under other rules."""
