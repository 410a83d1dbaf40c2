"""The `caravel` command line."""

from importlib.metadata import version

from cyclopts import App

app = App(
    name="caravel", help="System of record and engine for cell-therapy patient journeys.", version=version("caravel")
)


def main() -> None:
    """Run one command; the exit code says how it went."""
    app()
