#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tap.py: what it prints, and the choice of cases by -k."""

import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import tap  # noqa: E402

PROGRAM = """
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import tap

def right():
    pass

def wrong():
    assert False, "one\\ntwo"

def skipped():
    raise tap.Skip("no such thing")

def gone():
    open("/nowhere/at/all")

tap.run([("a: right", right), ("b: wrong", wrong), ("a: skipped", skipped),
         ("c: gone", gone)], sys.argv[2:])
"""


def run(*words):
    return subprocess.run([sys.executable, "-c", PROGRAM,
                           str(Path(__file__).parent), *words], text=True,
                          capture_output=True, check=False)


def all_cases():
    done = run()
    lines = done.stdout.splitlines()
    assert lines[:6] == ["1..4", "ok 1 - a: right", "not ok 2 - b: wrong",
                         "# one", "# two",
                         "ok 3 - a: skipped # SKIP no such thing"], lines
    assert lines[6] == "not ok 4 - c: gone", lines
    assert "FileNotFoundError" in lines[-1], lines
    assert done.returncode == 1, done.returncode


def some_cases():
    done = run("a:")
    assert done.stdout == "1..2\nok 1 - a: right\n" \
        "ok 2 - a: skipped # SKIP no such thing\n", done.stdout
    assert done.returncode == 0, done.returncode
    done = run("b:", "right")
    assert done.stdout.splitlines()[:3] == \
        ["1..2", "ok 1 - a: right", "not ok 2 - b: wrong"], done.stdout


def no_case():
    """A test that runs nothing has not passed; it says what there is."""
    done = run("d:", "e:")
    assert done.returncode == 1 and not done.stdout, done
    assert done.stderr.splitlines() == [
        "no case holds d: or e:; there are", "  a: right", "  b: wrong",
        "  a: skipped", "  c: gone"], done.stderr


tap.run([
    ("every case, and how it went", all_cases),
    ("some, by words", some_cases),
    ("words that no case holds", no_case),
])
