# SPDX-License-Identifier: GPL-2.0-or-later
"""live == replay == replay: one recording, replayed under every policy.

usage: test_replay.py NOTRAP MINI_ELF [--slow]

A guest is recorded once, under one policy. Under every other one a live run
and a replay of that recording must count the same. The processor's own walks
and TLBs cost nothing here, as live runs do not model them; then the latency of
every exit and fault is the same, too.
"""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402
from results import first_difference, peak_memory  # noqa: E402

NOTRAP, MINI = sys.argv[1:3]
SLOW = "--slow" in sys.argv

GENERATIONS = [["mmu=kvm-2.6.20-rc3,kvm-2.6.20,kvm-2.6.24,seed,kvm-2.6.25",
                "bypass=off,on"]]
OTHERS = [
    # Shadow pages are recycled all the time.
    ["shadow-pages=64", "mmu=kvm-2.6.20-rc3,kvm-2.6.24,seed,kvm-2.6.25"],
    ["dirty-log=20000", "mmu=kvm-2.6.20-rc3,kvm-2.6.20,kvm-2.6.25",
     "bypass=off,on"],
    ["cr3-targets=2", "mmu=kvm-2.6.25"],
    ["invlpg-exiting=on", "tsc-exiting=on", "hlt-exiting=off"],
    ["vendor=amd"],
    ["roi=on", "mmu=kvm-2.6.20,kvm-2.6.25", "bypass=off,on"],
]

WORKLOADS = [
    "hello",
    "touch pages=300 rw=r again=1",
    "touch pages=600",
    "touch pages=40 by=kernel populate=1",
    "fork procs=3 pages=12",
    "fork procs=3 pages=8 exec=1",
    "switch rounds=40",
    "switch rounds=300 hz=5000",
    "mmap rounds=12",
    "tables rounds=3",
    "absent",
    "switch rounds=400 timer=apic hz=20000",
    "mixed seed=1 rounds=40",
    "mixed seed=7 rounds=60 direct=2m",
]
if SLOW:
    WORKLOADS = [f"mixed seed={seed} rounds=200 procs=6 hz={hz}"
                 for seed in range(10, 20) for hz in (1000, 20000)] + [
                     "fork procs=40 pages=64", "touch pages=4000",
                     "switch rounds=2000", "mmap rounds=500"]

FREE = [
    f"cost.{key}=0"
    for key in ("tlb-l2", "walk", "walk-l1", "walk-l2", "walk-l3",
                "walk-mem", "ad-assist")
]

# What a trace cannot tell, or what only references have.
NOT_COMPARED = ["source", "tlb", "version", "cost_sources"]


def notrap(*args, status=0):
    done = subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=600)
    assert done.returncode == status, \
        f"{args}: status {done.returncode}, {done.stderr}"
    return done.stdout


def settings(values):
    return [word for value in values for word in ("-D", value)]


def comparable(line):
    result = json.loads(line)
    for name in NOT_COMPARED:
        result.pop(name, None)
    guest = result["guest"]
    for name in ("status", "line", "memory_digest", "console_digest"):
        guest.pop(name)
    for name in FREE:
        result["cost_counts"].pop(name.partition("=")[0])
    # A `pages` trace may tell an access with the page its instruction ends on.
    result["exits"].pop("by_rip")
    return result


def forget_retries(*results):
    """Faults that are fixed up, not retried: a later fault of the same
    instruction ends their latency and chain, which a run sees otherwise.
    """
    for result in results:
        for name in ("by_exits", "chains", "exits", "retried"):
            result["guest_faults"].pop(name)
        result.pop("latency")
        result.pop("uncertainty", None)


def machine_of(workload):
    return ["apic=on"] if "timer=apic" in workload else []


def record(workload, path, *more):
    notrap("run", MINI, "--append", workload, "--console", "none", "--record",
           path, *settings(machine_of(workload)), *more, "-o", path + ".json", "--format", "json")


def compare(workload, trace, values):
    values = values + machine_of(workload)
    live = notrap("run", MINI, "--append", workload, "--console", "none",
                  "--format", "json", *settings(values + FREE)).splitlines()
    args = ("replay", trace, "--format", "json", *settings(values + FREE))
    replay = notrap(*args).splitlines()
    assert len(live) == len(replay), f"{len(live)} runs, {len(replay)} replays"
    for one, other in zip(live, replay):
        one, other = comparable(one), comparable(other)
        if workload.startswith("tables"):
            forget_retries(one, other)
        found = first_difference(one, other)
        where = " ".join(f"{key}={one['config'][key]}"
                         for key in one["config_changed"])
        assert not found, f"{where}: {found}"
    assert notrap(*args).splitlines() == replay, "a second replay differs"


def live_is_replay(workload, granularity, policies):
    with tempfile.TemporaryDirectory() as scratch:
        trace = f"{scratch}/trace"
        record(workload, trace, "--granularity", granularity)
        for values in policies:
            compare(workload, trace, values)


def recorded_under(workload, values):
    """Whatever the policy of the recording was."""
    with tempfile.TemporaryDirectory() as scratch:
        trace = f"{scratch}/trace"
        record(workload, trace, *settings(values))
        compare(workload, trace, GENERATIONS[0])


def flat_memory():
    """A trace eight times as long takes no more memory."""
    with tempfile.TemporaryDirectory() as scratch:
        sizes = []
        for rounds in (30, 600):
            path = f"{scratch}/{rounds}"
            record(f"mixed seed=1 rounds={rounds}", path, "--granularity",
                   "full")
            sizes.append((os.path.getsize(path),
                          peak_memory([NOTRAP, "replay", path])))
        (short, few), (long, many) = sizes
        assert long > 4 * short, f"traces of {short} and {long} bytes"
        assert many < few + 4096, f"{few} KiB, then {many} KiB"


CASES = []
for name in WORKLOADS:
    for size in ("full", "pages"):
        CASES.append((f"{name}, {size}, generations", live_is_replay, name,
                      size, GENERATIONS))
if not SLOW:
    for name in ("mixed seed=3 rounds=40", "fork procs=4 pages=10"):
        CASES.append((f"{name}, other settings", live_is_replay, name, "pages",
                      OTHERS))
        for value in (["mmu=kvm-2.6.20"], ["mmu=seed", "bypass=off"],
                      ["mmu=kvm-2.6.25", "shadow-pages=64"]):
            CASES.append((f"{name}, recorded under {' '.join(value)}",
                          recorded_under, name, value))
    CASES.append(("memory is flat", flat_memory))

tap.run(CASES)
