# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs named cases and prints TAP; a case is a function that may assert.

TAP_TIMES=1 in the environment: also the processor time that each has taken,
with that of the programs it has run.
"""

import os
import signal
import sys
import traceback


class Skip(Exception):
    """Raised by a case that cannot run here."""


def tell_time(since):
    if os.environ.get("TAP_TIMES"):
        print(f"# {sum(os.times()[:4]) - since:.2f} s", flush=True)


def selected(cases, words):
    """Those whose names hold one of the words; without words, all."""
    found = [case for case in cases
             if not words or any(word in case[0] for word in words)]
    if not found:
        names = "".join(f"\n  {case[0]}" for case in cases)
        sys.exit(f"no case holds {' or '.join(words)}; there are{names}")
    return found


def run(cases, words=()):
    """cases: (name, function, arguments...) each; exits the program. Words
    select some of them."""
    cases = selected(cases, words)
    failed = 0
    # A shell's background ignores it, and so would the programs run here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(f"1..{len(cases)}", flush=True)
    for number, (name, function, *args) in enumerate(cases, 1):
        began = sum(os.times()[:4])
        try:
            function(*args)
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception as trouble:  # of any kind: the others still count
            failed += 1
            print(f"not ok {number} - {name}")
            text = (str(trouble) if isinstance(trouble, AssertionError)
                    else traceback.format_exc())
            for line in text.splitlines():
                print(f"# {line}", flush=True)
        tell_time(began)
    sys.exit(1 if failed else 0)
