# SPDX-License-Identifier: GPL-2.0-or-later
"""notrap's replay beside valgrind's cachegrind, set up as TLBs.

usage: bench_cachegrind.py NOTRAP [LINES]

A cache whose lines are pages is a TLB: cachegrind gets the first-level ones of
machine=merom (128 and 16 entries of 4 ways) and its second (256 of 4).  It runs
gzip on LINES lines of text (default 8000).  lackey logs the same command (1 GB
for that), the log is imported twice, merged by pages and in full, and replayed.
References are those that each counted (notrap: lookups, the model kernel's
too); seconds are of processors, the best of three.

cachegrind runs the program, too: `--tool=none` says what valgrind takes for
that.  A replay reads, checks and decodes a file, and has a guest kernel, shadow
tables, walks and exits besides.
"""

import json
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile

ROUNDS = 3
PAGE = 4096
TLBS = {"I1": (128, 4), "D1": (16, 4), "LL": (256, 4)}
COMMAND = ["gzip", "-c", "text"]


def timed(command, where):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"bench_cachegrind: {' '.join(command)}:\n"
                 f"{done.stderr.decode(errors='replace')}")
    return (after.ru_utime + after.ru_stime - before.ru_utime -
            before.ru_stime, done)


def best(command, where):
    return min((timed(command, where) for _ in range(ROUNDS)),
               key=lambda pair: pair[0])


def cachegrind(where):
    """Seconds, references."""
    sizes = [f"--{name}={entries * PAGE},{ways},{PAGE}"
             for name, (entries, ways) in TLBS.items()]
    seconds, done = best(["valgrind", "--tool=cachegrind", "--cache-sim=yes",
                          "--cachegrind-out-file=/dev/null", *sizes,
                          *COMMAND], where)
    text = done.stderr.decode()
    refs = sum(int(re.search(rf"{name}\s+refs:\s+([\d,]+)", text)[1]
                   .replace(",", "")) for name in ("I", "D"))
    return seconds, refs


def replay(notrap, where, granularity):
    trace = f"{granularity}.ntr"
    timed([notrap, "import", "lackey", "log", "--granularity", granularity,
           "--memory", "64", "-o", trace], where)
    seconds, done = best([notrap, "replay", trace, "-D", "machine=merom",
                          "--format", "json"], where)
    tlb = json.loads(done.stdout)["tlb"]
    return seconds, tlb["l1i_lookups"] + tlb["l1d_lookups"]


def row(name, seconds, refs, base):
    rate = refs / seconds / 1e6
    ratio = f"{rate / base:.2f}" if base else "1.00"
    print(f"| {name} | {refs} | {seconds:.2f} | {rate:.0f} | {ratio} |")
    return rate


def main():
    notrap = str(pathlib.Path(sys.argv[1]).resolve())
    lines = int(sys.argv[2]) if len(sys.argv) > 2 else 8000
    if not shutil.which("valgrind"):
        print("SKIPPED: valgrind is not there (Debian: valgrind)")
        return 77
    with tempfile.TemporaryDirectory() as where:
        text = "".join(f"{i * 7919 % 100003} line {i} {i * i % 977}\n"
                       for i in range(1, lines + 1))
        pathlib.Path(where, "text").write_text(text)
        timed(["valgrind", "-q", "--tool=lackey", "--trace-mem=yes",
               "--log-file=log", *COMMAND], where)
        none, _ = best(["valgrind", "-q", "--tool=none", *COMMAND], where)
        seconds, refs = cachegrind(where)
        print("| | references | seconds | M references/s | ratio |\n"
              "|---|---|---|---|---|")
        base = row("cachegrind as TLBs", seconds, refs, None)
        row("the same, less --tool=none", seconds - none, refs, base)
        for granularity in ("pages", "full"):
            row(f"notrap replay, {granularity}",
                *replay(notrap, where, granularity), base)
    return 0


sys.exit(main())
