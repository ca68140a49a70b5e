# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux under odd conditions.

The same boot twice gives the same bytes, result and trace; boots with little
and much memory, budgets of shadow pages down to the least, and the audit after
every operation reach power-off; a guest that never ends is stopped, with
what was counted.

usage: test_robust.py NOTRAP [FIRST LAST]     some of the boots alone
"""

import pathlib
import sys
import tempfile

import guests

BOOTS = 50
BUDGETS = [64, 65, 71, 96, 200, 1024]
SHADOWS = [("kvm-2.6.25", "on"), ("kvm-2.6.28", "on"), ("seed", "on"),
           ("kvm-2.6.24", "off"), ("xen", "off"), ("kvm-3.1", "off"),
           ("kvm-2.6.38", "on"), ("kvm-2.6.20", "off")]


def recorded(path):
    run = guests.boot("amd64", "fork notrap.n=1",
                      more=("--record", str(path)))
    return run.text, path.read_bytes()


def twice():
    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work) / "trace"
        first, again = recorded(path), recorded(path)
    assert first[0] == again[0], "another result"
    assert first[1] == again[1], "another trace"


def varied(i):
    """Memory from what the kernel just runs in to ten times that."""
    mmu, bypass = SHADOWS[i % len(SHADOWS)]
    memory = 96 + i * i // 3 + i % 7
    run = guests.boot("amd64", "boot", f"mmu={mmu}", f"bypass={bypass}",
                      f"memory={memory}M", "audit=entry",
                      f"shadow-pages={BUDGETS[i % len(BUDGETS)]}")
    assert run.checksum() == guests.result("boot"), run.console[-600:]
    check = run.result["check"]
    assert not check["broken"] and not check["audit_violations"], check


def stopped(more, status):
    """Before init is through; what was counted until then is told."""
    run = guests.boot("amd64", "idle notrap.n=1000000", more=more, status=1)
    told = run.result["guest"]
    assert told["status"] == status, told
    assert "notrap:" not in run.console or "result" not in run.console
    exits = run.result["exits"]
    assert exits["total"] == sum(exits["by_reason"].values()) > 0, exits
    assert told["instructions"] > 0, told
    return told


def stopped_by_count():
    told = stopped(("--max-insns", "700000000"), "instruction limit")
    assert told["instructions"] == 700000000, told


def stopped_by_time():
    stopped(("--timeout", "20"), "timeout")


guests.NOTRAP = sys.argv[1]
chosen = range(*map(int, sys.argv[2:4])) if sys.argv[2:] else range(BOOTS)
cases = [(f"boot {i}", varied, i) for i in chosen]
if not sys.argv[2:]:
    cases += [("the same boot twice", twice),
              ("stopped by --max-insns", stopped_by_count),
              ("stopped by --timeout", stopped_by_time)]
guests.tap.run(cases)
