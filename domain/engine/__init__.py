"""Runs a case: decides commands, folds facts, draws consequences, names the next instant."""
