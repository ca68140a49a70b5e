# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests that hold results against one another share."""

import subprocess
import sys


def first_difference(one, other, names=("live", "replay"), path=""):
    """Of two JSON values: where, and what each has there; None: there is none.
    """
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(set(one) | set(other)):
            found = first_difference(one.get(key), other.get(key), names,
                                     f"{path}/{key}")
            if found:
                return found
        return None
    return None if one == other else \
        f"{path}: {names[0]} {one}, {names[1]} {other}"


def peak_memory(command):
    """KiB that a program took at most; it has to succeed."""
    done = subprocess.run(
        [sys.executable, "-c",
         "import resource, subprocess, sys\n"
         "subprocess.run(sys.argv[1:], check=True,"
         " stdout=subprocess.DEVNULL)\n"
         "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
         *command], capture_output=True, text=True, check=True)
    return int(done.stdout)
