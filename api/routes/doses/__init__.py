"""Routes of what doses are made of, and who got them."""
