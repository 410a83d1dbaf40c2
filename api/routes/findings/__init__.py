"""Findings: what is taken in from files and links of others, and what summaries say."""
