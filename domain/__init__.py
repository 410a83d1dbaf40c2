"""The journey as pure values and functions: no clock, no chance, no input or output; start in journey.py."""
