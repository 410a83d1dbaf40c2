"""Holds what an auditor relies on: checkpoints kept outside, verification, and evidence packages to take home."""
