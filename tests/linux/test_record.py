# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux recorded, and the recording replayed: what a replay counts under any
policy is what the live guest was counted for under it. The workloads are those
of traces/, before they are cut.

-k: only cases whose names hold WORD, or the word of another -k.

usage: test_record.py NOTRAP [-k WORD]...
"""

import json
import pathlib
import tempfile

import guests
from results import first_difference  # where guests.tap is

POLICIES = [("kvm-2.6.24", "off"), ("seed", "on"), ("kvm-2.6.25", "off"),
            ("kvm-2.6.25", "on"), ("kvm-2.6.28", "on"), ("xen", "off"),
            ("ept", "off"), ("native", "off")]
WORKLOADS = [("amd64", "boot", "off"), ("amd64", "fork notrap.n=50", "on"),
             ("amd64", "fork notrap.n=50 pti=on", "on"),
             ("amd64", "pipe notrap.n=20", "on"), ("amd64", "sort", "on"),
             ("amd64", "gzip notrap.n=8000", "on"),
             ("amd64", "compile", "on"),
             ("686pae", "fork notrap.n=50", "on")]

# A live run has no TLB and so no walks, which cycles and latencies include.
SAME = ["exits", "guest_faults", "bypass", "shadow"]


def figures(result):
    told = {word: result[word] for word in SAME}
    told["guest"] = {word: result["guest"][word]
                     for word in ("instructions", "fault_digest")}
    for table in ("by_rip", "by_gfn"):
        rows = told["exits"][table]
        told["exits"][table] = [{key: value for key, value in row.items()
                                 if key != "cycles"} for row in rows]
    told["guest_faults"]["chains"] = sorted(
        (row["chain"], row["faults"], row["exits"])
        for row in told["guest_faults"]["chains"])
    return told


def replayed(path, mmu, bypass, roi):
    out = guests.notrap("replay", str(path), "--format", "json", "-D",
                        f"mmu={mmu}", "-D", f"bypass={bypass}", "-D",
                        f"roi={roi}")
    return json.loads(out)


def same(kernel, words, roi):
    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work) / "trace"
        guests.boot(kernel, words, more=("--record", str(path)))
        for mmu, bypass in POLICIES:
            live = figures(guests.boot(kernel, words, f"mmu={mmu}",
                                       f"bypass={bypass}",
                                       f"roi={roi}").result)
            replay = figures(replayed(path, mmu, bypass, roi))
            found = first_difference(live, replay)
            assert not found, f"{mmu} bypass={bypass}: {found}"


ARGS = guests.arguments(__doc__)
guests.NOTRAP = ARGS.notrap
guests.tap.run([(f"{kernel}: {words}", same, kernel, words, roi)
                for kernel, words, roi in WORKLOADS], ARGS.k)
