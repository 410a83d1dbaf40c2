"""The clock and the hands: one durable loop per open case, and the table of effects in journey order."""
