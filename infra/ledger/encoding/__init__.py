"""Stores an event: as JSON, sealed, hashed, lifted from older shapes, and sent in batches."""
