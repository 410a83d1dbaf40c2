"""Any command as a form: shown from its types, read back, with files, kept over an expired session."""
