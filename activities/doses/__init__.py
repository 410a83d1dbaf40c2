"""Parts that follow doses over the ledger: what they are made of, and who got them."""
