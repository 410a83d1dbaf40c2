"""Inquiry: who asks, for whom, with whose consent; or a running case is taken over."""
