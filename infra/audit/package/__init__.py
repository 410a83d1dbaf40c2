"""One case to take home: a file with its history, the proofs, a report, and a program that checks it anywhere."""
