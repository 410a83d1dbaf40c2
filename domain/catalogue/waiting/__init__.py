"""Holds who waits for a place at a protocol, and whom each place that becomes free is offered to."""
