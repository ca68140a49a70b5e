# SPDX-License-Identifier: GPL-2.0-or-later
"""MAXPHYADDR and the trap entries: refused, forced, live and replayed.

usage: test_trap_safety.py NOTRAP MINI_ELF TRACES_DIR
"""

import csv
import io
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, MINI, TRACES = sys.argv[1:4]
FORCE = "unsafe-trap=force"
NOWHERE = 0xffffffffff000


def notrap(*args, status=0):
    done = subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300)
    assert done.returncode == status, \
        f"{args}: status {done.returncode}, {done.stderr}"
    return done


def settings(*pairs):
    return [word for pair in pairs for word in ("-D", pair)]


def results(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def live(append, *pairs, more=()):
    return notrap("run", MINI, "--append", append, "--format", "json",
                  "--console", "none", *settings(*pairs), *more)


def without(result, *paths):
    """A copy without what may differ."""
    result = json.loads(json.dumps(result))
    for path in paths:
        *way, last = path.split("/")
        part = result
        for name in way:
            part = part[name]
        part.pop(last, None)
    return result


# What a wider processor changes in a result, and nothing else.
CHANGES = ("config/maxphyaddr", "shadow/wrong_translations",
           "check/wrong_translations")


def wrong(result):
    return result["shadow"]["wrong_translations"]


def refused():
    """Status 2 and one line, and nothing is run, recorded or written."""
    with tempfile.TemporaryDirectory() as scratch:
        done = notrap("run", MINI, "-o", f"{scratch}/out", "--record",
                      f"{scratch}/trace", *settings("maxphyaddr=52"),
                      status=2)
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "unsafe-trap=force" in done.stderr
        assert not os.listdir(scratch)


def forced_live(mmu):
    """Live, a guest under 51 and 52 bits: only the count differs."""
    done = live("fork procs=3 pages=10", f"mmu={mmu}", "maxphyaddr=51,52",
                FORCE, "audit=entry")
    safe, forced = results(done)
    assert wrong(safe) == 0 and "wrong_translations" not in safe["check"]
    assert wrong(forced) > 20, wrong(forced)
    assert without(safe, *CHANGES) == without(forced, *CHANGES)
    assert f"{wrong(forced)} WRONG TRANSLATIONS" in done.stderr, done.stderr
    first = forced["check"]["wrong_translations"]
    assert len(first) == 8
    for row in first:
        gva, hpa = int(row["gva"], 16), int(row["hpa"], 16)
        assert hpa == NOWHERE + gva % 4096, row
        assert int(row["gpa"], 16) % 4096 == gva % 4096, row
        assert row["use"] == "read" and not row["user"], row


def places(result):
    """In a trace of page runs rip is that of the run."""
    return [without(row, "rip")
            for row in result["check"]["wrong_translations"]]


def live_is_replay(workload, mmu):
    """Unicorn's walker has 40 bits; the count is the model's all the same."""
    with tempfile.TemporaryDirectory() as scratch:
        trace = f"{scratch}/trace"
        pairs = (f"mmu={mmu}", "maxphyaddr=52", FORCE)
        # Runs of references do not keep where on a page they begin.
        one = results(live(workload, *pairs, more=(
            "--record", trace, "--granularity", "full")))[0]
        two = results(notrap("replay", trace, "--format", "json",
                             *settings(*pairs)))[0]
        assert wrong(one) > 0
        assert wrong(one) == wrong(two), f"{wrong(one)}, then {wrong(two)}"
        assert places(one) == places(two)
        assert one["exits"] == two["exits"]
        # What was recorded does not depend on the processor.
        plain = f"{scratch}/plain"
        live(workload, f"mmu={mmu}", "maxphyaddr=51",
             more=("--record", plain))
        three = results(notrap("replay", plain, "--format", "json",
                               *settings(*pairs)))[0]
        assert wrong(three) == wrong(two)


def forced_replay(trace):
    safe, forced, off = results(
        notrap("replay", f"{TRACES}/{trace}.ntr", "--format", "json",
               *settings("maxphyaddr=51,52", "bypass=on", FORCE))) + results(
        notrap("replay", f"{TRACES}/{trace}.ntr", "--format", "json",
               *settings("maxphyaddr=52", "bypass=off")))
    assert wrong(safe) == 0 and wrong(off) == 0
    assert wrong(forced) > 0
    assert without(safe, *CHANGES) == without(forced, *CHANGES)


def in_the_table():
    done = notrap("replay", f"{TRACES}/mini-touch.ntr",
                  *settings("maxphyaddr=52", FORCE))
    lines = done.stdout.splitlines()
    head = [i for i, line in enumerate(lines)
            if "wrong translation of" in line]
    assert len(head) == 1, done.stdout
    assert lines[head[0] + 1].split()[1].startswith("0xffffffffff")
    assert "kernel read" in lines[head[0] + 1]


def host_without_nxe():
    """No width is dangerous then, and CPUID tells the guest of no NX."""
    done = notrap("run", MINI, "--console", "-",
                  *settings("host-nxe=off", "maxphyaddr=52"), status=1)
    assert "lacks PAE, NX or long mode" in done.stdout, done.stdout


def table():
    """Every row of the table, from the rules in words."""
    rows = list(csv.DictReader(io.StringIO(
        notrap("trap-safety", "--format", "csv").stdout)))
    seen = set()
    for row in rows:
        width, level = int(row["maxphyaddr"]), int(row["level"])
        mode, nxe = row["mode"], row["host_nxe"] == "on"
        key = (row["value"], mode, level, nxe, width)
        assert key not in seen
        seen.add(key)
        if row["value"] not in ("trap", "trap, IO mark"):
            continue
        fetch = 0x10 if nxe else 0
        if mode == "PAE" or width < 52 or not nxe:
            verdict, codes = "faults", [9, 0xb, 9 | fetch,
                                        0xd, 0xf, 0xd | fetch]
        elif level <= 2:
            verdict, codes = "maps", [None, 3, 0x11, 5, 7, 0x15]
        else:
            verdict, codes = "leads", [9, 0xb, 0x19, 0xd, 0xf, 0x1d]
        cells = ["maps" if code is None else hex(code) for code in codes]
        if verdict != "faults" and level > 1:
            cells = [f"({cell})" for cell in cells]
        got = [row[f"{who}_{use}"] for who in ("kernel", "user")
               for use in ("read", "write", "fetch")]
        assert (row["verdict"], got) == (verdict, cells), row
    of_trap = [key for key in seen if key[0] == "trap"]
    assert len(of_trap) == (2 + 4 + 5) * 2 * 17, len(of_trap)


def own_value():
    """P alone: never reserved, so a leaf maps and a link leads."""
    rows = json.loads(notrap("trap-safety", "0x1", "--format",
                             "json").stdout)["entries"]
    for row in rows:
        want = "maps" if row["level"] == 1 else None
        assert row["value"] == "0x1" and row["pte"] == f"0x{1:016x}"
        assert want is None or row["verdict"] == want, row
        assert row["verdict"] != "faults"


WORKLOADS = ["fork procs=3 pages=10", "touch pages=300 again=1",
             "mixed seed=3 rounds=20", "mmap rounds=5", "switch rounds=20"]

tap.run([("a run is refused", refused)] +
        [(f"forced live, {mmu}", forced_live, mmu)
         for mmu in ("seed", "kvm-2.6.25")] +
        [(f"live is replay, {workload}, {mmu}", live_is_replay, workload, mmu)
         for workload in WORKLOADS for mmu in ("seed", "kvm-2.6.25")] +
        [(f"forced replay of {trace}", forced_replay, trace)
         for trace in ("mini-fork", "perf-pipe", "lackey-gzip")] +
        [("in the table", in_the_table),
         ("a host without NXE", host_without_nxe),
         ("trap-safety, every row", table),
         ("trap-safety of an entry of one's own", own_value)])
