"""Says how the disease answers to the cells, and what follows when it or the cells do not."""
