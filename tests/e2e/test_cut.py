# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of recorded and imported traces are traces.

usage: test_cut.py NOTRAP MINI_ELF

Cut anywhere, a part replays under every generation without a difference, has
the guest page faults of the whole between its ends, and breaks no rule; parts
that follow each other are the whole.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, MINI = map(os.path.abspath, sys.argv[1:3])
SCRATCH = tempfile.TemporaryDirectory()
POLICIES = ["-D", "mmu=kvm-2.6.20,kvm-2.6.24,seed,kvm-2.6.25", "-D",
            "bypass=off,on"]
# "hello" goes through PAE mode.
WORKLOADS = ["hello", "fork procs=4 pages=8", "mixed seed=2 rounds=15 hz=20000"]
PARTS = 5


def notrap(*args, status=0):
    done = subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300, check=False)
    assert done.returncode == status, \
        f"{args}: status {done.returncode}, {done.stderr}"
    return done


def path(name):
    return os.path.join(SCRATCH.name, name)


def record(workload, granularity):
    notrap("run", MINI, "--append", workload, "--console", "none",
           "--granularity", granularity, "--record", path("whole"), "-o",
           path("run.csv"), "--format", "csv")


def log_of_user_code():
    """Loops, and now and then a new page, as valgrind would log them."""
    rng, counter = random.Random(7), 0x401000
    with open(path("log"), "w", encoding="ascii") as file:
        for _ in range(20000):
            print(f"I  {counter:08x},{rng.choice([1, 3, 7])}", file=file)
            if rng.random() < .4:
                where = rng.choice([0x7ffe000000, 0x600000]) + \
                    rng.choice([8 * rng.randrange(400),
                                4096 * rng.randrange(60) + 4092])
                print(f" {rng.choice('LSM')} {where:08x},8", file=file)
            counter += 7
            if rng.random() < .1:
                counter = 0x401000 + rng.randrange(0x8000)


def import_log(_, granularity):
    log_of_user_code()
    notrap("import", "lackey", path("log"), "-o", path("whole"),
           "--granularity", granularity)


def cut(source, target, *args):
    """Where it begins and ends: items, then instructions."""
    done = notrap("trace", "cut", path(source), "-o", path(target), *args)
    assert done.stderr.count("\n") == 1, done.stderr
    return tuple(map(int, re.search(
        r"items (\d+) to (\d+) of .*, instructions (\d+) to (\d+):",
        done.stderr).groups()))


def faults(name):
    """(item, what) of each."""
    lines = notrap("trace", "dump", "--kind", "fault",
                   path(name)).stdout.splitlines()
    return [(int(line.split()[0]), line.split(" ", 2)[2]) for line in lines]


def facts(name):
    """items, digest; no rule is broken."""
    text = notrap("trace", "verify", path(name)).stdout
    found = re.fullmatch(r".*: complete, (\d+) items, digest (0x[0-9a-f]+), "
                         r"no rule broken\n", text)
    assert found, text
    return int(found[1]), found[2]


def check_part(whole_faults, name, place, audit):
    first, last, begin, end = place
    facts(name)
    assert [what for _, what in faults(name)] == \
        [what for item, what in whole_faults if first <= item < last]
    done = notrap("replay", path(name), "--format", "json", *POLICIES, "-D",
                  f"audit={audit}")
    for line in done.stdout.splitlines():
        result = json.loads(line)
        assert result["guest"]["instructions"] == end - begin, result["guest"]
        assert result["check"] == {"audit_violations": 0, "broken": ""}


def parts_replay(make, workload, granularity):
    make(workload, granularity)
    rng = random.Random(granularity + workload)
    total, _ = facts("whole")
    known = faults("whole")
    for number in range(PARTS):
        # Both move to the next place, which must not be that of the other.
        first = rng.randrange(total * 9 // 10)
        last = first + rng.choice([30000, 100000])
        place = cut("whole", "part", "--from-item", str(first), "--to-item",
                    str(last))
        assert place[0] >= first and place[1] >= min(last, total)
        # Looking at all of the tables takes thirty times the replay.
        check_part(known, "part", place, "entry" if number else "table")
        again = cut("part", "again")
        assert again[3] == place[3] - place[2]
        with open(path("part"), "rb") as one, \
                open(path("again"), "rb") as other:
            assert one.read() == other.read(), "all of a part is another"


def parts_follow_each_other(make, workload, granularity):
    """By the clock: all faults in order, each instruction once."""
    make(workload, granularity)
    end = cut("whole", "all")
    assert facts("all") == facts("whole")
    rng = random.Random(workload + granularity)
    marks = sorted(rng.sample(range(1, end[3]), PARTS)) + [end[3]]
    clock, found, at = 0, [], 0
    for mark in marks:
        # What lies before the next place has become part of the last one.
        if mark <= clock:
            continue
        place = cut("whole", "part", "--from-insn", str(clock),
                    "--to-insn", str(mark))
        assert place[0] == at and place[2] == clock, (place, at, clock)
        at, clock = place[1], place[3]
        found += [what for _, what in faults("part")]
    if at < end[1]:
        cut("whole", "part", "--from-item", str(at))
        found += [what for _, what in faults("part")]
    assert found == [what for _, what in faults("whole")]
    assert clock == end[3]


def part_of_a_part():
    """However one comes to it, it is the same part."""
    record(WORKLOADS[1], "full")
    outer = cut("whole", "outer", "--from-insn", "150000")
    direct = cut("whole", "direct", "--from-insn", "180000", "--to-insn",
                 "190000")
    inner = cut("outer", "inner", "--from-insn", str(180000 - outer[2]),
                "--to-insn", str(190000 - outer[2]))
    assert inner[2] + outer[2] == direct[2]
    assert facts("inner") == facts("direct")


def merged():
    """Runs of a full trace are those of a recording of granularity pages."""
    record(WORKLOADS[1], "pages")
    _, want = facts("whole")
    record(WORKLOADS[1], "full")
    cut("whole", "part", "--granularity", "pages")
    assert facts("part")[1] == want


def region(granularity):
    """--roi is what roi=on counts, but for what the hypervisor knew before."""
    record("touch pages=40", granularity)
    cut("whole", "part", "--roi")
    one = json.loads(notrap("replay", path("whole"), "-D", "roi=on",
                            "--format", "json").stdout)
    other = json.loads(notrap("replay", path("part"), "--format",
                              "json").stdout)
    for key in ("total", "direct", "injected", "by_error_code"):
        assert one["guest_faults"][key] == other["guest_faults"][key], key
    assert one["guest_faults"]["total"] == 40
    # A delivery that a fill cuts short looks its references up once more.
    assert one["tlb"]["l1d_lookups"] <= other["tlb"]["l1d_lookups"]
    more = {reason: other["exits"]["by_reason"].get(reason, 0) - count
            for reason, count in one["exits"]["by_reason"].items()}
    assert set(more) == {"EXCEPTION_NMI"}, more
    page_faults = dict(one["exits"]["page_fault"])
    for cause, count in other["exits"]["page_fault"].items():
        if cause not in ("hidden_fill", "accessed_dirty"):
            assert count == page_faults[cause], cause


CASES = []
for size in ("full", "pages"):
    for name in WORKLOADS:
        CASES += [(f"parts replay: {name}, {size}", parts_replay, record, name,
                   size)]
    CASES += [
        (f"parts follow each other: {size}", parts_follow_each_other, record,
         WORKLOADS[2], size),
        (f"parts of an import: {size}", parts_replay, import_log, "log", size),
        (f"parts of an import follow: {size}", parts_follow_each_other,
         import_log, "log", size),
        (f"the region of interest: {size}", region, size),
    ]
CASES += [("a part of a part", part_of_a_part), ("merged", merged)]

tap.run(CASES)
