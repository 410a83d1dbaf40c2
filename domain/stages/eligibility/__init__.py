"""Eligibility: centres review and decide, and give their quote."""
