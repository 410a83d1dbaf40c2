"""Before and around a new case: who is there already, and what its urgency would move."""
