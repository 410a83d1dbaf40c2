"""Holds what `caravel` can do, one file per command or group; imported only when it is run."""
