"""The tables and functions of the database, and how an older database is brought to them."""
