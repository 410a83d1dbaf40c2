"""What assembles and starts the parts; the only place that sees everything."""
