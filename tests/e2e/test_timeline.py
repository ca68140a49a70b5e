# SPDX-License-Identifier: GPL-2.0-or-later
"""--timeline and --log against the result of the same run.

usage: test_timeline.py NOTRAP MINI_ELF TRACES PERF_LOG

The slices are read as a viewer reads them (begin and end on a stack), the lines
as a script reads them that was written for trace-cmd report.
"""

import collections
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, MINI, TRACES, PERF_LOG = map(os.path.abspath, sys.argv[1:5])
TOUCH = os.path.join(TRACES, "mini-touch.ntr")
FORK = os.path.join(TRACES, "mini-fork.ntr")
LONG = os.path.join(TRACES, "linux-fork.ntr")
NS = 0.0015  # us: a ns, and what floating point makes of it

PAGE = (r"sp gen \d+ gfn [0-9a-f]+ l[1-5] [48]-byte q[0-3]( direct)? "
        r"[w-][u-][x-] !?nxe !?ad root \d+ (un)?sync")
LINES = {
    "kvm_entry": r"vcpu (?P<vcpu>\d+), rip 0x[0-9a-f]+",
    "kvm_exit": r"vcpu (?P<vcpu>\d+) reason (?P<reason>[A-Z_]+) "
                r"rip 0x[0-9a-f]+ info1 0x[0-9a-f]{16} info2 0x[0-9a-f]{16} "
                r"intr_info 0x[0-9a-f]{8} error_code 0x[0-9a-f]{8}",
    "kvm_page_fault": r"vcpu (?P<vcpu>\d+) rip 0x[0-9a-f]+ "
                      r"address 0x[0-9a-f]{16} error_code 0x[0-9a-f]+",
    "kvm_inj_exception": r"(?P<name>#[A-Z]{2})( \(0x[0-9a-f]+\))?"
                         r"(?P<again> \[reinjected\])?",
    "kvm_mmu_get_page": PAGE + " new",
    "kvm_mmu_prepare_zap_page": PAGE,
    "kvm_mmu_set_spte": r"gfn (?P<gfn>[0-9a-f]+) spte [0-9a-f]+ "
                        r"\(r[w-][x-][u-]\) level 1 at [0-9a-f]+",
}
HEAD = re.compile(r" *(?P<task>[^ ]+)-(?P<pid>\d+) +\[(?P<cpu>\d{3})\] "
                  r"+(?P<time>\d+\.\d{9}): (?P<event>\w+): +(?P<text>.*)")


def notrap(*args, status=0):
    done = subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300, check=False)
    assert done.returncode == status, \
        f"{args}: status {done.returncode}: {done.stderr}"
    return done


class Run:
    """What one run wrote."""

    def __init__(self, box, *args, status=0):
        paths = [os.path.join(box, name) for name in ("t.json", "log", "r")]
        notrap(*args, "--timeline", paths[0], "--log", paths[1], "-o",
               paths[2], "--format", "json", status=status)
        with open(paths[0], "rb") as file:
            self.bytes = file.read()
        with open(paths[1], "rb") as file:
            self.log = file.read()
        with open(paths[2], encoding="utf-8") as file:
            self.report = file.read()
        self.result = json.loads(self.report)
        self.slices = Slices(self.bytes)
        self.lines = read_log(self.log)


class Slices:
    """The JSON file, by its rules."""

    def __init__(self, data):
        file = json.loads(data)
        self.mhz = file["otherData"]["mhz"] or 1
        self.all = []      # as they end
        self.top = []
        self.counters = collections.defaultdict(list)
        self.arrows = {"s": {}, "f": {}}
        self.names = {}
        self.open = collections.defaultdict(list)
        self.last = collections.defaultdict(float)
        for event in file["traceEvents"]:
            getattr(self, "take_" + event["ph"])(event)
        for tid, stack in self.open.items():
            assert not stack, f"track {tid}: {len(stack)} slices left open"

    def tick(self, event):
        track = event["tid"]
        assert event["ts"] >= self.last[track], f"back in time: {event}"
        self.last[track] = event["ts"]
        return self.open[track]

    def take_M(self, event):
        self.names[event["name"], event.get("tid")] = event["args"]["name"]

    def take_B(self, event):
        stack = self.tick(event)
        stack.append({"name": event["name"], "cat": event["cat"],
                      "tid": event["tid"], "ts": event["ts"], "in": []})

    def take_E(self, event):
        stack = self.tick(event)
        done = stack.pop()
        done["end"] = event["ts"]
        done["args"] = event["args"]
        self.all.append(done)
        (stack[-1]["in"] if stack else self.top).append(done)

    def take_C(self, event):
        (value,) = event["args"].values()
        self.counters[event["name"]].append((event["ts"], value))

    def arrow(self, event):
        stack = self.tick(event)
        assert stack, f"an arrow at no slice: {event}"
        assert event["id"] not in self.arrows[event["ph"]], event
        self.arrows[event["ph"]][event["id"]] = {**event, "at": stack[-1]}

    take_s = take_f = arrow


def read_log(data):
    """Every line of the log, each by its pattern."""
    lines = data.decode("ascii").splitlines()
    assert re.fullmatch(r"cpus=\d+", lines[0]), lines[0]
    found = []
    for line in lines[1:]:
        head = HEAD.fullmatch(line)
        assert head, f"no line of trace-cmd: {line!r}"
        text = re.fullmatch(LINES[head["event"]], head["text"])
        assert text, f"no text of {head['event']}: {line!r}"
        got = {**head.groupdict(), **text.groupdict()}
        if "vcpu" in got:
            assert got["vcpu"] == str(int(got["cpu"])), line
        found.append(got)
    return found


def parts_of(slices):
    """Cycles by part, of every charge once."""
    sums = collections.Counter()
    for one in slices:
        keys = set(one["args"]) & {"guest", "translation", "delivery", "exit",
                                   "handler"}
        if "n" in one["args"]:  # one charge
            sums[one["cat"]] += one["args"]["cycles"]
        for key in keys:
            sums[key] += one["args"][key]
    return +sums


def check_slices(run, one_track):
    slices, result = run.slices, run.result
    cycles = dict(result["cycles"])
    total = cycles.pop("total")
    assert sum(one["args"]["cycles"] for one in slices.top) == total
    want = {part: cycles[part] for part in
            ("guest", "translation", "exit", "handler", "delivery")}
    assert parts_of(slices.all) == +collections.Counter(want)

    at = 0
    for one in slices.top if one_track else []:
        assert abs(one["ts"] - at / slices.mhz) < NS, f"a gap: {one}"
        at += one["args"]["cycles"]
        assert abs(one["end"] - at / slices.mhz) < NS, f"a gap: {one}"
    for one in slices.all:
        within = {inner["name"] for inner in one["in"]}
        assert "guest" not in within, f"a guest in {one['name']}"
        assert not (within and one["name"] == "guest"), f"{within} in a guest"
        if one["cat"] == "delivery":
            assert "guest" not in one["args"], f"{one}: not the processor's"
        if one["cat"] == "exit" and "n" not in one["args"]:
            assert sum(i["args"]["cycles"] for i in one["in"]) == \
                one["args"]["cycles"], f"{one}: more than what is in it"


def exits_of(run):
    return [one for one in run.slices.all
            if one["cat"] == "exit" and "n" not in one["args"]]


def check_exits(run):
    counts, sums = collections.Counter(), collections.Counter()
    causes = collections.Counter()
    for one in exits_of(run):
        counts[one["name"]] += 1
        sums[one["name"]] += one["args"]["cycles"]
        causes[one["args"].get("cause")] += 1
    del causes[None]
    result = run.result
    assert counts == collections.Counter(result["exits"]["by_reason"])
    assert sums == {reason: latency["sum"] for reason, latency
                    in result["latency"]["exit"].items()}
    assert causes == +collections.Counter(result["exits"]["page_fault"])


def check_faults(run):
    starts, ends = run.slices.arrows["s"], run.slices.arrows["f"]
    faults, latency = (run.result["guest_faults"],
                       run.result["latency"]["guest_fault"])
    ways = collections.Counter(s["args"]["way"] for s in starts.values())
    assert ways["direct"] == faults["direct"], ways
    assert ways["injected"] == faults["injected"], ways
    assert len(ends) == latency["count"]
    assert sum(f["args"]["cycles"] for f in ends.values()) == latency["sum"]
    for number, end in ends.items():
        assert end["ts"] >= starts[number]["ts"]
        assert end["args"]["gva"] == starts[number]["args"]["gva"]
        assert starts[number]["at"]["name"] == "#PF", starts[number]


def check_counters(run):
    """Where the counters end, and that they never step twice at once."""
    last = {name: values[-1][1] for name, values in
            run.slices.counters.items()}
    result = run.result
    assert last["VM exits"] == result["exits"]["total"]
    assert last["bypassed faults"] == result["guest_faults"]["direct"]
    walks = result.get("tlb", {}).get("walks", 0)
    assert last.get("TLB misses", 0) == walks, last
    made = collections.Counter(line["event"] for line in run.lines)
    if "shadow pages" in last:
        first = run.slices.counters["shadow pages"][0][1]
        assert last["shadow pages"] == first + made["kvm_mmu_get_page"] - \
            made["kvm_mmu_prepare_zap_page"]


def check_log(run):
    result = run.result
    reasons = collections.Counter(
        line["reason"] for line in run.lines if line["event"] == "kvm_exit")
    assert reasons == collections.Counter(result["exits"]["by_reason"])
    counts = collections.Counter(line["event"] for line in run.lines)
    # Nobody comes back from a triple fault.
    assert counts["kvm_entry"] == result["exits"]["total"] - \
        reasons["TRIPLE_FAULT"]
    assert counts["kvm_page_fault"] == reasons["EPT_VIOLATION"] + \
        result["exits"]["page_fault_total"]
    again = sum(line.get("again") is not None for line in run.lines)
    assert again <= result["shadow"].get("reinjections", 0)
    given = sum(line["event"] == "kvm_inj_exception" and not line["again"] and
                line["name"] == "#PF" for line in run.lines)
    assert given >= result["guest_faults"]["injected"]

    # Guest memory, not another shadow table.
    assert all(int(line["gfn"], 16) < 0xc0000 for line in run.lines
               if "gfn" in line)

    inside, last = {}, 0.0
    for line in run.lines:
        now = float(line["time"])
        assert now >= last, f"back in time: {line}"
        last = now
        if line["event"] == "kvm_exit":
            assert not inside.get(line["cpu"]), f"two exits: {line}"
            inside[line["cpu"]] = True
        elif line["event"] == "kvm_entry":
            assert inside.get(line["cpu"]), f"no exit: {line}"
            inside[line["cpu"]] = False
        elif line["event"] != "kvm_mmu_get_page":
            assert inside.get(line["cpu"]) or "mmu" in line["event"], line


def check(run, one_track=True):
    check_slices(run, one_track)
    check_exits(run)
    check_faults(run)
    check_counters(run)
    check_log(run)


# --- Cases -------------------------------------------------------------------


def fits(*args):
    """All of it, and that nothing else is different for being watched."""
    with tempfile.TemporaryDirectory() as box:
        run = Run(box, *args)
        check(run)
        assert run.result["guest"]["ok"], run.result["guest"]
        assert len(run.slices.all) > 100
        plain = notrap(*args, "--format", "json").stdout
        assert plain == run.report, "another result than without a timeline"
        return run


def replayed(path, *settings):
    words = [word for s in settings for word in ("-D", s)]
    return fits("replay", path, *words)


def lived(append, *settings):
    words = [word for s in settings for word in ("-D", s)]
    return fits("run", MINI, "--append", append, "--console", "none", *words)


def bypass_shows():
    """The ladder: a fault that exits is three slices, a bypassed one two."""
    off = replayed(TOUCH, "mmu=kvm-2.6.25", "bypass=off")
    on = replayed(TOUCH, "mmu=kvm-2.6.25", "bypass=on")
    assert off.result["guest_faults"]["direct"] == 0
    assert on.result["guest_faults"]["injected"] == 0
    assert not any(line["event"] == "kvm_inj_exception" and not line["again"]
                   for line in on.lines)
    injected = [one for one in exits_of(off)
                if one["args"].get("injected") == "#PF (0x6)"]
    assert len(injected) > 1000
    assert {one["args"]["cause"] for one in injected} == {"injected"}


def several_processors():
    with tempfile.TemporaryDirectory() as box:
        path = os.path.join(box, "servers.ntr")
        notrap("import", "perf", PERF_LOG, "-o", path, "--memory", "64",
               "--vcpus", "3")
        run = Run(box, "replay", path)
        check(run, one_track=False)
        tracks = {one["tid"] for one in run.slices.top}
        assert tracks == {1, 2, 3}, tracks
        assert run.slices.names["thread_name", 3] == "vCPU 2"
        # They take turns: only a delivery may last past another's turn.
        tops = sorted(run.slices.top, key=lambda one: (one["ts"], one["end"]))
        tops = [one for one in tops if one["cat"] != "delivery"]
        for before, after in zip(tops, tops[1:]):
            assert after["ts"] >= before["end"], (before, after)


def region():
    run = lived("touch pages=64", "roi=on")
    assert run.slices.top[0]["ts"] == 0
    assert run.result["guest_faults"]["total"] == 64


def cycles_as_time():
    run = replayed(TOUCH, "mhz=0")
    assert run.slices.mhz == 1
    last = run.slices.top[-1]
    assert last["end"] == run.result["cycles"]["total"], last


def same_bytes():
    with tempfile.TemporaryDirectory() as box:
        once = Run(box, "replay", FORK)
        again = Run(box, "replay", FORK)
        assert once.bytes == again.bytes and once.log == again.log


def window():
    """Its ends are where slices begin: one is in, the other is not."""
    def is_inside(one):
        return first <= int(one["ts"]) < last

    with tempfile.TemporaryDirectory() as box:
        whole = Run(box, "replay", TOUCH)
        first, last = (int(whole.slices.top[i]["ts"]) for i in (1000, 3000))
        part = Run(box, "replay", TOUCH, "--window", f"{first}:{last}")
        rest = Run(box, "replay", TOUCH, "--window", f"{last}:")
        assert part.report == whole.report
    want = [one for one in whole.slices.top if is_inside(one)]
    assert abs(len(want) - 2000) < 5
    assert part.slices.top == want
    assert rest.slices.top == [one for one in whole.slices.top
                               if int(one["ts"]) >= last]
    exits = len(exits_of(part))
    counts = collections.Counter(line["event"] for line in part.lines)
    assert counts["kvm_exit"] == counts["kvm_entry"] == exits, \
        f"{counts}, {exits} exits: an exit and its entry go together"


def interrupted():
    """Ctrl-C: the files hold what was done, as the result does."""
    with tempfile.TemporaryDirectory() as box:
        names = ["t.json", "log", "r.json"]
        args = [NOTRAP, "replay", LONG, "--timeline", "t.json", "--log", "log",
                "-o", "r.json", "--format", "json"]
        done = subprocess.Popen(args, cwd=box, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not any(name.startswith("log.") and
                      os.stat(os.path.join(box, name)).st_size > 1 << 19
                      for name in os.listdir(box)):
            assert time.monotonic() < deadline, os.listdir(box)
            assert done.poll() is None, "it was over before"
            time.sleep(0.01)
        done.send_signal(signal.SIGINT)
        done.communicate(timeout=60)
        assert done.returncode == 1, done.returncode
        assert sorted(os.listdir(box)) == sorted(names)
        run = Run.__new__(Run)
        with open(os.path.join(box, "t.json"), "rb") as file:
            run.slices = Slices(file.read())
        with open(os.path.join(box, "log"), "rb") as file:
            run.lines = read_log(file.read())
        with open(os.path.join(box, "r.json"), encoding="utf-8") as file:
            run.result = json.load(file)
        assert run.result["guest"]["status"] == "interrupted"
        check(run)


def no_memory_grows():
    """As much for a long run as for a short one, but for the guest's RAM."""
    def peak(*args):
        done = subprocess.Popen([NOTRAP, *args], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        return os.wait4(done.pid, 0)[2].ru_maxrss

    for flag in "--timeline", "--log":
        plain = peak("replay", LONG, "-D", "max-insns=0")
        watched = peak("replay", LONG, flag, "/dev/null")
        assert watched < plain + 8192, f"{flag}: {plain} and {watched} KiB"


def complaint(status, words, *args):
    with tempfile.TemporaryDirectory() as box:
        args = [arg.replace("BOX", box) for arg in args]
        done = notrap(*args, status=status)
        assert words in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert not os.listdir(box), os.listdir(box)


def full_disk(flag):
    """The run is as good as lost, and the report with it."""
    with tempfile.TemporaryDirectory() as box:
        report = os.path.join(box, "r.json")
        done = notrap("replay", TOUCH, flag, "/dev/full", "-o", report,
                      status=3)
        assert "cannot write /dev/full: No space left" in done.stderr
        done = notrap("run", MINI, "--append", "touch pages=4", "--console",
                      "none", flag, "/dev/full", "-o", report, status=3)
        assert "cannot write /dev/full: No space left" in done.stderr
        assert not os.listdir(box)


def full_disk_at_once(flag, *args):
    """It is noticed while the run goes on; this one would never end."""
    with tempfile.TemporaryDirectory() as box:
        other = {"--timeline": "--log", "--log": "--timeline"}[flag]
        done = notrap(*args, flag, "/dev/full", other,
                      os.path.join(box, "other"), "-o",
                      os.path.join(box, "r"), status=3)
        assert done.stderr.splitlines() == [
            "notrap: cannot write /dev/full: No space left on device"]
        assert not os.listdir(box), os.listdir(box)


def full_disk_in_time(flag):
    """Of a replay that takes long only its beginning is done."""
    def took(*args, status):
        before = os.times()
        notrap("replay", LONG, *args, status=status)
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4])

    whole = took("--log", "/dev/null", status=0)
    part = took(flag, "/dev/full", status=3)
    assert part < whole / 4, f"{part} s, all of it {whole} s"


def standard_output():
    """To a pipe, with the report elsewhere."""
    with tempfile.TemporaryDirectory() as box:
        done = notrap("replay", TOUCH, "--log", "-", "-o",
                      os.path.join(box, "r"))
        assert len(read_log(done.stdout.encode())) > 1000


GENERATIONS = ["kvm-2.6.20", "kvm-2.6.24", "seed", "kvm-2.6.25", "kvm-2.6.28",
               "kvm-2.6.38", "kvm-3.1", "xen"]

tap.run(
    [(f"{mmu}, bypass={bypass}", replayed, FORK, f"mmu={mmu}",
      f"bypass={bypass}") for mmu in GENERATIONS for bypass in ("off", "on")] +
    [(f"mmu={mmu}", replayed, FORK, f"mmu={mmu}")
     for mmu in ("ept", "native")] +
    [("what the bypass changes", bypass_shows),
     ("few shadow pages", replayed, FORK, "shadow-pages=64"),
     ("live", lived, "mixed rounds=2"),
     ("live, clock=cycles", lived, "touch pages=16", "clock=cycles"),
     ("live, beneath EPT", lived, "touch pages=16", "mmu=ept"),
     ("several processors", several_processors),
     ("a region", region),
     ("cycles as time", cycles_as_time),
     ("the same bytes twice", same_bytes),
     ("a window", window),
     ("interrupted", interrupted),
     ("memory does not grow", no_memory_grows),
     ("standard output", standard_output),
     ("a full disk: the timeline", full_disk, "--timeline"),
     ("a full disk: the log", full_disk, "--log"),
     ("a full disk, at once: the timeline", full_disk_at_once, "--timeline",
      "run", MINI, "--append", "spin", "--console", "none"),
     ("a full disk, at once: the log", full_disk_at_once, "--log", "run", MINI,
      "--append", "mixed rounds=100000000", "--console", "none"),
     ("a full disk, in time: the timeline", full_disk_in_time, "--timeline"),
     ("a full disk, in time: the log", full_disk_in_time, "--log"),
     ("two configurations", complaint, 2, "one configuration, not 2", "replay",
      TOUCH, "-D", "bypass=off,on", "--timeline", "BOX/t"),
     ("two configurations of a run", complaint, 2, "one configuration, not 2",
      "run", MINI, "-D", "bypass=off,on", "--log", "BOX/t"),
     ("two traces", complaint, 2, "--log is for one trace, not 2", "replay",
      TOUCH, FORK, "--log", "BOX/t"),
     ("one file for two", complaint, 2, "files of their own", "replay", TOUCH,
      "--log", "BOX/t", "--timeline", "BOX/t"),
     ("the report's place", complaint, 2, "files of their own", "replay",
      TOUCH, "--log", "-"),
     ("a window of nothing", complaint, 2, "nothing between", "replay", TOUCH,
      "--log", "BOX/t", "--window", "5:5"),
     ("half a window", complaint, 2, "want FROM:TO", "replay", TOUCH, "--log",
      "BOX/t", "--window", "5"),
     ("no number", complaint, 2, "--window x: want a number", "replay", TOUCH,
      "--log", "BOX/t", "--window", "x:6"),
     ("a window on nothing", complaint, 2, "is of --timeline and --log",
      "replay", TOUCH, "--window", "5:6"),
     ("no such directory", complaint, 3, "cannot write BOX"[:12], "replay",
      TOUCH, "--timeline", "BOX/no/t"),
     ])
