# SPDX-License-Identifier: GPL-2.0-or-later
"""notrap import from outside: messages, exit statuses, what is left behind.

usage: test_cli_import.py NOTRAP
"""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP = os.path.abspath(sys.argv[1])
SCRATCH = tempfile.TemporaryDirectory()
BOX = SCRATCH.name
OUT = os.path.join(BOX, "out")
FORMATS = ["champsim", "champsim-cloudsuite", "drmemtrace", "lackey", "perf"]

LACKEY = ("==1== Lackey\n"
          "I  00400000,4\n"
          " S 1ffeffe910,8\n"
          "I  00400004,4\n"
          " L 1ffeffe910,8\n")


def store(name, text):
    path = os.path.join(BOX, name)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def pages(count):
    """A write to each of so many pages."""
    return "".join(f"I  00400000,4\n S {0x10000000 + page * 4096:08x},8\n"
                   for page in range(count))


LK = store("program.lk", LACKEY)
EMPTY = store("empty", "")
PERF = store("perf.txt", "".join(
    f"ls 9 [000] 1.{number}: exceptions:page_fault_user: {fields}\n"
    for number, fields in enumerate([
        "address=0x7f0000001000 ip=0x401000 error_code=0x6",
        "address=0x7f0000001000 ip=0x401000 error_code=0x5",
        "address=0xffffffffff600000 ip=0x401000 error_code=0x15"]))
    + "ls 9 [000] 2.0: sched:sched_switch: prev_comm=ls\n")


def notrap(*args, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          timeout=120, check=False, **more)


def expect(done, status, *lines):
    """Exit status; stderr is lines that hold these words, one each."""
    assert done.returncode == status, \
        f"status {done.returncode}, want {status}: {done.stderr}"
    assert done.stdout == "", f"data on stdout: {done.stdout!r}"
    got = done.stderr.splitlines()
    assert len(got) == len(lines), f"{len(got)} lines: {done.stderr!r}"
    for line, words in zip(got, lines):
        assert line.startswith("notrap: ") and words in line, \
            f"no {words!r} in {line!r}"


def nothing_left():
    left = [name for name in os.listdir(BOX) if name.startswith("out")]
    assert not left, f"left behind: {left}"


# name, arguments, status, words of the one line on stderr
COMPLAINTS = [
    ("nothing", [], 2, "want FORMAT IN -o OUT"),
    ("no input", ["lackey", "-o", OUT], 2, "want FORMAT IN -o OUT"),
    ("no output", ["lackey", LK], 2, "want FORMAT IN -o OUT"),
    ("two inputs", ["lackey", LK, LK, "-o", OUT], 2, "want FORMAT IN -o OUT"),
    ("a slip", ["lakey", LK, "-o", OUT], 2, 'did you mean "lackey"?'),
    ("another", ["cahmpsim", LK, "-o", OUT], 2, 'did you mean "champsim"?'),
    ("no such format", ["etch", LK, "-o", OUT], 2,
     "want " + ", ".join(FORMATS[:-1]) + " or " + FORMATS[-1]),
    ("unknown option", ["lackey", LK, "-o", OUT, "--lenent"], 2,
     "did you mean --lenient?"),
    ("granularity", ["lackey", LK, "-o", OUT, "--granularity", "page"], 2,
     "want pages or full"),
    ("memory in words", ["lackey", LK, "-o", OUT, "--memory", "1G"], 2,
     "--memory 1G: want a number"),
    ("no memory", ["lackey", LK, "-o", OUT, "--memory", ""], 2,
     "--memory : want a number"),
    ("negative memory", ["lackey", LK, "-o", OUT, "--memory", "-64"], 2,
     "--memory -64: want a number"),
    ("little memory", ["lackey", LK, "-o", OUT, "--memory", "16"], 2,
     "want 32 MiB to 3 GiB"),
    ("uneven memory", ["lackey", LK, "-o", OUT, "--memory", "33"], 2,
     "a multiple of 2 MiB"),
    ("much memory", ["lackey", LK, "-o", OUT, "--memory", "4096"], 2,
     "want a number up to 3072"),
    ("fault-around", ["lackey", LK, "-o", OUT, "--fault-around", "3"], 2,
     "want 1, 2, 4... up to 64"),
    ("seed", ["lackey", LK, "-o", OUT, "--seed", "x"], 2, "want a number"),
    ("no such file", ["lackey", "/nonexistent", "-o", OUT], 2,
     "/nonexistent: No such file"),
    ("a directory", ["lackey", "/", "-o", OUT], 2, "Is a directory"),
    ("an empty file", ["lackey", EMPTY, "-o", OUT], 2,
     "no record of lackey in it"),
    ("no input on standard input", ["perf", "-", "-o", OUT], 2,
     "no record of perf in it"),
    ("another format", ["perf", LK, "-o", OUT], 2, f"{LK}:1: want a task"),
    ("another format, leniently", ["perf", "--lenient", LK, "-o", OUT], 2,
     "no record of perf in it"),
    ("output to nowhere", ["lackey", LK, "-o", "/nonexistent/x"], 2,
     "/nonexistent/x: cannot be created"),
    ("output to a directory", ["lackey", LK, "-o", "/"], 2, "/"),
    ("output to a device", ["lackey", LK, "-o", "/dev/full"], 2,
     "not a regular file"),
]


def complaint(args, status, words):
    expect(notrap("import", *args), status, words)
    nothing_left()


def help_names_formats():
    text = notrap("help", "import").stdout
    for name in FORMATS:
        assert re.search(rf"^{name}|, {name}:", text, re.M), f"no {name}"
    for line in text.splitlines():
        assert len(line) < 80, f"{line!r} is too wide"


def load(path):
    with open(path, "rb") as file:
        return file.read()


def result(path, audit="all"):
    done = notrap("replay", path, "--format", "json", "-D", f"audit={audit}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lackey():
    expect(notrap("import", "lackey", LK, "-o", OUT), 0,
           "4 records of 1 task: ")
    first = load(OUT)
    doc = result(OUT)
    assert doc["guest_faults"]["by_error_code"] == {"0x6": 1, "0x14": 1}, doc
    done = notrap("trace", "info", OUT, "--format", "json")
    info = json.loads(done.stdout)["traces"][0]
    assert info["source"] == "lackey" and info["origin"] == LK, info
    expect(notrap("import", "lackey", LK, "-o", OUT), 0, "4 records")
    assert load(OUT) == first, "two imports differ"
    os.unlink(OUT)


def options():
    args = ["import", "lackey", LK, "-o", OUT]
    seen = set()
    for more in [[], ["--granularity", "full"], ["--memory", "64"],
                 ["--seed", "5"], ["--seed", "6"], ["--fault-around", "16"],
                 ["--origin", "who knows"]]:
        assert notrap(*args, *more).returncode == 0
        seen.add(load(OUT))
        doc = result(OUT)
        assert doc["guest_faults"]["total"] == 2, doc
    assert len(seen) == 7, "some options change nothing"
    os.unlink(OUT)


def standard_input():
    expect(notrap("import", "lackey", LK, "-o", OUT, "--origin", "x"), 0, "4")
    first = load(OUT)
    done = notrap("import", "lackey", "-", "-o", OUT, "--origin", "x",
                  input=LACKEY, stdin=None)
    expect(done, 0, "4 records")
    assert load(OUT) == first
    done = notrap("import", "lackey", "-", "-o", OUT, input=LACKEY + "hm\n",
                  stdin=None)
    expect(done, 2, "standard input:6: want I, L, S or M")
    assert load(OUT) == first, "an old trace is gone"
    os.unlink(OUT)


def perf():
    expect(notrap("import", "perf", PERF, "-o", OUT), 0,
           "3 records of 1 task: ", "1 line of other kinds passed over",
           "1 page fault left out: of protection",
           "1 page fault left out: at addresses of the kernel's")
    doc = result(OUT)
    assert doc["guest_faults"]["by_error_code"] == {"0x6": 1}, doc
    os.unlink(OUT)


def lenient():
    path = store("bad.lk", LACKEY + "what\nI  0040000x,4\n" + LACKEY)
    expect(notrap("import", "lackey", path, "-o", OUT), 2,
           f"{path}:6: want I, L, S or M")
    nothing_left()
    expect(notrap("import", "lackey", path, "-o", OUT, "--lenient"), 0,
           "8 records", "2 malformed lines or records skipped")
    os.unlink(OUT)


def memory():
    path = store("pages.lk", pages(8000))
    expect(notrap("import", "lackey", path, "-o", OUT, "--memory", "32"), 3,
           "the model guest's 32 MiB are used up; give it more with --memory")
    nothing_left()
    expect(notrap("import", "lackey", path, "-o", OUT, "--memory", "64"), 0,
           "16000 records of 1 task: ")
    assert result(OUT, "off")["guest_faults"]["total"] == 8001
    os.unlink(OUT)


def limit():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))


def full_disk():
    path = store("pages.lk", pages(8000))
    done = notrap("import", "lackey", path, "-o", OUT, "--granularity",
                  "full", preexec_fn=limit)
    expect(done, 2, "File too large")
    nothing_left()


def interrupt():
    """What has come through the pipe so far is a trace."""
    with subprocess.Popen([NOTRAP, "import", "lackey", "-", "-o", OUT],
                          stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, text=True) as child:
        child.stdin.write(LACKEY * 200000)
        child.stdin.flush()
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        try:
            child.stdin.write(LACKEY * 200000)
            child.stdin.close()
        except BrokenPipeError:
            pass
        text = child.stderr.read()
        status = child.wait(timeout=60)
    assert status == 1, f"status {status}: {text}"
    assert "interrupted" in text, text
    doc = result(OUT, "entry")
    assert doc["guest_faults"]["total"] == 2, doc
    records = int(re.search(r"(\d+) records", text)[1])
    assert 100000 < records < 1600000, records
    os.unlink(OUT)


CASES = [(f"complaint: {name}", complaint, args, status, words)
         for name, args, status, words in COMPLAINTS]
CASES += [
    ("help names every format", help_names_formats),
    ("lackey: a trace that replays, twice the same", lackey),
    ("every option changes the trace, but not the faults", options),
    ("standard input", standard_input),
    ("perf: what is left out is told", perf),
    ("--lenient", lenient),
    ("no memory left", memory),
    ("a full disk", full_disk),
    ("an interrupted import is a trace", interrupt),
]

tap.run(CASES)
