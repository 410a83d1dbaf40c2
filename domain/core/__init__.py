"""The words everything else is said in: facts, instants, refusals, personal fields, codes, policy."""
