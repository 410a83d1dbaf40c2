"""Who waits for a unit of a product, and whose turn it is."""
