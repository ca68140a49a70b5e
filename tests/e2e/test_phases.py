# SPDX-License-Identifier: GPL-2.0-or-later
"""The phases guest: what each step costs in each generation, by hand.

usage: test_phases.py NOTRAP PHASES_ELF

Expectations are page-fault exits by cause, INVLPG exits and guest faults that
caused no exit; what is not told is 0.  `kernel` stands for one hidden fill of
the kernel's own mapping of the page table, which it then writes through.
"""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, PHASES = sys.argv[1:3]
N = 256  # pages; also 2 * N entries of the table are in use

CLEARS = ["kvm-2.6.20 off"]
UPDATES = ["kvm-2.6.24 off", "seed off", "kvm-2.6.25 off"]
SEED = ["seed on"]
CURED = ["kvm-2.6.25 on"]
WITH_28 = ["kvm-2.6.28 off", "kvm-2.6.28 on"]
WITH_38 = ["kvm-2.6.38 off", "kvm-2.6.38 on", "kvm-3.1 off"]
UNSYNC_OFF = ["kvm-2.6.28 off", "kvm-2.6.38 off", "kvm-3.1 off"]
UNSYNC_ON = ["kvm-2.6.28 on", "kvm-2.6.38 on"]
XEN = ["xen off"]
SYNC = CLEARS + UPDATES + SEED + CURED  # KVM before unsync
UNSYNC = UNSYNC_OFF + UNSYNC_ON
ALL = SYNC + UNSYNC + XEN
kernel = 1


def expect(hidden=0, dirty=0, writes=0, injected=0, direct=0, invlpg=0):
    return {"hidden_fill": hidden, "accessed_dirty": dirty,
            "pt_write": writes, "injected": injected, "direct": direct,
            "INVLPG": invlpg}


# Phase, [(policies, what they cost)], and why.
TABLE = [
    # A shadow starts empty; no neighbour is filled ahead, as none has A.
    ("first-read", [(ALL, expect(hidden=N))]),
    ("read-again", [(ALL, expect())]),
    # D is clear, so no spte may let a write through unseen.
    ("first-write", [(ALL, expect(dirty=N))]),
    ("write-again", [(ALL, expect())]),
    # The same root is found again with all its tables.
    ("reload-write", [(ALL, expect())]),
    # The ladder: fault, page-table write, refault.
    ("demand-write", [
        (CLEARS, expect(kernel + N, writes=N, injected=N)),
        (UPDATES, expect(kernel, writes=N, injected=N)),
        # Bypassed faults no longer reset the fork detector: every third
        # write zaps the table, so that its page faults once more.
        (SEED, expect(kernel + N // 3, writes=N, direct=N)),
        (CURED, expect(kernel, writes=N, direct=N)),
        # The kernel's access lets the table out of sync, so that its stores
        # are not seen: each page is filled when it is used.
        (UNSYNC_OFF, expect(kernel + N, injected=N)),
        # The first fault goes direct; then the table is out of sync, in
        # which there is no notrap.
        (UNSYNC_ON, expect(kernel + N, injected=N - 1, direct=1)),
        # 31 entries that follow are filled by a fault of a neighbour.
        (XEN, expect(writes=N, injected=N)),
    ]),
    # Writes in a row without a fault between: the fork detector zaps the
    # table at the third.  The next write finds the frame free, and one fill
    # gives the kernel's mapping W back; the rest is not seen.
    ("unmap", [
        # Its detector has not been reset by the faults of demand-write.
        (CLEARS, expect(1, writes=1)),
        # The last write of demand-write was the first in a row.
        (UPDATES[:2] + SEED, expect(1, writes=2)),
        # That one's spte has been used, which the detector forgives.
        (UPDATES[2:] + CURED, expect(1, writes=3)),
        # INVLPG exits again, and looks at the entry.
        (UNSYNC, expect(invlpg=N)),
        # Two writes of zeros zap it.
        (XEN, expect(1, writes=2, invlpg=N)),
    ]),
    # No table is shadowed at first, but for UNSYNC: the first fault finds
    # none and exits, its write is not seen, its page is filled by the retry.
    ("demand-read", [
        (CLEARS, expect(N, writes=N - 1, injected=N)),
        (UPDATES + XEN, expect(1, writes=N - 1, injected=N)),
        (SEED, expect(1 + N // 3, writes=N - 1, injected=1, direct=N - 1)),
        (CURED, expect(1, writes=N - 1, injected=1, direct=N - 1)),
        # Unsync: the table stayed; the INVLPGs left trap.
        (UNSYNC, expect(N, injected=N)),
    ]),
    ("then-write", [
        # Of the pages mapped before the last zap nothing is left.
        (CLEARS + SEED, expect(N - 1, dirty=1)),
        (UPDATES + CURED + UNSYNC + XEN, expect(dirty=N)),
    ]),
    # As unmap: with the detector reset by the faults of then-write, except
    # in 2.6.20.
    ("protect", [
        (CLEARS, expect(1, writes=1)),
        (UPDATES + SEED + CURED, expect(1, writes=3)),
        # Seen by the sync at the reload of CR3.
        (UNSYNC, expect()),
        # No detector for writes that are not zero.
        (XEN, expect(writes=N)),
    ]),
    # P=1: no bypass.  As in demand-read, the first write is not seen.
    ("copy", [
        (CLEARS, expect(N, writes=N - 1, injected=N)),
        (UPDATES + SEED + CURED, expect(1, writes=N - 1, injected=N)),
        # INVLPG drops the spte, in 2.6.28; later it fills it anew.
        (WITH_28, expect(kernel + N, injected=N, invlpg=N)),
        (WITH_38, expect(kernel, injected=N, invlpg=N)),
        (XEN, expect(writes=N, injected=N, invlpg=N)),
    ]),
    # An entry without A is not mapped by its write: the first use sets A.
    ("demand-no-bits", [
        (CLEARS, expect(N, writes=N - 1, injected=N)),
        (UPDATES + XEN, expect(1, N - 1, N - 1, injected=N)),
        (SEED + CURED, expect(1, N - 1, N - 1, injected=1, direct=N - 1)),
        (UNSYNC, expect(N, injected=N)),
    ]),
    # SYNC and Xen have no shadow of the table since the unmap before this;
    # the others have it in sync since the reload: one fill lets it go.
    ("map", [
        (SYNC + XEN, expect()),
        (UNSYNC, expect(kernel)),
    ]),
    ("read-mapped", [
        (SYNC + WITH_28, expect(N)),
        (WITH_38, expect(N // 8)),
        (XEN, expect(N // 32)),
    ]),
    # User code that may write a table: its shadow is given up, or, unsync,
    # let go.  2.6.20 and Xen read first and give it up at the write.
    ("rewrite", [
        (CLEARS + XEN, expect(2)),
        (UPDATES + SEED + CURED + UNSYNC, expect(1)),
    ]),
    ("rewrite-again", [(ALL, expect())]),
    ("reload-read", [
        # The table's shadow was given up with its sptes.
        (SYNC, expect(N)),
        (XEN, expect(N // 32)),
        (UNSYNC, expect()),
    ]),
    # In use as a table again, so it was protected, or synced, meanwhile.
    ("rewrite-after", [(ALL, expect(1))]),
    # A directory never goes out of sync: the detector zaps it.
    ("directory", [
        (CLEARS, expect(2)),
        (UPDATES + SEED + CURED + XEN, expect(1)),
        (WITH_28, expect(2, writes=3)),
        (WITH_38, expect(1, writes=3)),
    ]),
    ("use-directory", [(ALL, expect(1))]),
]

# What the guest sees, under all of them.
FAULTS = {"demand-write": {"0x6": N}, "demand-read": {"0x4": N},
          "copy": {"0x7": N}, "demand-no-bits": {"0x6": N}}


def run(phase, *settings):
    """Results by policy, and the console."""
    with tempfile.NamedTemporaryFile() as console:
        args = [NOTRAP, "run", PHASES, "-D", "audit=entry", "-D", "roi=on",
                "--format", "json", "--console", console.name]
        if phase is not None:
            args += ["--append", f"phase={phase}"]
        for setting in settings:
            args += ["-D", setting]
        done = subprocess.run(args, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=300)
        results = [json.loads(line) for line in done.stdout.splitlines()]
        with open(console.name, encoding="ascii") as text:
            return results, text.read(), done


def cost(result):
    found = dict(result["exits"]["page_fault"])
    found["INVLPG"] = result["exits"]["by_reason"].get("INVLPG", 0)
    found["direct"] = result["guest_faults"]["direct"]
    return {name: count for name, count in found.items() if count}


def one_phase(phase, rows):
    wanted = {}
    for policies, expected in rows:
        for policy in policies:
            assert policy not in wanted, f"{policy} is told twice"
            wanted[policy] = {k: v for k, v in expected.items() if v}
    assert set(wanted) == set(ALL), f"untold: {set(ALL) - set(wanted)}"
    for bypass in "off", "on":
        names = [policy.split()[0] for policy in wanted
                 if policy.endswith(f" {bypass}")]
        results, _, done = run(phase, "mmu=" + ",".join(names),
                               f"bypass={bypass}")
        assert done.returncode == 0, done.stderr
        assert len(results) == len(names), f"{len(results)} results"
        for name, result in zip(names, results):
            policy = f"{name} {bypass}"
            got = cost(result)
            assert got == wanted[policy], \
                f"{policy}: got {got}, want {wanted[policy]}"
            seen = result["guest_faults"]["by_error_code"]
            assert seen == FAULTS.get(phase, {}), f"{policy}: faults {seen}"
            assert not result["check"]["audit_violations"], policy


def all_phases():
    """The guest prints what it counted; its list is the one above."""
    _, console, done = run(None, "mmu=kvm-2.6.25")
    assert done.returncode == 0, done.stderr
    wanted = []
    for phase, _ in TABLE:
        counts = [f"{code}={count}"
                  for code, count in FAULTS.get(phase, {}).items()]
        wanted.append(" ".join(["phase", phase, *counts]))
    assert console.splitlines() == wanted, console


def bad_phase(name):
    results, console, done = run(name, "mmu=kvm-2.6.25")
    assert done.returncode == 1, done.returncode
    assert results[0]["guest"]["status"] == "exit 2", results[0]["guest"]
    assert "phase=NAME, one of" in console, console


CASES = [("the guest's own counts", all_phases)]
CASES += [(phase, one_phase, phase, rows) for phase, rows in TABLE]
CASES += [(f"no such phase: {name!r}", bad_phase, name)
          for name in ("copies", "")]
tap.run(CASES)
