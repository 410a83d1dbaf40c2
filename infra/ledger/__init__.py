"""The append-only ledger on PostgreSQL: docs/ledger-format.md says what is stored, ledger.py is the way in."""
