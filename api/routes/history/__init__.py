"""Serves what an auditor reads: proofs, evidence, and what was known at a moment."""
