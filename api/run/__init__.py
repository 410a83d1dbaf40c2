"""Assembles and starts the parts; the only place that sees everything."""
