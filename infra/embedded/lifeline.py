"""Runs a program that ends when its starter ends: `lifeline.py USER PARENT SIGNAL PROGRAM ARGUMENT ...`.

A program of its own, because code between fork and exec can deadlock in a process that has threads.
"""

import ctypes
import os
import pwd
import signal
import sys

KEEP_USER = "-"
PR_SET_PDEATHSIG = 1


def become(user: int) -> None:
    """Give up every right but those of `user`."""
    os.setgroups([])
    os.setgid(pwd.getpwuid(user).pw_gid)
    os.setuid(user)


def die_with(parent: int, death: int) -> None:
    """Ask the kernel for signal `death` when the starting thread ends; outside Linux the next start cleans up."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death)
    if os.getppid() != parent:
        sys.exit("the starter ended before its program began")


def main(user: str, parent: str, death: str, *command: str) -> None:
    """Become `user`, tie the end to `parent`, and turn into `command`."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background shell hands down an ignored Ctrl-C
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    if user != KEEP_USER:
        become(int(user))
    die_with(int(parent), int(death))  # after the change of user, which clears it
    os.execvp(command[0], command)  # noqa: S606  the whole purpose; no shell on purpose


def lifeline(command: list[str], *, user: int | None = None, death: int = signal.SIGKILL) -> list[str]:
    """Return the command line that runs `command` so that it ends with this process."""
    who = KEEP_USER if user is None else str(user)
    return [sys.executable, "-I", "-S", __file__, who, str(os.getpid()), str(int(death)), *command]


if __name__ == "__main__":
    main(*sys.argv[1:])
