# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs named cases and prints TAP; a case is a function that may assert."""

import sys
import traceback


class Skip(Exception):
    """Raised by a case that cannot run here."""


def run(cases):
    """cases: (name, function, arguments...) each; exits the program."""
    failed = 0
    print(f"1..{len(cases)}")
    for number, (name, function, *args) in enumerate(cases, 1):
        try:
            function(*args)
            print(f"ok {number} - {name}")
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}")
        except Exception as trouble:  # of any kind: the others still count
            failed += 1
            print(f"not ok {number} - {name}")
            text = (str(trouble) if isinstance(trouble, AssertionError)
                    else traceback.format_exc())
            for line in text.splitlines():
                print(f"# {line}")
    sys.exit(1 if failed else 0)
