"""Everything that faces people: HTTP, console, command line."""
