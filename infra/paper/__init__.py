"""Sets labels and reports as PDF, the same bytes for the same input, with the fonts that are installed beside it."""
