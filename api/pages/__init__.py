"""HTML templates of the pages the API serves by itself."""
