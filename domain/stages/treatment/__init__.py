"""Admission to re-dosing: dose, bed, lymphodepletion, infusion, recovery, and what is observed."""
