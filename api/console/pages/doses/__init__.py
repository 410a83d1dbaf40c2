"""Pages of what doses are made of, who got them, and recalls."""
