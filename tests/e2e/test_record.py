# SPDX-License-Identifier: GPL-2.0-or-later
"""Recording: it changes nothing, and depends on nothing but the guest.

usage: test_record.py NOTRAP MINI_ELF
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, MINI = sys.argv[1:3]

WORKLOADS = [
    "hello",
    "touch pages=200 again=1",
    "fork procs=3 pages=10",
    "fork procs=2 pages=6 exec=1",
    "switch rounds=30",
    "mmap rounds=10",
    "mixed seed=2 rounds=40",
    "mixed seed=5 rounds=40 direct=2m hz=20000",
    "absent",
]

POLICIES = ["mmu=native", "mmu=ept", "mmu=kvm-2.6.20", "mmu=kvm-2.6.24",
            "mmu=seed", "mmu=kvm-2.6.25", "mmu=kvm-2.6.25 bypass=off",
            "mmu=seed shadow-pages=64", "clock=cycles apic=on"]


def command(workload, policy, *more):
    words = [word for value in policy.split() for word in ("-D", value)]
    return [NOTRAP, "run", MINI, "--append", workload, "--format", "json",
            *words, *more]


def run(workload, policy, *more, status=0):
    done = subprocess.run(command(workload, policy, *more), text=True,
                          capture_output=True, stdin=subprocess.DEVNULL,
                          timeout=300)
    assert done.returncode == status, \
        f"status {done.returncode}: {done.stderr}"
    return done


def digest(path):
    """By the footer: what `replay` puts into its results."""
    done = subprocess.run([NOTRAP, "replay", path, "--format", "json"],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["source"]["digest"]


def changes_nothing(workload, policies):
    with tempfile.TemporaryDirectory() as scratch:
        for number, policy in enumerate(policies):
            size = ("full", "pages")[number % 2]
            plain = run(workload, policy)
            taped = run(workload, policy, "--granularity", size, "--record",
                        f"{scratch}/trace")
            assert taped.stdout == plain.stdout, f"{policy}: results"
            assert taped.stderr == plain.stderr, f"{policy}: console"


def same_bytes(workload):
    """The same recording twice."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("one", "two"):
            run(workload, POLICIES[0], "--record", f"{scratch}/{name}")
        with open(f"{scratch}/one", "rb") as one, \
                open(f"{scratch}/two", "rb") as two:
            assert one.read() == two.read()


def one_configuration():
    with tempfile.TemporaryDirectory() as scratch:
        done = run("hello", "bypass=off,on", "--record", f"{scratch}/t",
                   status=2)
        assert "--record is for one configuration" in done.stderr, done.stderr
        assert not os.listdir(scratch)


def bad_granularity():
    done = run("hello", "", "--granularity", "lines", status=2)
    assert "want pages or full" in done.stderr, done.stderr


def cannot_write():
    done = run("hello", "", "--record", "/nowhere/t", status=2)
    assert done.stderr.count("\n") == 1 and "/nowhere/t" in done.stderr, \
        done.stderr


def disk_full():
    """RLIMIT_FSIZE stands in for a disk that is full."""
    with tempfile.TemporaryDirectory() as scratch:
        line = " ".join(command("mixed\\ seed=2\\ rounds=400", "",
                                "--console", "none", "--granularity", "full",
                                "--record", f"{scratch}/t"))
        done = subprocess.run(
            ["bash", "-c", f"trap '' XFSZ; ulimit -f 100; {line}"],
            capture_output=True, text=True, timeout=300)
        assert done.returncode == 3, f"{done.returncode}: {done.stderr}"
        assert done.stderr.count("\n") == 1, done.stderr
        assert not os.listdir(scratch), os.listdir(scratch)


def counted(exits):
    """An exit's cycles are also those of TLBs, which a live run has not."""
    for row in exits["by_rip"] + exits["by_gfn"]:
        del row["cycles"]
    return exits


def interrupted(sig):
    """Ctrl-C and SIGTERM leave a valid, shorter trace."""
    with tempfile.TemporaryDirectory() as scratch:
        path = f"{scratch}/t"
        guest = subprocess.Popen(command("spin", "", "--console", "none",
                                         "--record", path),
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not os.path.exists(path + ".tmp"):
            assert time.monotonic() < deadline, "it never began to record"
            time.sleep(0.05)
        time.sleep(0.5)
        guest.send_signal(sig)
        out, _ = guest.communicate(timeout=60)
        assert guest.returncode == 1
        live = json.loads(out)
        assert live["guest"]["status"] == "interrupted"
        done = subprocess.run([NOTRAP, "replay", path, "--format", "json"],
                              capture_output=True, text=True, check=True)
        replay = json.loads(done.stdout)
        assert replay["guest"]["instructions"] == \
            live["guest"]["instructions"]
        assert counted(replay["exits"]) == counted(live["exits"])
        done = subprocess.run([NOTRAP, "trace", "verify", path],
                              capture_output=True, text=True, check=True)
        assert "complete" in done.stdout and "no rule broken" in done.stdout
        assert os.listdir(scratch) == ["t"]


def ends_badly(workload, status):
    """A triple fault, a wild jump: the recording ends as the guest did."""
    with tempfile.TemporaryDirectory() as scratch:
        path = f"{scratch}/t"
        live = json.loads(run(workload, "", "--record", path,
                              status=1).stdout)
        done = subprocess.run([NOTRAP, "replay", path, "--format", "json"],
                              capture_output=True, text=True)
        replay = json.loads(done.stdout)
        assert replay["exits"] == live["exits"], replay["guest"]
        assert replay["guest"]["status"] == status, replay["guest"]


def policies_of(number, name):
    """All for those that do a bit of everything, else four by turns, so that
    each policy meets several kinds of guest."""
    if name.startswith(("mixed", "fork procs=2")):
        return POLICIES
    turned = POLICIES[number:] + POLICIES[:number]
    return turned[::2][:4]


CASES = [(f"changes nothing: {name}", changes_nothing, name,
          policies_of(number, name)) for number, name in enumerate(WORKLOADS)]
CASES += [
    ("the same bytes", same_bytes, WORKLOADS[2]),
    ("one configuration", one_configuration),
    ("bad granularity", bad_granularity),
    ("no such directory", cannot_write),
    ("disk full", disk_full),
    ("interrupted", interrupted, signal.SIGINT),
    ("terminated", interrupted, signal.SIGTERM),
    ("triple fault", ends_badly, "triple", "triple fault"),
    ("jump to nowhere", ends_badly, "wild", "replayed"),
]

tap.run(CASES)
