# SPDX-License-Identifier: GPL-2.0-or-later
"""notrap diff: exit by exit, and in sum what the two results say.

usage: test_diff.py NOTRAP MINI_ELF
"""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402
from results import peak_memory  # noqa: E402

NOTRAP, MINI = sys.argv[1:3]

# workload, granularity, settings: two configurations
PAIRS = [
    ("touch pages=200", "pages", ["bypass=off,on"]),
    ("touch pages=200", "full", ["mmu=kvm-2.6.20,kvm-2.6.25"]),
    ("fork procs=3 pages=12", "pages", ["mmu=kvm-2.6.20,kvm-2.6.24"]),
    ("fork procs=3 pages=12", "pages", ["mmu=seed", "bypass=off,on"]),
    ("mixed seed=3 rounds=40", "pages", ["mmu=seed,kvm-2.6.25"]),
    ("mixed seed=3 rounds=40", "full", ["shadow-pages=64,1024"]),
    ("mixed seed=5 rounds=40 hz=20000", "pages", ["cr3-targets=0,4"]),
    ("mixed seed=5 rounds=40", "pages", ["roi=on", "bypass=off,on"]),
    ("switch rounds=40", "pages", ["cost.exit=100,5000"]),
    ("mixed seed=9 rounds=40", "pages", ["invlpg-exiting=off,on"]),
]


def notrap(*args, status=0):
    done = subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300)
    assert done.returncode == status, \
        f"{args}: status {done.returncode}, {done.stderr}"
    return done


def settings(values):
    return [word for value in values for word in ("-D", value)]


def record(box, workload, granularity="pages"):
    path = os.path.join(box, "trace.ntr")
    notrap("run", MINI, "--append", workload, "--console", "none", "--record",
           path, "--granularity", granularity, "-o", path + ".live",
           "--format", "json")
    return path


def diff(*args):
    return json.loads(notrap("diff", *args, "--format", "json").stdout)


def by(rows, key):
    return {row[key]: row for row in rows}


def kinds_of(result):
    """Exits by cause or reason, as diff calls them."""
    kinds = {name: n for name, n in result["exits"]["page_fault"].items() if n}
    for name, n in result["exits"]["by_reason"].items():
        if name == "EXCEPTION_NMI":
            n -= result["exits"]["page_fault_total"]
        if n:
            kinds[name] = n
    return kinds


def check_sums(found, a, b):
    """Of the alignment, against two results."""
    changes = by(found["changes"], "change")
    removed, added, changed, same = (
        changes[name]["exits"]
        for name in ("removed", "added", "changed", "unchanged"))
    assert removed + changed + same == a["exits"]["total"]
    assert added + changed + same == b["exits"]["total"]
    for side, result in (("a", a), ("b", b)):
        kinds = {}
        for row in found["kinds"]:
            if row[side]:
                kinds[row[side]] = kinds.get(row[side], 0) + row["exits"]
        assert kinds == kinds_of(result), f"{side}: {kinds}"
        cycles = sum(one["sum"] for one in result["latency"]["exit"].values())
        assert cycles == sum(row[f"{side}_cycles"] for row in found["kinds"])
        assert cycles == sum(row[f"{side}_cycles"]
                             for row in found["changes"])
    for row in found["kinds"]:
        assert (row["change"] == "removed") == (row["b"] == ""), row
        assert (row["change"] == "added") == (row["a"] == ""), row
        assert (row["change"] == "unchanged") == (row["a"] == row["b"]), row


def check_totals(found, a, b):
    paths = {"exits": ("exits", "total"),
             "#PF exits": ("exits", "page_fault_total"),
             "guest faults": ("guest_faults", "total"),
             "direct": ("guest_faults", "direct"),
             "injected": ("guest_faults", "injected"),
             "cycles": ("cycles", "total")}
    totals = by(found["totals"], "what")
    for what, (group, name) in paths.items():
        row = totals[what]
        assert row["a"] == a[group][name] and row["b"] == b[group][name], row
        assert row["change"] == row["b"] - row["a"], row
    for row in found["parts"]:
        assert row["a"] == a["cycles"][row["what"]], row
        assert row["b"] == b["cycles"][row["what"]], row
    for row in found["latency"]:
        assert row["a"] == a["latency"]["guest_fault"][row["what"]], row


def check_break_even(found, trace, values):
    """With an exit that costs that much more or less, B is what it says."""
    row = by(found["costs"], "cost").get("cost.exit")
    if not row or row["break_even"] is None or row["break_even"] > 999999:
        return False
    at = int(row["break_even"])
    values = [value for value in values if "cost.exit" not in value]
    for cost in (at, at + 1):
        a, b = (json.loads(line)["cycles"]["total"] for line in notrap(
            "replay", trace, "--format", "json",
            *settings(values + [f"cost.exit={cost}"])).stdout.splitlines())
        above = cost > row["break_even"]
        cheaper = row["b_cheaper"].startswith(">") == above
        assert (b < a) == cheaper or a == b, (row, cost, a, b)
    return True


def sums_agree(workload, granularity, values):
    with tempfile.TemporaryDirectory() as box:
        trace = record(box, workload, granularity)
        results = notrap("replay", trace, "--format", "json",
                         *settings(values)).stdout
        a, b = (json.loads(line) for line in results.splitlines())
        found = diff(trace, *settings(values), "--list", "--all", "--limit",
                     "1000000")
        check_sums(found, a, b)
        check_totals(found, a, b)
        check_break_even(found, trace, values)
        check_list(found, a, b)
        from_results(box, trace, results, found)


def check_list(found, a, b):
    rows = found["list"]
    positions = [row["position"] for row in rows]
    assert positions == sorted(positions)
    assert sum(bool(row["a"]) for row in rows) == a["exits"]["total"]
    assert sum(bool(row["b"]) for row in rows) == b["exits"]["total"]
    pages = {}
    for row in rows:
        if row["a"]:
            page = hex(int(row["rip"], 16) & ~4095)
            pages[page] = pages.get(page, 0) + 1
    for row in a["exits"]["by_rip"]:
        if row["page"] != "other":
            assert pages[row["page"]] == row["exits"], row


def from_results(box, trace, results, want):
    """The same out of results, in one file or two, and from a pipe."""
    lines = results.splitlines(keepends=True)
    paths = [os.path.join(box, name) for name in ("a", "b", "ab")]
    for path, text in zip(paths, [*lines, results]):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    for files in (paths[:2], paths[2:]):
        got = diff(*files, "--list", "--all", "--limit", "1000000")
        assert got == want, f"{files}: not what the trace gives"
    got = diff(paths[1], paths[0])
    swapped = by(got["changes"], "change")
    change = by(want["changes"], "change")
    assert swapped["added"]["exits"] == change["removed"]["exits"]
    assert swapped["removed"]["exits"] == change["added"]["exits"]
    assert got["configurations"][0]["trace"] == trace


def has_break_even():
    """One that is no "any" and no "none", so that the number is looked at."""
    values = ["mmu=kvm-2.6.20,kvm-2.6.24", "cost.prefetch-page=0",
              "cost.sp-alloc=90000"]
    pairs = [("mixed seed=3 rounds=40", values),
             ("fork procs=3 pages=12",
              ["mmu=kvm-2.6.20,kvm-2.6.25", "cost.prefetch-page=90000"]),
             ("mixed seed=3 rounds=40",
              ["mmu=seed,kvm-2.6.25", "cost.tlb-l2=100000"])]
    seen = 0
    for workload, one in pairs:
        with tempfile.TemporaryDirectory() as box:
            trace = record(box, workload)
            seen += check_break_even(diff(trace, *settings(one)), trace, one)
    assert seen, "no pair with a break-even cost of an exit"


def differing_only():
    with tempfile.TemporaryDirectory() as box:
        trace = record(box, "touch pages=50")
        pair = settings(["mmu=kvm-2.6.20,kvm-2.6.25"])
        every = diff(trace, *pair, "--all", "--limit", "100000")["list"]
        some = diff(trace, *pair, "--list", "--limit", "100000")["list"]
        assert some == [row for row in every if row["a"] != row["b"]]
        assert 0 < len(some) < len(every)
        middle = some[len(some) // 2]["position"]
        window = diff(trace, *pair, "--from", str(middle), "--count", "900")
        assert window["list"] == \
            [row for row in some if middle <= row["position"] < middle + 900]
        assert "list" not in diff(trace, *pair)
        rows = list(csv.DictReader(io.StringIO(
            notrap("diff", trace, *pair, "--limit", "3", "--format",
                   "csv").stdout.split("\n\n")[-1])))
        assert [int(row["position"]) for row in rows] == \
            [row["position"] for row in some[:3]]


def ends_in_an_exit():
    """The last instruction is emulated: its exit ends with the trace."""
    with tempfile.TemporaryDirectory() as box:
        trace = record(box, "touch pages=20", "full")
        pair = settings(["bypass=off,on"])
        rows = diff(trace, *pair, "--all", "--limit", "100000")["list"]
        rows = [row for row in rows if row["b"] == "pt_write"]
        for row in rows[5:8]:
            part = os.path.join(box, "part")
            notrap("trace", "cut", trace, "-o", part, "--to-item",
                   str(row["position"] + 1))
            results = notrap("replay", part, "--format", "json", *pair).stdout
            a, b = (json.loads(line) for line in results.splitlines())
            found = diff(part, *pair, "--all", "--limit", "100000")
            check_sums(found, a, b)
            assert found["list"][-1]["b"] == "pt_write", found["list"][-1]
            assert found["list"][-1]["position"] == row["position"]


def refusals():
    with tempfile.TemporaryDirectory() as box:
        trace = record(box, "hello")
        other = record(os.path.join(box), "touch pages=3")
        os.rename(other, other + ".2")
        trace, other = record(box, "hello"), other + ".2"
        replay = ["replay", "--format", "json", "-o"]
        one, two, many = (os.path.join(box, name)
                          for name in ("one", "two", "many"))
        notrap(*replay, one, trace)
        notrap(*replay, two, other, "-D", "bypass=off")
        notrap(*replay, many, trace, "-D", "mmu=seed,kvm-2.6.25,kvm-2.6.24")
        cases = [
            ([trace], "want two configurations: -D KEY=A,B"),
            ([trace, "-D", "bypass=on"], "want two configurations: -D"),
            ([trace, "-D", "mmu=seed,kvm-2.6.25", "-D", "bypass=off,on"],
             "want two configurations, got 4"),
            ([trace, "-D", "mmu=kvm-2.6.20", "-D", "bypass=off,on"],
             "this generation has none"),
            ([trace, other, "-D", "bypass=off,on"], "want one TRACE"),
            ([one], "want two results to compare, got 1"),
            ([many], "want two results to compare, got 3"),
            ([one, one], "the same settings"),
            ([one, two], "results of two traces"),
            ([one, trace + ".live"],
             "result 2 is of a live run"),
            ([trace + ".live", one], "notrap run --record TRACE"),
            ([one, many, "-D", "bypass=on"], "-D and -c go with a TRACE"),
            ([box + "/nowhere"], "No such file"),
            ([trace, "--from", "x"], "--from x: want a number"),
            ([trace, "-D", "byps=off,on"], 'did you mean "bypass"?'),
        ]
        for args, words in cases:
            done = notrap("diff", *args, status=2)
            assert words in done.stderr and done.stderr.count("\n") == 1, \
                f"{args}: {done.stderr}"
            assert done.stdout == "", args
        same = os.path.join(box, "same")
        notrap(*replay, same, trace, "-D", "bypass=off,on")
        os.rename(other, trace)
        done = notrap("diff", same, status=2)
        assert "is not the trace of these results" in done.stderr, done.stderr
        os.remove(trace)
        assert "No such file" in notrap("diff", same, status=2).stderr


def damaged():
    """What can be read is compared, loudly."""
    with tempfile.TemporaryDirectory() as box:
        trace = record(box, "mixed seed=1 rounds=500", "full")
        size = os.path.getsize(trace)
        os.truncate(trace, size * 2 // 3)
        done = notrap("diff", trace, "-D", "bypass=off,on", "--format", "json",
                      status=1)
        assert "read up to reference" in done.stderr, done.stderr
        assert by(json.loads(done.stdout)["totals"], "what")["exits"]["a"] > 0


def one_differs():
    """A configuration that breaks the guest ends the comparison."""
    with tempfile.TemporaryDirectory() as box:
        trace = record(box, "touch pages=50")
        done = notrap("diff", trace, "-D", "exception-bitmap=auto,0",
                      "--format", "json", status=1)
        assert f"{trace}, B: item " in done.stderr, done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        found = json.loads(done.stdout)
        sides = by(found["configurations"], "side")
        assert sides["B"]["status"] == "differs"
        assert sides["A"]["status"] == "interrupted"
        totals = by(found["totals"], "what")
        assert totals["exits"]["a"] < 100, "A went on alone"


def interrupted():
    with tempfile.TemporaryDirectory() as box:
        trace = record(box, "mixed seed=1 rounds=1500", "full")
        child = subprocess.Popen([NOTRAP, "diff", trace, "-D", "bypass=off,on",
                                  "--format", "json"], text=True,
                                 stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
        if child.returncode == 0:
            raise tap.Skip("it was through already")
        if child.returncode == -signal.SIGINT:
            raise tap.Skip("it had not begun")
        assert child.returncode == 1, (child.returncode, err)
        assert err == "notrap: interrupted\n", err
        sides = json.loads(out)["configurations"]
        assert [side["status"] for side in sides] == ["interrupted"] * 2


def flat_memory():
    """A trace many times as long takes no more memory."""
    def peak(path):
        return peak_memory([NOTRAP, "diff", path, "-D",
                            "mmu=kvm-2.6.20,kvm-2.6.25", "--list"])

    peaks = []
    for rounds in (30, 400):
        with tempfile.TemporaryDirectory() as box:
            trace = record(box, f"mixed seed=1 rounds={rounds}", "full")
            peaks.append((os.path.getsize(trace), peak(trace)))
    (short, few), (long, many) = peaks
    assert long > 4 * short, f"traces of {short} and {long} bytes"
    assert many < few + 4096, f"{few} KiB, then {many} KiB"


CASES = [(f"{workload}, {granularity}, {' '.join(values)}", sums_agree,
          workload, granularity, values)
         for workload, granularity, values in PAIRS]
CASES += [
    ("a break-even cost", has_break_even),
    ("only what differs, and windows", differing_only),
    ("a trace that ends in an exit", ends_in_an_exit),
    ("what cannot be compared", refusals),
    ("a damaged trace", damaged),
    ("a configuration that breaks the guest", one_differs),
    ("interrupted", interrupted),
    ("memory is flat", flat_memory),
]

tap.run(CASES)
