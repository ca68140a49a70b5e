# SPDX-License-Identifier: GPL-2.0-or-later
"""The committed traces: whole, and what replays of them count.

usage: test_traces.py NOTRAP TRACES_DIR EXPECTED

Each is what SHA256SUMS says and replays under every MMU with the bypass off
and on: to its end, with the audit on, and its exits and faults are those in
EXPECTED. UPDATE_GOLDEN=1 writes that file. A second replay, alone and without
the audit, has the same result: under one MMU a trace, under each for some.
"""

import csv
import hashlib
import io
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, TRACES, EXPECTED = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]

POLICIES = ["-D", "mmu=kvm-2.6.20-rc3,kvm-2.6.20,kvm-2.6.24,seed,kvm-2.6.25,"
            "kvm-2.6.28,kvm-2.6.38,kvm-3.1,xen,ept,native",
            "-D", "bypass=off,on"]
COLUMNS = ["trace", "mmu", "bypass", "exits", "by_reason", "page_fault",
           "guest_faults", "direct", "by_error_code"]


def notrap(*args):
    done = subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=600)
    assert done.returncode == 0, f"status {done.returncode}, {done.stderr}"
    return done.stdout


def replay(path, *settings):
    out = notrap("replay", str(path), "--format", "json", *settings)
    return [json.loads(line) for line in out.splitlines()]


def text(counts):
    return " ".join(f"{key}={n}" for key, n in sorted(counts.items()) if n)


def row(path, result):
    exits, faults = result["exits"], result["guest_faults"]
    return dict(zip(COLUMNS, (
        path.stem, result["config"]["mmu"], result["config"]["bypass"],
        str(exits["total"]), text(exits["by_reason"]),
        text(exits["page_fault"]), str(faults["total"]),
        str(faults["direct"]), text(faults["by_error_code"]))))


def counted(result):
    """What does not depend on how much is audited."""
    figures = {key: result[key] for key in
               ("exits", "guest_faults", "bypass", "tlb", "cycles", "latency")}
    figures["shadow"] = {key: n for key, n in result["shadow"].items()
                         if key != "audits"}
    return figures


def is_the_same_again(path, first):
    mmu, bypass = (first["config"][key] for key in ("mmu", "bypass"))
    again, = replay(path, "-D", f"mmu={mmu}", "-D", f"bypass={bypass}")
    assert counted(first) == counted(again), \
        f"a second replay differs, mmu={mmu} bypass={bypass}"


def is_as_expected(path, number, golden):
    results = replay(path, *POLICIES, "-D", "audit=entry")
    is_the_same_again(path, results[number % len(results)])
    digests = {result["guest"]["fault_digest"] for result in results}
    assert len(digests) == 1, "the guest saw different faults"
    rows = [row(path, result) for result in results]
    if golden is None:
        return rows
    want = [line for line in golden if line["trace"] == path.stem]
    assert len(want) == len(rows), f"{len(want)} rows expected"
    for got, line in zip(rows, want):
        wrong = [f"{key} {got[key]}, want {line[key]}" for key in COLUMNS
                 if got[key] != line[key]]
        assert not wrong, f"mmu={line['mmu']} bypass={line['bypass']}: " + \
            "; ".join(wrong)
    return rows


def sums():
    """Every trace is listed, and is what it was."""
    listed = {}
    for line in (TRACES / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        listed[name] = digest
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
             for path in TRACES.glob("*.ntr")}
    assert found == listed, "SHA256SUMS tells of other files"
    size = sum(path.stat().st_size for path in TRACES.glob("*.ntr"))
    assert size <= 40 << 20, f"{size} bytes of traces"


def is_whole(path):
    notrap("trace", "verify", str(path))


def update(paths):
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for number, path in enumerate(paths):
        writer.writerows(is_as_expected(path, number, None))
    with open(EXPECTED, "w", encoding="utf-8") as file:
        file.write(out.getvalue())


PATHS = sorted(TRACES.glob("*.ntr"))
if os.environ.get("UPDATE_GOLDEN"):
    update(PATHS)
with open(EXPECTED, encoding="utf-8") as expected:
    GOLDEN = list(csv.DictReader(expected))
tap.run([("SHA256SUMS", sums)] +
        [(f"{path.name}, whole", is_whole, path) for path in PATHS] +
        [(f"{path.name}, counts", is_as_expected, path, number, GOLDEN)
         for number, path in enumerate(PATHS)])
