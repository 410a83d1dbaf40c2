"""Checks of every promise, from pure rules to the whole stack under kills.

Bytecode is kept whatever the caller's shell says, as the Makefile has it: else each run compiles all it imports.
"""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
