# SPDX-License-Identifier: GPL-2.0-or-later
"""run --model full == a replay of the recording of that run.

usage: test_model.py NOTRAP MINI_ELF

A guest is recorded once. Under every configuration a run with model=full must
have the counts of a replay of that recording, to the last one; what it does
not add to, the exits, faults and handlers, must be as without it.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402
from results import first_difference, peak_memory  # noqa: E402

NOTRAP, MINI = sys.argv[1:3]

WORKLOADS = [
    "touch pages=300 rw=r again=1",
    "touch pages=40 by=kernel populate=1",
    "fork procs=3 pages=8 exec=1",
    "switch rounds=40",
    "mmap rounds=12",
    "absent",
    "mixed seed=1 rounds=40",
    "mixed seed=7 rounds=60 direct=2m",
    "mixed seed=5 rounds=40 direct=2m hz=20000",
]

POLICIES = [
    ["mmu=kvm-2.6.20-rc3,kvm-2.6.20,kvm-2.6.24,seed,kvm-2.6.25,kvm-2.6.28,"
     "kvm-3.1,xen,ept,native", "bypass=off,on"],
    ["mmu=kvm-2.6.24,kvm-2.6.25,ept", "roi=on"],
    ["mmu=kvm-2.6.25", "shadow-pages=64", "dirty-log=20000", "audit=entry"],
    ["mmu=ept,native", "ept-pages=2m"],
]

# What the lane's hardware, costs and flushes come from.
MACHINES = [
    ["machine=merom,nehalem,skylake,k10,zen3"],
    ["machine=haswell,sapphire-rapids", "mmu=kvm-3.1,ept", "vpid=on"],
    ["machine=ice-lake", "hypervisor=kvm-5-mitigated,xen-3", "mmu=xen"],
    ["machine=generic", "cost.walk-mem=1000", "vpid=on", "bypass=off,on"],
]

# The source, and what only a live guest has.
ONLY_LIVE = ("status", "line", "ok", "memory_digest", "console_digest")


def run(workload, values, *more, status=0):
    words = [word for value in values for word in ("-D", value)]
    done = subprocess.run(
        [NOTRAP, "run", MINI, "--append", workload, "--console", "none",
         "--format", "json", *words, *more], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=600)
    assert done.returncode == status, f"{done.returncode}: {done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def replay(path, values):
    words = [word for value in values for word in ("-D", value)]
    done = subprocess.run([NOTRAP, "replay", path, "--format", "json", *words],
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def counts(result):
    """All that a replay has, too."""
    result = json.loads(json.dumps(result))
    del result["source"], result["config"]["model"], result["config_changed"]
    for name in ONLY_LIVE:
        del result["guest"][name]
    return result


def without_tlbs(result):
    """What every live run counts."""
    faults, exits = result["guest_faults"], dict(result["exits"])
    del exits["by_rip"]  # near the end of a page, see docs/limits.md
    # An exit lasts until its instruction is through, TLBs included.
    exits["by_gfn"] = [{key: row[key] for key in row if key != "cycles"}
                       for row in exits["by_gfn"]]
    return {
        "exits": exits,
        "shadow": result["shadow"],
        "bypass": result["bypass"],
        "faults": [faults[name] for name in
                   ("total", "direct", "injected", "by_error_code")],
        "cycles": {part: result["cycles"][part]
                   for part in ("guest", "exit", "handler", "delivery")},
        "guest": result["guest"],
    }


def same(one, other, what):
    assert len(one) == len(other) > 0, f"{what}: {len(one)}, {len(other)}"
    for a, b in zip(one, other):
        found = first_difference(a, b, ("full", what))
        assert not found, f"{what}: {found}"


def full_is_replay(workload, granularity, policies=None):
    size = ("--granularity", granularity)
    with tempfile.TemporaryDirectory() as scratch:
        path = f"{scratch}/trace"
        run(workload, [], "--record", path, *size)
        for values in policies or POLICIES:
            full = run(workload, values, "--model", "full", *size)
            assert all(result["tlb"]["l1d_lookups"] for result in full)
            same(list(map(counts, full)),
                 list(map(counts, replay(path, values))), "replay")
            if granularity == "pages":
                same(list(map(without_tlbs, full)),
                     list(map(without_tlbs, run(workload, values))), "plain")


def own_recording(workload):
    """
    Its tables hold A bits, which this or that policy sets: a recording has
    them as the run that made it, so walks are those of its own replay alone.
    """
    with tempfile.TemporaryDirectory() as scratch:
        path = f"{scratch}/trace"
        for values in (["mmu=native"], ["mmu=ept"], ["mmu=kvm-2.6.20"],
                       ["mmu=kvm-2.6.25", "bypass=off"], ["mmu=kvm-2.6.25"]):
            full = run(workload, values, "--model", "full", "--record", path)
            same(list(map(counts, full)),
                 list(map(counts, replay(path, values))), values)
            same(list(map(without_tlbs, full)),
                 list(map(without_tlbs, run(workload, values))), values)


def both_at_once():
    """A recording beside it is as without it, and so are the counts."""
    workload, values = "mixed seed=2 rounds=60", ["mmu=seed"]
    with tempfile.TemporaryDirectory() as scratch:
        run(workload, values, "--record", f"{scratch}/one")
        full = run(workload, values + ["model=full"], "--record",
                   f"{scratch}/two")
        with open(f"{scratch}/one", "rb") as one, \
                open(f"{scratch}/two", "rb") as two:
            assert one.read() == two.read(), "the traces differ"
        same(full, run(workload, values + ["model=full"]), "without a trace")
        same([counts(full[0])], list(map(counts, replay(f"{scratch}/two",
                                                        values))), "replay")


def views_are_the_models():
    """A timeline and a log have what was counted, walks included."""
    workload = "fork procs=2 pages=6"
    with tempfile.TemporaryDirectory() as scratch:
        names = [f"{scratch}/{name}" for name in ("live.json", "live.log",
                                                  "replay.json", "replay.log")]
        run(workload, ["model=full"], "--record", f"{scratch}/t",
            "--timeline", names[0], "--log", names[1])
        subprocess.run([NOTRAP, "replay", f"{scratch}/t", "--timeline",
                        names[2], "--log", names[3]], check=True,
                       capture_output=True)
        files = []
        for name in names:
            with open(name, encoding="utf-8") as file:
                files.append(file.read())
        assert files[1] == files[3], "the logs differ"
        events = [json.loads(text)["traceEvents"] for text in
                  (files[0], files[2])]
        assert events[0] == events[1], "the timelines differ"


def cut_short():
    """--max-insns: what was counted so far, as a replay has it."""
    with tempfile.TemporaryDirectory() as scratch:
        for limit in ("150001", "1200000"):
            path = f"{scratch}/{limit}"
            full = run("mixed seed=1 rounds=40", [], "--model", "full",
                       "--max-insns", limit, "--record", path, status=1)
            assert full[0]["guest"]["instructions"] == int(limit)
            assert full[0]["guest"]["status"] == "instruction limit"
            same([counts(full[0])], list(map(counts, replay(
                path, [f"max-insns={limit}"]))), limit)


def processor_time(pid):
    """Seconds, of what runs."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK")


def interrupted():
    with tempfile.TemporaryDirectory() as scratch:
        path = f"{scratch}/t"
        guest = subprocess.Popen(
            [NOTRAP, "run", MINI, "--append", "spin", "--console", "none",
             "--format", "json", "--model", "full", "--record", path],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        while processor_time(guest.pid) < 0.5:
            assert time.monotonic() < deadline, "it never began"
            time.sleep(0.05)
        guest.send_signal(signal.SIGINT)
        out, _ = guest.communicate(timeout=60)
        assert guest.returncode == 1
        full = json.loads(out)
        assert full["guest"]["status"] == "interrupted", full["guest"]
        assert full["tlb"]["l1i_lookups"] >= full["guest"]["instructions"] > 0
        same([counts(full)], list(map(counts, replay(path, []))), "replay")


def ends_badly(workload, status):
    with tempfile.TemporaryDirectory() as scratch:
        path = f"{scratch}/t"
        full = run(workload, ["model=full"], "--record", path, status=1)
        assert full[0]["guest"]["status"] == status, full[0]["guest"]
        done = subprocess.run([NOTRAP, "replay", path, "--format", "json"],
                              capture_output=True, text=True)
        same([counts(full[0])], [counts(json.loads(done.stdout))], "replay")


def virtual_time():
    """clock=cycles: the guest does not notice the model."""
    plain, full = run("mixed seed=3 rounds=30 hz=20000",
                      ["clock=cycles", "model=exits,full"])
    same([without_tlbs(full)], [without_tlbs(plain)], "plain")
    assert full["cycles"]["translation"] > plain["cycles"]["translation"]


def memory_stays():
    """Eight times as long a run takes no more memory."""
    peaks = []
    for rounds in (30, 600):
        peaks.append(peak_memory(
            [NOTRAP, "run", MINI, "--console", "none", "--model", "full",
             "--granularity", "full", "--append",
             f"mixed seed=1 rounds={rounds}"]))
    assert peaks[1] < peaks[0] + 4096, f"{peaks} KiB"


def no_such_model():
    done = subprocess.run([NOTRAP, "run", MINI, "--model", "some"],
                          capture_output=True, text=True)
    assert done.returncode == 2
    assert re.search("model=some.*exits.*full", done.stderr), done.stderr


def policies_of(i):
    """The last guest has all of them, others the first and one in turn."""
    return POLICIES if i == len(WORKLOADS) - 1 else \
        [POLICIES[0], POLICIES[1 + i % (len(POLICIES) - 1)]]


CASES = [(name, full_is_replay, name, "pages", policies_of(i))
         for i, name in enumerate(WORKLOADS)]
CASES += [(f"{name}, full", full_is_replay, name, "full", policies_of(i))
          for i, name in enumerate(WORKLOADS[1:3] + ["mixed seed=1 rounds=40"])]
CASES += [
    ("machines", full_is_replay, "fork procs=2 pages=6", "pages", MACHINES),
    ("tables rounds=3, its own recordings", own_recording, "tables rounds=3"),
    ("recording at the same time", both_at_once),
    ("timeline and log", views_are_the_models),
    ("instruction limit", cut_short),
    ("interrupted", interrupted),
    ("triple fault", ends_badly, "triple", "triple fault"),
    ("jump to nowhere", ends_badly, "wild", "exit 3"),
    ("clock=cycles", virtual_time),
    ("memory stays", memory_stays),
    ("no such model", no_such_model),
]

tap.run(CASES)
