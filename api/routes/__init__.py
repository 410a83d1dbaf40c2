"""The routes for programs, one file per resource."""
