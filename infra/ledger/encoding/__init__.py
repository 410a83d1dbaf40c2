"""How an event is stored: as JSON, sealed, hashed, lifted from older shapes, and sent in batches."""
