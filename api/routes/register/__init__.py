"""Routes of the catalogue: its entries, how old they are, whole files of them."""
