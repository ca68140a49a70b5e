#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/linux-guests where all packages were fetched: makes the initramfs.

usage: test_linux_guests.py ROOT
"""

import gzip
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import tap  # noqa: E402

SCRIPT = pathlib.Path(sys.argv[1]) / "scripts/linux-guests"
BUSYBOX = b"in place of a busybox"


def fetched(directory):
    """What an earlier run leaves, as far as the next one looks at it."""
    parts = directory / "parts-amd64"
    parts.mkdir()
    (parts / "busybox").write_bytes(BUSYBOX)
    (directory / "release").write_text("bookworm\n")
    (directory / "packages").write_text("linux-image-0-amd64 0 amd64\n")


def run(directory, cc):
    env = dict(os.environ)
    env.pop("CC", None)
    if cc is not None:
        env["CC"] = cc
    return subprocess.run([SCRIPT, str(directory)], env=env, text=True,
                          capture_output=True, stdin=subprocess.DEVNULL)


def initramfs(cc):
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        fetched(directory)
        done = run(directory, cc)
        assert done.returncode == 0, f"CC={cc}: {done.stderr}"
        return (directory / "initrd-amd64.gz").read_bytes()


def any_cc_makes_the_same():
    plain = initramfs(None)
    assert BUSYBOX in gzip.decompress(plain)
    for cc in ("gcc", "env gcc", "gcc -O1"):
        assert initramfs(cc) == plain, f"CC={cc} makes another one"


def missing_cc_is_named():
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        fetched(directory)
        done = run(directory, "no-such-wrapper gcc")
        assert done.returncode == 1, done.returncode
        lines = done.stderr.splitlines()
        assert len(lines) == 1 and \
            lines[0].startswith("linux-guests: no-such-wrapper is missing"), \
            done.stderr


tap.run([
    ("CC is of one word or several", any_cc_makes_the_same),
    ("a CC that is not there is named", missing_cc_is_named),
])
