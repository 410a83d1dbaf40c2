"""`python -m bench [NAME …] [--small] [--peers] [--events N] [--mebibytes N] [--keep]`: measurements.

Each has a peer in its run. Without a name all of them, one after the other, each in a process of its own. `--small` is
a look of seconds at whether it works. `--peers` also installs other event stores, in a folder that goes with the run.
`--keep` writes the figures, and the page drawn from them, to docs/.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from importlib import import_module

from bench.common import Asked
from bench.page import draw, keep, machine
from bench.sections import SECTIONS

BENCHES = tuple(SECTIONS)


def asked() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, "page", []], metavar="NAME", help=", ".join(BENCHES))
    for word in ("--small", "--peers", "--keep"):
        parser.add_argument(word, action="store_true")
    for word in ("--events", "--mebibytes"):
        parser.add_argument(word, type=int)
    return parser.parse_args()


async def one(name: str, given: argparse.Namespace) -> None:
    """Run it here and print its rows as JSON lines."""
    before, rows = machine(), []
    async for row in import_module(f"bench.{name}").main(
        Asked(given.small, given.peers, given.events, given.mebibytes)
    ):
        print(json.dumps(row), flush=True)
        rows.append(row)
    if given.keep:
        keep(name, before, rows)


def main() -> int:
    """The exit code counts those that failed."""
    given = asked()
    if given.names == ["page"]:
        draw()
        return 0
    if len(given.names) == 1:
        asyncio.run(one(given.names[0], given))
        return 0
    rest = [word for word in sys.argv[1:] if word not in BENCHES]
    failed = 0
    for name in given.names or BENCHES:
        print(f"== {name}", flush=True)
        failed += subprocess.run([sys.executable, "-m", "bench", name, *rest], check=False).returncode != 0
    if given.keep:
        draw()
    return failed


if __name__ == "__main__":
    sys.exit(main())
