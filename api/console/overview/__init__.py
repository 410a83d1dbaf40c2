"""Puts together what the page of a case shows: costs, criteria, decisions that are open again."""
