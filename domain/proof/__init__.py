"""The Merkle tree over the ledger's leaves."""
