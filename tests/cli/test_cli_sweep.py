# SPDX-License-Identifier: GPL-2.0-or-later
"""notrap sweep from outside: interrupted, continued, shared out, damaged.

usage: test_cli_sweep.py NOTRAP MINI_ELF
"""

import filecmp
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, MINI = map(os.path.abspath, sys.argv[1:3])

# Relative names, so that results do not tell of the scratch directory.
TRACES = ["touch.trace", "mmap.trace", "mixed.trace"]
WORKLOADS = ["touch pages=64", "mmap rounds=20", "mixed seed=1 rounds=40"]
SETTINGS = ["-D", "mmu=kvm-2.6.24,kvm-2.6.25", "-D", "bypass=off,on",
            "-D", "shadow-pages=64,1024"]
POINTS = 18  # kvm-2.6.24 has no bypass
LONG = [*TRACES, *SETTINGS, "-D", "cost.exit=1000,1100,1200,1300,1400,1500"]

random.seed(5)


def sweep(box, *args, status=0, words=(), **more):
    done = subprocess.run([NOTRAP, "sweep", *args], capture_output=True,
                          text=True, cwd=box, timeout=120, check=False,
                          stdin=subprocess.DEVNULL, **more)
    assert done.returncode == status, \
        f"status {done.returncode}, want {status}: {done.stderr}"
    for word in words:
        assert word in done.stderr, f"no {word!r} in {done.stderr!r}"
    for line in done.stderr.splitlines():
        assert line.startswith("notrap: "), f"not ours: {line!r}"
    return done


def report(box, *args):
    done = subprocess.run([NOTRAP, "report", *args], capture_output=True,
                          text=True, cwd=box, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done


def record(box, trace, workload):
    subprocess.run([NOTRAP, "run", MINI, "--append", workload, "--console",
                    "none", "--record", trace], cwd=box, check=True,
                   stdout=subprocess.DEVNULL)


def read(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def files(top):
    return sorted(os.path.relpath(os.path.join(root, name), top)
                  for root, _, names in os.walk(top) for name in names)


def same(box, one, other):
    """Two directories with the same files and bytes."""
    a, b = os.path.join(box, one), os.path.join(box, other)
    assert files(a) == files(b), \
        f"{one} and {other}: {set(files(a)) ^ set(files(b))}"
    _, differing, errors = filecmp.cmpfiles(a, b, files(a), shallow=False)
    assert not differing and not errors, f"{one}, {other}: {differing}"


def points(box, name):
    try:
        return [file for file in os.listdir(os.path.join(box, name, "points"))
                if file.endswith(".json")]
    except FileNotFoundError:
        return []


# --- What a sweep leaves ------------------------------------------------------


def whole(box):
    """Any number of workers; each point is what a replay says."""
    one = sweep(box, *TRACES, *SETTINGS, "-o", "one", "-j", "1")
    two = sweep(box, *TRACES, *SETTINGS, "-o", "two", "-j", "2")
    assert one.stdout == two.stdout
    same(box, "one", "two")
    assert files(os.path.join(box, "one"))[0] == "plan"
    assert len(points(box, "one")) == POINTS
    replayed = subprocess.run(
        [NOTRAP, "replay", *TRACES, *SETTINGS, "--format", "json"], cwd=box,
        capture_output=True, check=True).stdout
    assert read(box, "one", "sweep.json") == replayed
    for number, line in enumerate(read(box, "one", "plan").split(b"\n")):
        assert number or line == b"notrap-sweep 1"
    for line in replayed.splitlines():
        json.loads(line)
    csv = read(box, "one", "sweep.csv").decode()
    assert csv.count("\n") == POINTS + 1
    assert report(box, "one", "--format", "csv").stdout == csv
    assert report(box, "one", "--format", "json").stdout.encode() == replayed
    assert report(box, "one", "--by", "point").stdout == one.stdout
    assert report(box, "one/sweep.json", "--format", "csv").stdout == csv


def summary(box):
    """A row a point, in every format, and nothing else on stdout."""
    again = [*TRACES, *SETTINGS, "-o", "one"]
    for form in ["table", "csv", "json", "md"]:
        done = sweep(box, *again, "--format", form,
                     words=[f"one: {POINTS} of {POINTS} points were done"])
        assert done.stdout == \
            report(box, "one", "--by", "point", "--format", form).stdout
        for trace in TRACES:
            # Tables have a heading for each.
            rows = 1 if form in ("table", "md") else POINTS / 3
            assert done.stdout.count(trace) == rows, form
    rows = json.loads(sweep(box, *again, "--format", "json").stdout)["rows"]
    results = [json.loads(line)
               for line in read(box, "one", "sweep.json").splitlines()]
    for row, result in zip(rows, results, strict=True):
        assert row["exits"] == result["exits"]["total"]
        assert row["cycles"] == result["cycles"]["total"]
        assert row["source"] == result["source"]["path"]


def spec(box):
    """One file says it all."""
    with open(os.path.join(box, "spec"), "w", encoding="ascii") as file:
        for trace in TRACES:
            file.write(f"trace = {trace}  # a recording\n")
        for setting in SETTINGS[1::2]:
            file.write(setting + "\n")
    sweep(box, "-c", "spec", "-o", "spec.out")
    same(box, "one", "spec.out")
    # Operands come after the file's.
    sweep(box, "mixed.trace", "-c", "spec", "-o", "spec.out",
          words=["mixed.trace is the same as mixed.trace: swept once"])
    same(box, "one", "spec.out")


def left_out(box):
    """What a machine lacks is left out and told; the rest is swept."""
    args = ["touch.trace", "-D", "machine=merom,nehalem,k10", "-D",
            "mmu=kvm-2.6.25,ept,native", "-D", "bypass=off,on", "-D",
            "hypervisor=era"]
    words = ["left out: mmu=ept: machine=merom has no ept",
             "(2 combinations)", "vendor=amd has none"]
    done = sweep(box, *args, "-o", "left_out", "--format", "json", words=words)
    rows = json.loads(done.stdout)["rows"]
    # Of three machines: merom 3, nehalem 4, k10 2.
    assert len(rows) == 9
    for row in rows:  # what follows from a machine is not told with it
        assert all(word.split("=")[0] in ("mmu", "bypass", "machine")
                   for word in row["settings"].split()), row["settings"]
        native = "mmu=native" in row["settings"]
        assert (row["native_times"] == 1) == native
        assert row["native_times"] >= 1
    sweep(box, *args, "-o", "left_out", "--dry-run", words=words)
    subprocess.run([NOTRAP, "plot", "left_out", "--kind", "heat", "--x",
                    "machine", "--y", "mmu", "--z", "saved", "-o", "l.svg",
                    "--keep-script"], cwd=box, check=True)
    script = read(box, "l.gp").decode()
    assert script.count("$map") == 2  # one map: its data, and its plot
    sweep(box, "touch.trace", "-D", "machine=merom,penryn", "-D",
          "mmu=kvm-3.1,ept", "-o", "none", status=2,
          words=["machine=merom has no ept"])


def dry_run(box):
    done = sweep(box, *TRACES, *SETTINGS, "-o", "dry", "--dry-run")
    assert not os.path.exists(os.path.join(box, "dry"))
    assert done.stdout.count("to do") == POINTS
    assert f"0 of {POINTS} points are done." in done.stdout
    shutil.copytree(os.path.join(box, "one"), os.path.join(box, "dry"))
    os.remove(os.path.join(box, "dry", "points", points(box, "dry")[0]))
    before = files(os.path.join(box, "dry"))
    done = sweep(box, *TRACES, *SETTINGS, "-o", "dry", "--dry-run")
    assert done.stdout.count("to do") == 1
    assert f"{POINTS - 1} of {POINTS} points are done." in done.stdout
    assert files(os.path.join(box, "dry")) == before
    rows = json.loads(sweep(box, *TRACES, *SETTINGS, "-o", "dry", "--dry-run",
                            "--format", "json", "--job", "2/3").stdout)
    assert len(rows["points"]) == POINTS / 3


def more_values(box):
    """A sweep that is given more values runs only what is new."""
    shutil.copytree(os.path.join(box, "one"), os.path.join(box, "more"))
    times = {name: os.stat(os.path.join(box, "more", "points", name)).st_mtime
             for name in points(box, "more")}
    sweep(box, *TRACES, *SETTINGS, "-D", "shadow-pages=64,256,1024",
          "-o", "more",
          words=[f"more: {POINTS} of {POINTS * 3 // 2} points were done"])
    for name, when in times.items():
        path = os.path.join(box, "more", "points", name)
        assert os.stat(path).st_mtime == when, f"{name} was run again"
    sweep(box, *TRACES, *SETTINGS, "-D", "shadow-pages=64,256,1024",
          "-o", "more.whole")
    same(box, "more", "more.whole")


def moved_traces(box):
    """Traces are known by what they hold, not by where they are."""
    os.mkdir(os.path.join(box, "sub"))
    for trace in TRACES:
        shutil.copy(os.path.join(box, trace), os.path.join(box, "sub"))
    shutil.copytree(os.path.join(box, "one"), os.path.join(box, "moved"))
    names = [f"sub/{trace}" for trace in TRACES]
    sweep(box, *names, *SETTINGS, "-o", "moved",
          words=[f"{POINTS} of {POINTS} points were done"])
    assert b'"path": "sub/touch.trace"' in read(box, "moved", "sweep.json")
    assert read(box, "moved", "sweep.json").replace(b"sub/", b"") == \
        read(box, "one", "sweep.json")
    assert report(box, "moved", "--format", "json").stdout.encode() == \
        read(box, "moved", "sweep.json")


# --- Interruptions ------------------------------------------------------------


def start(box, *args):
    return subprocess.Popen([NOTRAP, "sweep", *args], cwd=box,
                            stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for_point(box, name, more_than=0):
    for _ in range(12000):
        if len(points(box, name)) > more_than:
            return
        time.sleep(0.005)
    raise AssertionError("no point comes")


def killed(box):
    """kill -9 at any moment, again and again: nothing is lost, nothing bad."""
    sweep(box, *LONG, "-o", "long", "-j", "2")
    had = 0
    for _ in range(6):
        child = start(box, *LONG, "-o", "killed", "-j", "2")
        time.sleep(random.uniform(0.02, 0.25))
        child.kill()
        child.communicate(timeout=60)
        time.sleep(0.02)  # its workers go with it
        assert len(points(box, "killed")) >= had, "points were lost"
        had = len(points(box, "killed"))
    sweep(box, *LONG, "-o", "killed", "-j", "2")
    for name in os.listdir(os.path.join(box, "killed")):
        if name.startswith("plan."):  # killed while it was written
            os.remove(os.path.join(box, "killed", name))
    same(box, "long", "killed")


def workers_end(box):
    """A parent that is killed leaves no worker behind."""
    child = start(box, *LONG, "-o", "orphans", "-j", "2")
    wait_for_point(box, "orphans")
    kids = children(child.pid)
    for kid in kids:  # none ends by itself
        try:
            os.kill(kid, signal.SIGSTOP)
        except ProcessLookupError:
            pass
    child.kill()
    child.communicate(timeout=60)
    for _ in range(200):
        if not any(is_running(kid) for kid in kids):
            return
        time.sleep(0.01)
    raise AssertionError(f"{kids} still run")


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(word) for word in f.read().split()]
    except FileNotFoundError:
        raise tap.Skip("the kernel does not list children") from None


def leftovers(box):
    """What a killed writer left goes, but not what another job's has."""
    args = ["touch.trace", "-D", "bypass=off,on", "-o", "left", "--job"]
    sweep(box, *args, "1/2")
    sweep(box, *args, "2/2")
    one, two = sorted(points(box, "left"))
    top = os.path.join(box, "left", "points")
    for name in [one + ".77.0.tmp", two + ".77.0.tmp", "a.tmp", "b"]:
        with open(os.path.join(top, name), "w", encoding="ascii") as file:
            file.write("{")
    rows = json.loads(sweep(box, *args, "1/2", "--dry-run", "--format",
                            "json").stdout)["points"]
    mine, other = (one, two) if one.startswith(rows[0]["id"]) else (two, one)
    sweep(box, *args, "1/2")
    assert sorted(os.listdir(top)) == sorted(
        [one, two, other + ".77.0.tmp", "a.tmp", "b"]), (mine, other)


def interrupted(box):
    """Ctrl-C: what is there is merged, and told; the same command goes on."""
    caught = 0
    for sig in [signal.SIGINT, signal.SIGTERM] * 2:
        shutil.rmtree(os.path.join(box, "int"), ignore_errors=True)
        child = start(box, *LONG, "-o", "int", "-j", "1", "--format", "csv")
        wait_for_point(box, "int")
        child.send_signal(sig)
        out, err = child.communicate(timeout=60)
        if child.returncode == 0:
            continue  # it was quicker
        caught += 1
        assert child.returncode == 1, (child.returncode, err)
        assert "interrupted: " in err and "goes on from here" in err, err
        assert "failed" not in err, err
        there = len(points(box, "int"))
        assert out.count("\nrows,") == there
        assert read(box, "int", "sweep.csv").count(b"\n") == there + 1
        assert f"sweep.csv has {there} of " in err, err
    assert caught, "no sweep was slow enough"
    sweep(box, *LONG, "-o", "int", "-j", "2")
    same(box, "long", "int")


def interrupted_pass(box):
    """The signal reaches the workers: a pass over a long trace ends, too."""
    record(box, "long.trace", "mixed seed=1 rounds=200")
    child = start(box, "long.trace", "-D",
                  "cost.exit=" + ",".join(map(str, range(1000, 1016))),
                  "-o", "pass", "-j", "1")
    while child.poll() is None and not children(child.pid):
        time.sleep(0.005)
    time.sleep(0.1)
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 1, (child.returncode, err)
    assert "interrupted: 16 of 16 points are left" in err, err
    assert "failed" not in err and out == "", (out, err)
    assert files(os.path.join(box, "pass")) == ["plan"]


def worker_killed(box):
    """Its points are run again one by one; none fails for the others."""
    for _ in range(2):
        shutil.rmtree(os.path.join(box, "crash"), ignore_errors=True)
        child = start(box, *LONG, "-o", "crash", "-j", "2")
        kids = []
        while child.poll() is None and not kids:
            kids = children(child.pid)
        for kid in kids:
            try:
                os.kill(kid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        _, err = child.communicate(timeout=60)
        assert child.returncode == 0, err
        same(box, "long", "crash")


def worker_always_killed(box):
    """A point whose worker dies each time fails; the program does not."""
    child = start(box, "mixed.trace", "-D",
                  "cost.exit=" + ",".join(map(str, range(1000, 1016))),
                  "-o", "oom", "-j", "1")
    while child.poll() is None:
        for kid in children(child.pid):
            try:
                os.kill(kid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    _, err = child.communicate(timeout=60)
    if child.returncode == 0:
        raise tap.Skip("the workers were quicker")
    assert child.returncode == 3, err
    assert "its process was ended by signal 9 (Killed)" in err, err


# --- Slices -------------------------------------------------------------------


def slices_apart(box):
    """Each in a directory of its own: together they are the whole."""
    for part in (1, 2, 3):
        done = sweep(box, *TRACES, *SETTINGS, "--job", f"{part}/3",
                     "-o", f"part{part}", "--format", "csv",
                     words=[f"sweep.csv has {POINTS // 3} of {POINTS}"])
        assert done.stdout.count(".trace,") == POINTS // 3
        assert len(points(box, f"part{part}")) == POINTS // 3
    parts = ["part1", "part2", "part3"]
    csv = read(box, "one", "sweep.csv").decode()
    assert report(box, *parts, "--format", "csv").stdout == csv
    assert report(box, *parts[::-1], "--format", "csv").stdout == csv
    # The same point twice counts once.
    assert report(box, "part1", *parts, "one", "--format", "csv").stdout == csv
    done = report(box, "part1", "part3", "--format", "csv")
    assert f"{POINTS // 3} of {POINTS} points are not there" in done.stderr
    assert done.stdout.count("\n") == 1 + 2 * POINTS // 3


def slices_together(box):
    """At the same time in one directory."""
    jobs = [start(box, *LONG, "--job", f"{part}/3", "-o", "shared", "-j", "1",
                  "--format", "csv")
            for part in (1, 2, 3)]
    for job in jobs:
        out, err = job.communicate(timeout=120)
        assert job.returncode == 0, err
        # Of its own slice, whatever else is there.
        assert out.count(".trace,") == len(points(box, "long")) / 3
    same(box, "long", "shared")


# --- Damage -------------------------------------------------------------------


def flip(data):
    at = data.index(b'"total": ') + 9
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


DAMAGES = [
    ("a digit changed", flip),
    ("cut short", lambda data: data[:-10]),
    ("empty", lambda data: b""),
    ("not JSON", lambda data: b"\xff\x00" * 50),
    ("without its sum", lambda data: data[:data.rindex(b', "sum"')] + b"}\n"),
    ("twice", lambda data: data + data),
]


def damaged_points(box):
    """What is not what was written is run again."""
    names = sorted(points(box, "one"))
    for title, change in DAMAGES:
        shutil.rmtree(os.path.join(box, "bad"), ignore_errors=True)
        shutil.copytree(os.path.join(box, "one"), os.path.join(box, "bad"))
        path = os.path.join(box, "bad", "points", random.choice(names))
        data = change(read(path))
        with open(path, "wb") as file:
            file.write(data)
        assert "points are not there" in report(box, "bad").stderr, title
        sweep(box, *TRACES, *SETTINGS, "-o", "bad", words=[
            f"bad: {POINTS - 1} of {POINTS} points were done before"])
        same(box, "one", "bad")
    # A whole result, of another point.
    shutil.copy(os.path.join(box, "one", "points", names[0]),
                os.path.join(box, "bad", "points", names[1]))
    sweep(box, *TRACES, *SETTINGS, "-o", "bad",
          words=[f"{POINTS - 1} of {POINTS} points were done before"])
    same(box, "one", "bad")


def bad_traces(box):
    """They stop nobody else, and are told."""
    data = read(box, "mixed.trace")
    with open(os.path.join(box, "hurt.trace"), "wb") as file:
        file.write(data[:len(data) // 2] + b"hurt" + data[len(data) // 2 + 4:])
    with open(os.path.join(box, "cut.trace"), "wb") as file:
        file.write(data[:len(data) // 2])
    done = sweep(box, "touch.trace", "hurt.trace", "cut.trace", "none.trace",
                 MINI, "mmap.trace", *SETTINGS, "-o", "some", status=1,
                 words=["hurt.trace: ", "(6 points)",
                        "cut.trace: has no end", "none.trace: cannot be",
                        "record it first: notrap run", "6 of 18 points failed",
                        "3 of 6 traces cannot be swept"])
    assert done.stdout.count("touch.trace") == 1  # headings
    assert done.stdout.count("mmap.trace") == 1
    assert "hurt" not in done.stdout
    assert len(points(box, "some")) == 12
    for trace, line in [("cut.trace", "has no end"),
                        (MINI, "record it first"), ("none.trace", "No such")]:
        done = sweep(box, trace, *SETTINGS, "-o", "no", status=2,
                     words=[line])
        assert done.stdout == ""
        assert not os.path.exists(os.path.join(box, "no"))


def differing_point(box):
    """Without bit 14 no page fault reaches the hypervisor."""
    done = sweep(box, "touch.trace", "-D", "exception-bitmap=auto,0",
                 "-o", "differs", status=1,
                 words=["touch.trace, exception-bitmap=0", ": ",
                        "1 of 2 points failed"])
    assert len(points(box, "differs")) == 1
    assert done.stdout.count("touch.trace") == 1
    # It is no result, so it is tried again.
    sweep(box, "touch.trace", "-D", "exception-bitmap=auto,0",
          "-o", "differs", status=1, words=["1 of 2 points were done before"])


# --- The disk -----------------------------------------------------------------


def full_disk(box):
    """Files of 1 KiB at most: nothing is written half."""
    script = 'ulimit -f 1; trap "" XFSZ; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", NOTRAP, "sweep", "touch.trace",
         *SETTINGS[:2], "-o", "full"], cwd=box, capture_output=True, text=True,
        check=False)
    assert done.returncode == 3, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "cannot write full/points/" in done.stderr, done.stderr
    assert "File too large" in done.stderr, done.stderr
    assert files(os.path.join(box, "full")) == ["plan"]
    sweep(box, "touch.trace", *SETTINGS[:2], "-o", "full")
    assert len(points(box, "full")) == 2


def wrong_directories(box):
    with open(os.path.join(box, "file"), "w", encoding="ascii") as file:
        file.write("text\n")
    args = ["touch.trace", "-o"]
    sweep(box, *args, "file", status=2, words=["is a file, want a directory"])
    sweep(box, *args, "no/dir", status=3,
          words=["cannot make directory no/dir: No such file"])
    sweep(box, *args, "/proc/x", status=3, words=["cannot make directory"])
    os.mkdir(os.path.join(box, "foreign"))
    shutil.copy(os.path.join(box, "file"), os.path.join(box, "foreign/plan"))
    sweep(box, *args, "foreign", status=2,
          words=["foreign/plan: not a file that notrap sweep wrote"])
    assert read(box, "foreign", "plan") == b"text\n"
    os.mkdir(os.path.join(box, "empty"))
    sweep(box, *args, "empty")
    for path, line in [("foreign", "not a file that"), ("/", "no notrap sweep")]:
        done = subprocess.run([NOTRAP, "report", path], cwd=box, check=False,
                              capture_output=True, text=True)
        assert done.returncode == 2 and line in done.stderr, done
    shutil.rmtree(os.path.join(box, "empty", "points"))
    done = subprocess.run([NOTRAP, "report", "empty"], cwd=box, check=False,
                          capture_output=True, text=True)
    assert done.returncode == 2, done
    assert "no point of the sweep is there" in done.stderr


COMPLAINTS = [
    ("no trace", ["-o", "x"], ["want a TRACE"]),
    ("no directory", ["touch.trace"], ["want -o DIR"]),
    ("unknown key", ["touch.trace", "-o", "x", "-D", "byps=on,off"],
     ['did you mean "bypass"?']),
    ("bad value", ["touch.trace", "-o", "x", "-D", "bypass=on,of"],
     ["bypass=of: want one of"]),
    ("out of range", ["touch.trace", "-o", "x", "-D", "shadow-pages=64,1"],
     ["shadow-pages=1: want 64"]),
    ("too many", ["touch.trace", "-o", "x"] +
     [word for key in ("exit", "emulate", "io") for word in
      ("-D", f"cost.{key}=" + ",".join(map(str, range(17))))],
     ["more than 4096 combinations"]),
    ("no slice", ["touch.trace", "-o", "x", "--job", "0/3"],
     ["--job 0/3: want I/N"]),
    ("no number", ["touch.trace", "-o", "x", "-j", "two"],
     ["-j two: want 1..256"]),
    ("no workers", ["touch.trace", "-o", "x", "-j", "0"], ["want 1..256"]),
    ("no such file", ["-c", "none", "-o", "x"], ["none: No such file"]),
    ("unknown option", ["touch.trace", "--jobs", "1/2", "-o", "x"],
     ["did you mean --job?"]),
]


def complaint(box, args, words):
    done = sweep(box, *args, status=2, words=words)
    assert done.stdout == "" and done.stderr.count("\n") == 1, done.stderr
    assert not os.path.exists(os.path.join(box, "x"))


def not_for_replay(box):
    """A specification names traces; other commands do not take that."""
    done = subprocess.run([NOTRAP, "replay", "-c", "spec", "touch.trace"],
                          cwd=box, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "is for notrap sweep" in done.stderr, done


def verbose(box):
    done = sweep(box, *TRACES, "-o", "verbose", "-v", "-j", "1")
    assert "3 of 3 points: " in done.stderr, done.stderr
    assert done.stderr.count("\n") == 3, done.stderr


# name of the image, options
PLOTS = [
    ("exits", []),
    ("percent", ["--y", "percent"]),
    ("ladder", ["--kind", "ladder"]),
    ("coverage", ["--kind", "coverage"]),
    ("sweep", ["--kind", "sweep", "--only", "mmu=kvm-2.6.25"]),
    ("curves", ["--kind", "sweep", "--x", "shadow-pages", "--y", "cycles",
                "--only", "guest=touch,mixed"]),
    ("heat", ["--kind", "heat", "--x", "mmu", "--y", "shadow-pages"]),
    ("guests", ["--kind", "heat", "--x", "bypass", "--y", "guest", "--z",
                "per-fault", "--only", "mmu=kvm-2.6.25"]),
]


def plots(box):
    """Every kind is drawn of a sweep's directory, twice the same."""
    if not shutil.which("gnuplot"):
        raise tap.Skip("no gnuplot here")
    for name, options in PLOTS:
        for ending, magic in [("png", b"\x89PNG"), ("svg", b"<?xml"),
                              ("pdf", b"%PDF")]:
            path = f"{name}.{ending}"
            done = subprocess.run(
                [NOTRAP, "plot", "one", *options, "-o", path, "--keep-script"],
                cwd=box, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{path}: {done.stderr}"
            assert done.stderr == "" and done.stdout == "", done
            image = read(box, path)
            assert image.startswith(magic) and len(image) > 5000, path
        assert b"set terminal pdfcairo" in read(box, name + ".gp")


def main():
    cases = [
        ("whole: any -j, and replay, say the same", whole),
        ("the summary has a row a point", summary),
        ("a file says a whole sweep", spec),
        ("what a machine lacks", left_out),
        ("a dry run lists and writes nothing", dry_run),
        ("more values later run only what is new", more_values),
        ("traces may move", moved_traces),
        ("kill -9 at random moments", killed),
        ("workers end with their parent", workers_end),
        ("what killed writers left", leftovers),
        ("Ctrl-C", interrupted),
        ("SIGTERM in the middle of a pass", interrupted_pass),
        ("a worker is killed", worker_killed),
        ("a worker is killed each time", worker_always_killed),
        ("slices apart, merged", slices_apart),
        ("slices at the same time in one directory", slices_together),
        ("damaged points are run again", damaged_points),
        ("bad traces among good ones", bad_traces),
        ("a point that differs", differing_point),
        ("a full disk", full_disk),
        ("wrong directories", wrong_directories),
        ("replay takes no specification", not_for_replay),
        ("verbose", verbose),
        ("plots", plots),
    ]
    cases = [(name, case, box) for name, case in cases]
    cases += [(f"complaint: {name}", complaint, box, args, words)
              for name, args, words in COMPLAINTS]
    tap.run(cases)


if not os.path.exists(MINI):
    tap.run([("sweep", lambda: (_ for _ in ()).throw(tap.Skip("no mini.elf")))])
with tempfile.TemporaryDirectory() as box:
    for trace, workload in zip(TRACES, WORKLOADS):
        record(box, trace, workload)
    main()
