# SPDX-License-Identifier: GPL-2.0-or-later
"""notrap bound: what error codes allow, and what a replay makes of it.

usage: test_bound.py NOTRAP MINI_ELF
"""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, MINI = sys.argv[1:3]

WORKLOADS = [
    ("touch pages=100 rw=r again=1", "pages", "kvm-2.6.25"),
    ("fork procs=3 pages=12", "full", "seed"),
    ("mixed seed=4 rounds=40", "pages", "kvm-2.6.25"),
    ("mmap rounds=12", "pages", "seed"),
]


def notrap(*args, status=0):
    done = subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300)
    assert done.returncode == status, \
        f"{args}: status {done.returncode}, {done.stderr}"
    return done


def record(box, workload, granularity="pages"):
    path = os.path.join(box, "trace.ntr")
    notrap("run", MINI, "--append", workload, "--console", "none", "--record",
           path, "--granularity", granularity, "-o", path + ".live",
           "--format", "json")
    return path


def bound(*args, **more):
    return json.loads(notrap("bound", *args, "--format", "json",
                             **more).stdout)


def replay(trace, *settings):
    words = [word for value in settings for word in ("-D", value)]
    return json.loads(notrap("replay", trace, "--format", "json",
                             *words).stdout)


def passes(row, code):
    """The manual's sentence."""
    match = code & int(row["mask"], 16) == int(row["match"], 16)
    return match != bool(row["bit14"])


def agrees(workload, granularity, mmu):
    with tempfile.TemporaryDirectory() as box:
        trace = record(box, workload, granularity)
        result = replay(trace, f"mmu={mmu}")
        codes = {int(code, 16): n for code, n in
                 result["guest_faults"]["by_error_code"].items()}
        found = bound(trace, "--all", "-D", f"mmu={mmu}")
        check_filters(found["filters"], codes, trace, mmu)
        check_gap(found, result)
        short = bound(trace, "-D", f"mmu={mmu}")
        assert [row["bound"] for row in short["filters"]] == \
            [row["bound"] for row in found["filters"]
             if row["usable"] == "yes"]
        replayed = [row["replayed"] for row in short["filters"]]
        assert replayed[0] == found["filters"][0]["replayed"]
        assert not any(replayed[1:]), "more than the bypass was replayed"
        alone = bound(trace, "--no-replay", "-D", "bypass=off")
        assert alone["gap"] == [] and len(alone["filters"]) == len(replayed)
        assert all(row["replayed"] is None for row in alone["filters"])
        check_result(box, trace, mmu, result, short)


def check_filters(rows, codes, trace, mmu):
    total = sum(codes.values())
    for row in rows:
        want = sum(n for code, n in codes.items() if passes(row, code))
        assert row["bound"] == want, row
        assert abs(row["bound_percent"] - 100 * want / total) < 0.006, row
        safe = not any(passes(row, code) for code in range(1, 64, 2))
        assert row["usable"] == ("yes" if safe else "no"), row
        if not safe:
            assert row["replayed"] is None, row
            continue
        bitmap = "0x4000" if row["bit14"] else "0"
        one = replay(trace, f"mmu={mmu}", f"exception-bitmap={bitmap}",
                     f"pfec-mask={row['mask']}", f"pfec-match={row['match']}")
        assert row["replayed"] == one["guest_faults"]["direct"], row
        assert row["replayed"] <= row["bound"], row
    first = rows[0]
    assert (first["bit14"], first["mask"], first["match"]) == \
        (1, "0x1", "0x1"), first


def check_gap(found, result):
    rows = {row["what"]: row["faults"] for row in found["gap"]}
    total = result["guest_faults"]["total"]
    most = rows["not present: the bound"]
    assert rows["present: the hypervisor must see them"] + most == total
    assert most == result["bypass"]["possible"]
    assert rows["delivered directly"] == result["bypass"]["direct"]
    assert rows["shadow table was not there"] == \
        result["shadow"]["bypass_no_table"]
    assert rows["shadow entry was still trap"] == \
        result["shadow"]["bypass_trap"]
    # What exits although it could pass has a reason that is told.
    assert "otherwise" not in rows, rows
    assert rows["delivered directly"] + rows["shadow table was not there"] + \
        rows["shadow entry was still trap"] == most


def check_result(box, trace, mmu, result, want):
    """A saved result says the same as a replay, if the bypass was on."""
    path = os.path.join(box, "result")
    with open(path, "w", encoding="ascii") as file:
        json.dump(result, file)
    got = bound(path)
    for rows in (got["filters"], want["filters"], got["gap"], want["gap"]):
        for row in rows:
            del row["source"]
    assert got["filters"] == want["filters"] and got["gap"] == want["gap"]
    with open(path, "w", encoding="ascii") as file:
        json.dump(replay(trace, f"mmu={mmu}", "bypass=off"), file)
    off = bound(path)
    assert [row["bound"] for row in off["filters"]] == \
        [row["bound"] for row in want["filters"]]
    assert off["gap"] == [] and off["filters"][0]["replayed"] is None
    with open(path, "w", encoding="ascii") as file:
        json.dump(replay(trace, f"mmu={mmu}", "exception-bitmap=0",
                         "pfec-mask=3", "pfec-match=0"), file)
    assert bound(path)["gap"] == [], "another filter is not the bypass"


def live_and_several():
    """Live results will do; several are told apart."""
    with tempfile.TemporaryDirectory() as box:
        trace = record(box, "touch pages=30")
        table = notrap("bound", trace, trace + ".live").stdout
        assert f"---- {trace} ----" in table
        assert f"---- {MINI}, mmu=kvm-2.6.25 bypass=on ----" in table
        assert "shadow table was not there" in table
        found = bound(trace, trace + ".live")
        sources = {row["source"] for row in found["filters"]}
        assert len(sources) == 2, sources
        many = os.path.join(box, "many")
        notrap("replay", trace, "-D", "bypass=off,on", "-o", many, "--format",
               "json")
        names = [row["source"] for row in bound(many)["gap"]]
        assert set(names) == {f"{trace}, bypass=on"}, names


def nothing_to_bound():
    with tempfile.TemporaryDirectory() as box:
        trace = record(box, "hello")
        result = replay(trace)
        faults = result["guest_faults"]
        for name in list(faults):
            faults[name] = type(faults[name])()
        path = os.path.join(box, "none")
        with open(path, "w", encoding="ascii") as file:
            json.dump(result, file)
        found = bound(path)
        assert found["filters"] == [] and found["gap"] == []
        assert "no guest fault" in found["notes"][0], found["notes"]
        faults["by_error_code"] = {"0x7": 5}
        with open(path, "w", encoding="ascii") as file:
            json.dump(result, file)
        found = bound(path)
        assert found["filters"] == [] and found["gap"] == []
        assert "at most 0.0% of 5 guest faults" in found["notes"][0], found


def refusals():
    with tempfile.TemporaryDirectory() as box:
        trace = record(box, "touch pages=5")
        cases = [
            ([trace, "-D", "mmu=kvm-2.6.20"], "this generation has none"),
            ([trace, "-D", "bypass=off"], "--no-replay: the bound alone"),
            ([trace, "-D", "vendor=amd"], "AMD cannot filter"),
            ([trace, "-D", "mmu=seed,kvm-2.6.25"],
             "want one configuration, got 2"),
            ([trace, "-D", "pfec-mask=3"], "are what is tried here"),
            ([box + "/nowhere"], "No such file"),
            ([trace, box + "/nowhere"], "No such file"),
            ([], "want a TRACE or a RESULT"),
        ]
        for args, words in cases:
            done = notrap("bound", *args, status=2)
            assert words in done.stderr and done.stderr.count("\n") == 1, \
                f"{args}: {done.stderr}"
            assert done.stdout == "", args
        os.truncate(trace, os.path.getsize(trace) - 10)
        done = notrap("bound", trace, "--format", "json", status=1)
        assert "read up to reference" in done.stderr, done.stderr
        found = json.loads(done.stdout)
        assert found["filters"] and found["gap"] == []


CASES = [(f"{workload}, {granularity}, {mmu}", agrees, workload, granularity,
          mmu) for workload, granularity, mmu in WORKLOADS]
CASES += [
    ("live results, and several", live_and_several),
    ("no fault, or none that could pass", nothing_to_bound),
    ("what cannot be bounded", refusals),
]

tap.run(CASES)
