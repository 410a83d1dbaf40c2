"""Labels and reports on paper: what stands on them, in the reader's language, and where they are fetched."""
