"""Carries out each kind of effect: doses, hospitals, mail, erasure."""
