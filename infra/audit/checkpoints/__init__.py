"""Signed checkpoints over the ledger: the tree, the sealer that extends it, and where checkpoints are kept outside."""
