"""Shows what an auditor reads: proofs, who looked, the nightly report."""
