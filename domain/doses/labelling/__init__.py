"""Reads what a scanner types of a label, and says what a label of a dose holds [doses.isbt-128] [doses.gs1]."""
