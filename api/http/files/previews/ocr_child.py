"""Becomes Debian's tesseract, bounded as each child that reads a stranger's file; a picture is on standard input."""

from __future__ import annotations

import os
import resource
import sys

MEMORY, SECONDS = 2 * 1024 * 1024 * 1024, 60
"""Bytes of memory and seconds of work at most [records.proposals]."""


def main(program: str, languages: str) -> None:
    """Read the picture; the text goes to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(kind, (0, 0))
    os.execv(program, [program, "stdin", "stdout", "-l", languages])  # noqa: S606 - no shell


if __name__ == "__main__":
    main(*sys.argv[1:3])
