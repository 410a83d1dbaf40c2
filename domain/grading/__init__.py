"""Holds published grades of harm after cell therapy: what each kind is called, what it is computed from. No advice."""
