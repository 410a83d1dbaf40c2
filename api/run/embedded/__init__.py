"""`caravel up`: every process on this machine, from one folder."""
