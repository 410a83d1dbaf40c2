"""PostgreSQL and Temporal as child processes with their data in one folder."""
