# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest of several processors: imported, verified, replayed, cut.

usage: test_smp.py NOTRAP LOG

LOG is a perf log of threads on several processors. On how many of them the
model guest runs changes neither its faults nor what a replay thinks of them.
"""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, LOG = sys.argv[1:3]

# kvm-2.6.20-rc3 shares no table between processors: nothing to send.
GENERATIONS = ("mmu=kvm-2.6.20,kvm-2.6.24,seed,kvm-2.6.25,"
               "kvm-2.6.28,kvm-2.6.38,kvm-3.1,xen")
DIGESTS = set()


def notrap(*args):
    done = subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, f"{args}: {done.stderr}"
    return done.stdout


def replay(path, *settings):
    words = [word for s in settings for word in ("-D", s)]
    out = notrap("replay", path, "--format", "json", *words)
    return [json.loads(line) for line in out.splitlines() if line]


def make(vcpus, granularity, path):
    notrap("import", "perf", LOG, "-o", path, "--memory", "64",
           "--vcpus", str(vcpus), "--granularity", granularity)


def is_as_on_one(vcpus, granularity):
    with tempfile.TemporaryDirectory() as box:
        path = os.path.join(box, "servers.ntr")
        make(vcpus, granularity, path)
        notrap("trace", "verify", path)
        results = replay(path, GENERATIONS, "bypass=off,on", "audit=entry")
        results += replay(path, "shadow-pages=64", "audit=entry")
        assert results == results[:-1] + replay(path, "shadow-pages=64",
                                                "audit=entry")
        for result in results:
            assert result["check"] == {"audit_violations": 0, "broken": ""}
            ipis = result["shadow"]["remote_tlb_ipi"]
            assert (ipis > 0) == (vcpus > 1), f"{vcpus}: {ipis}"
            assert ipis <= result["shadow"]["remote_tlb_flush"] * (vcpus - 1)
            DIGESTS.add(result["guest"]["fault_digest"])
        assert len(DIGESTS) == 1, "other faults"


def parts_replay(vcpus):
    with tempfile.TemporaryDirectory() as box:
        path = os.path.join(box, "servers.ntr")
        part = os.path.join(box, "part.ntr")
        make(vcpus, "full", path)
        for at in range(20000, 100000, 20000):
            notrap("trace", "cut", path, "-o", part, "--from-insn", f"{at}")
            notrap("trace", "verify", part)
            for result in replay(part, GENERATIONS, "audit=entry"):
                assert result["check"]["audit_violations"] == 0


def same_bytes():
    with tempfile.TemporaryDirectory() as box:
        paths = [os.path.join(box, name) for name in ("a.ntr", "b.ntr")]
        for path in paths:
            make(3, "pages", path)
        with open(paths[0], "rb") as a, open(paths[1], "rb") as b:
            assert a.read() == b.read()


tap.run([(f"{vcpus} processors, {granularity}", is_as_on_one, vcpus,
          granularity)
         for granularity in ("pages", "full") for vcpus in (1, 2, 3, 4)] +
        [("parts of two", parts_replay, 2), ("parts of four", parts_replay, 4),
         ("the same twice", same_bytes)])
