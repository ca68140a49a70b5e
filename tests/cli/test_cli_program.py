# SPDX-License-Identifier: GPL-2.0-or-later
"""The program from outside: messages, exit statuses, formats, files, signals.

usage: test_cli_program.py NOTRAP MINI_ELF GOLDEN_DIR
"""

import csv
import io
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, MINI, GOLDEN = map(os.path.abspath, sys.argv[1:4])
SAMPLE = os.path.join(GOLDEN, "sample.json")
TOUCH = ["run", MINI, "--append", "touch pages=16"]


def notrap(*args, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    more.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([NOTRAP, *args], stderr=subprocess.PIPE, text=True,
                          timeout=120, check=False, **more)


def expect(done, status, *words):
    """Exit status, and one line on stderr that holds the words."""
    assert done.returncode == status, \
        f"status {done.returncode}, want {status}: {done.stderr}"
    for word in words:
        assert word in done.stderr, f"no {word!r} in {done.stderr!r}"
    if words:
        lines = done.stderr.splitlines()
        assert len(lines) == 1 and lines[0].startswith("notrap: "), \
            f"want one line: {done.stderr!r}"


def quiet(*args, status=0, **more):
    """Run, with nothing on stderr; stdout."""
    done = notrap(*args, **more)
    expect(done, status)
    assert done.stderr == "", done.stderr
    return done.stdout


# name, arguments, status, words of the one line on stderr
COMPLAINTS = [
    ("unknown command", ["rnu"], 2, ['did you mean "run"?']),
    ("nothing like a command", ["frobnicate"], 2, ["notrap help"]),
    ("help for an unknown command", ["help", "plt"], 2,
     ['did you mean "plot"?']),
    ("run without a guest", ["run"], 2, ["want one GUEST, got 0"]),
    ("run with two guests", ["run", "a", "b"], 2, ["want one GUEST, got 2"]),
    ("unknown option", ["run", "--apend", "x", MINI], 2,
     ["no option --apend", "did you mean --append?"]),
    ("unknown option with a value", ["run", "--fromat=json", MINI], 2,
     ["did you mean --format?"]),
    ("unknown letter", ["run", "-x", MINI], 2, ["no option -x"]),
    ("an argument is missing", ["run", MINI, "-D"], 2,
     ["-D wants an argument"]),
    ("a long one's argument is missing", ["run", MINI, "--format"], 2,
     ["--format wants an argument"]),
    ("unknown key", ["run", "-D", "byps=on", MINI], 2,
     ["byps", 'did you mean "bypass"?']),
    ("a cost without its prefix", ["run", "-D", "exit=5", MINI], 2,
     ['did you mean "cost.exit"?']),
    ("bad value", ["run", "-D", "bypass=maybe", MINI], 2,
     ["bypass=maybe: want one of off,on"]),
    ("one bad value of several", ["run", "-D", "bypass=off,maybe", MINI], 2,
     ["bypass=maybe"]),
    ("unknown generation", ["run", "-D", "mmu=kvm-2.6.52", MINI], 2,
     ['did you mean "kvm-2.6.25"?']),
    ("not key=value", ["run", "-D", "bypass", MINI], 2,
     ["want key=value"]),
    ("out of range", ["run", "-D", "maxphyaddr=60", MINI], 2,
     ["maxphyaddr=60: want 36..52"]),
    ("entries that would not fault", ["run", "-D", "maxphyaddr=52", MINI], 2,
     ["maxphyaddr=52, host-nxe=on: no bit of the shadow entry \"trap\" ",
      "reserved in 4-level tables", "unsafe-trap=force"]),
    ("the same in one of many", ["replay", "-D", "maxphyaddr=40,51,52",
                                 "/nonexistent"], 2, ["unsafe-trap=force"]),
    ("trap-safety of no value", ["trap-safety", "0xq"], 2,
     ["0xq: want the value of an entry"]),
    ("trap-safety of the model's own", ["trap-safety", "0xc0001003"], 2,
     ["leads to a frame of the model's own"]),
    ("AMD cannot bypass", ["run", "-D", "vendor=amd", "-D", "bypass=on", MINI],
     2, ["bypass=on", "vendor=amd has none"]),
    ("unknown format", ["run", "--format", "yaml", MINI], 2,
     ["want table, json, csv or md"]),
    ("no such settings file", ["run", "-c", "/nonexistent", MINI], 2,
     ["/nonexistent: No such file"]),
    ("a limit that is no number", ["run", MINI, "--max-insns", "x"], 2,
     ["max-insns=x: want a number"]),
    ("no time at all", ["run", MINI, "--timeout", "0"], 2,
     ["--timeout 0: want a second"]),
    ("a part of a second", ["run", MINI, "--timeout", "1.5"], 2,
     ["--timeout 1.5: want a number up to 1000000"]),
    ("an initrd without a name", ["run", MINI, "--initrd", " x"], 2,
     ["--initrd wants a file's name first"]),
    ("no such initrd", ["run", MINI, "--initrd", "/nonexistent x"], 2,
     ["/nonexistent: No such file"]),
    ("an initrd that is a device", ["run", MINI, "--initrd", "/dev/null"], 2,
     ["/dev/null is not a regular file"]),
    ("an initrd that is a directory", ["run", MINI, "--initrd", "/"], 2,
     ["/ is a directory"]),
    ("too many of them",
     ["run", MINI, *["--initrd", "x"] * 17], 2,
     ["more than 16 times --initrd"]),
    ("no such guest", ["run", "/nonexistent"], 2,
     ["/nonexistent: No such file"]),
    ("a guest that is a directory", ["run", "/"], 2, ["is a directory"]),
    ("a guest that is a device", ["run", "/dev/null"], 2,
     ["not a regular file"]),
    ("a guest that is no image", ["run", __file__], 2, [__file__]),
    ("a directory that is not there",
     ["run", MINI, "-o", "/nonexistent/x"], 3, ["cannot write"]),
    ("an output that is a directory", ["run", MINI, "-o", "/"], 3,
     ["cannot write /: Is a directory"]),
    ("a console that cannot be written",
     ["run", MINI, "--console", "/nonexistent/x"], 3,
     ["cannot write /nonexistent/x"]),
    ("config with an operand", ["config", "bypass=on"], 2,
     ["takes settings as -D"]),
    ("config with a bad key", ["config", "-D", "byps=on"], 2,
     ['did you mean "bypass"?']),
    ("report of nothing", ["report"], 2, ["want a RESULT"]),
    ("report of no file", ["report", "/nonexistent"], 2, ["No such file"]),
    ("report of a directory", ["report", "/"], 2,
     ["/: a directory that no notrap sweep has written"]),
    ("report of no result", ["report", __file__], 2, [__file__ + ":1:"]),
    ("report of nothing in it", ["report", "/dev/null"], 2,
     ["holds no result"]),
    ("report by nothing", ["report", SAMPLE, "--by", "ripp"], 2,
     ["--by ripp: want reason, cause, error-code, rip, gfn, chain, "
      "cost or point"]),
    ("diff of nothing", ["diff"], 2, ["want a TRACE, or two RESULTs"]),
    ("diff of live results", ["diff", SAMPLE], 2,
     ["want two results to compare, got 5"]),
    ("diff with a window that is none", ["diff", SAMPLE, "--limit", "-3"], 2,
     ["--limit -3: want a number"]),
    ("report of no result that is left",
     ["report", SAMPLE, "--only", "mmu=none"], 2,
     ["no result has mmu=none; there are kvm-2.6.20, kvm-2.6.24, "]),
    ("bound of nothing", ["bound"], 2, ["want a TRACE or a RESULT"]),
    ("bound of no file", ["bound", "/nonexistent"], 2, ["No such file"]),
    ("plot to nowhere", ["plot", SAMPLE], 2, ["want -o FILE"]),
    ("plot to an unknown kind", ["plot", SAMPLE, "-o", "x.jpg"], 2,
     [".svg, .png or"]),
    ("plot of nothing", ["plot", "-o", "x.svg"], 2, ["want a RESULT"]),
    ("plot of an unknown kind", ["plot", SAMPLE, "--kind", "pie", "-o",
                                 "x.svg"], 2,
     ["--kind pie: want exits, ladder, coverage, sweep or heat"]),
    ("plot without an x axis", ["plot", SAMPLE, "--kind", "sweep", "-o",
                                "x.svg"], 2, ["there is no x axis"]),
    ("plot of an unknown figure", ["plot", SAMPLE, "--kind", "heat", "--z",
                                   "exit", "-o", "x.svg"], 2,
     ['no figure is called "exit"; did you mean "exits"?']),
    ("plot of no result that is left", ["plot", SAMPLE, "--only",
                                        "bypass=maybe", "-o", "x.svg"], 2,
     ["no result has bypass=maybe; there are off, on"]),
    ("plot with an axis it has not", ["plot", SAMPLE, "--x", "mmu", "-o",
                                      "x.svg"], 2,
     ["--kind exits takes no --x"]),
    ("plot to no directory", ["plot", SAMPLE, "-o", "/nonexistent/x.svg"], 3,
     ["cannot write"]),
]


def complaint(args, status, words):
    done = notrap(*args)
    expect(done, status, *words)
    assert done.stdout == "", f"data on stdout: {done.stdout!r}"


# --- Help ---------------------------------------------------------------------

COMMANDS = ["run", "replay", "sweep", "import", "report", "diff",
            "bound", "plot", "config", "trace"]


def help_texts():
    overview = quiet("help")
    assert quiet("--help") == overview == quiet("-h")
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", overview, re.M), command
        text = quiet("help", command)
        assert text.startswith(f"Usage: notrap {command} "), text
        assert quiet(command, "--help") == text == quiet(command, "-h")
        for line in text.splitlines():
            assert len(line) < 80, f"{command}: {line!r} is too wide"
    for status in range(4):
        assert re.search(rf"^  {status}  ", overview, re.M), status
    assert re.fullmatch(r"notrap \d+\.\d+\.\d+\n", quiet("--version"))
    done = notrap()
    assert done.returncode == 2 and done.stdout == "", done
    assert done.stderr == overview


def keys():
    lines = quiet("config", "-D", "bypass=on").splitlines()
    return dict(line.split("=", 1) for line in lines)


def config_listing():
    listing = quiet("config")
    defaults = keys()
    assert len(defaults) > 30, defaults
    for key, value in defaults.items():
        assert f"  {key}={value} " in listing or \
            f"  {key}={value}\n" in listing, f"{key}={value} is not listed"
    for line in listing.splitlines():
        assert len(line) < 80, f"{line!r} is too wide"
    for generation in ["kvm-2.6.20", "kvm-2.6.24", "seed", "kvm-2.6.25"]:
        assert generation in listing, generation


def config_reads_itself(box):
    path = os.path.join(box, "conf")
    first = quiet("config", "-D", "mmu=seed", "-D", "memory=32M",
                  "-D", "cost.exit=1000", "-o", path)
    assert first == ""
    text = quiet("config", "-c", path)
    with open(path, encoding="ascii") as file:
        assert file.read() == text
    assert "mmu=seed\n" in text and "cost.exit=1000\n" in text
    # The last one wins, whether file or option.
    assert "memory=48M\n" in quiet("config", "-c", path, "-D", "memory=48M")
    assert "memory=32M\n" in quiet("config", "-D", "memory=48M", "-c", path)
    with open(path, "a", encoding="ascii") as file:
        file.write("\n# a comment\nbypas=on\n")
    bad = sum(1 for _ in open(path, encoding="ascii"))
    expect(notrap("config", "-c", path), 2, f"{path}:{bad}:",
           'did you mean "bypass"?')


def config_of_many():
    done = notrap("config", "-D", "mmu=kvm-2.6.24,kvm-2.6.25",
                  "-D", "bypass=off,on")
    expect(done, 0, "mmu=kvm-2.6.24 bypass=on is the same as")
    heads = [line for line in done.stdout.splitlines() if line[:1] == "#"]
    assert heads == ["# 1/3 mmu=kvm-2.6.24 bypass=off",
                     "# 2/3 mmu=kvm-2.6.25 bypass=off",
                     "# 3/3 mmu=kvm-2.6.25 bypass=on"], heads
    expect(notrap("config", "-D", "vendor=amd"), 0, "bypass is off: AMD")


def manual():
    page = quiet("--man")
    plain = page.replace("\\-", "-").replace("\\&", "")
    for command in COMMANDS:
        assert f".SS notrap {command} " in plain, command
        for flag in re.findall(r"^  .*?(--[a-z-]+)",
                               quiet("help", command), re.M):
            assert flag in plain, flag
    for key, value in keys().items():
        assert f".B {key}={value}\n" in plain, key
    for line in page.splitlines():
        assert not re.match(r"['.](?!TH|SH|SS|PP|TP|B |br|RS|RE|nf|fi|\\\")",
                            line), f"not a macro: {line!r}"
    if not shutil.which("groff"):
        raise tap.Skip("no groff here")
    done = subprocess.run(["groff", "-man", "-ww", "-Tascii", "-z"],
                          input=page, text=True, capture_output=True,
                          check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr


# --- Running a guest ----------------------------------------------------------


def results(text):
    return [json.loads(line) for line in text.splitlines()]


def run_formats(box):
    """One run and its formats say the same, and so does a second run."""
    path = os.path.join(box, "r.json")
    args = [*TOUCH, "--console", "none", "-D", "bypass=off,on"]
    text = quiet(*args, "--format", "json")
    assert quiet(*args, "--format", "json", "-o", path) == ""
    with open(path, encoding="ascii") as file:
        assert file.read() == text, "two runs differ"
    assert os.listdir(box) == ["r.json"]
    for form in ["table", "json", "csv", "md"]:
        assert quiet("report", path, "--format", form) == \
            quiet(*args, "--format", form), form
    assert quiet(*args) == quiet("report", path)

    off, on = results(text)
    assert off["config"]["bypass"] == "off" and on["config"]["bypass"] == "on"
    assert off["source"]["path"] == MINI
    assert off["source"]["args"] == "touch pages=16"
    assert on["guest_faults"]["direct"] > 0 == off["guest_faults"]["direct"]
    assert on["exits"]["total"] < off["exits"]["total"]

    rows = list(csv.DictReader(io.StringIO(quiet(*args, "--format", "csv"))))
    for row, doc in zip(rows, (off, on), strict=True):
        assert int(row["exits.total"]) == doc["exits"]["total"]
        assert row["config.mmu"] == "kvm-2.6.25"
        for reason, count in doc["exits"]["by_reason"].items():
            assert int(row[f"exits.by_reason.{reason}"]) == count
        assert int(row["latency.guest_fault.p99"]) == \
            doc["latency"]["guest_fault"]["p99"]


def run_conserves():
    """Sums within a result, and the kernel's own count of its faults."""
    done = notrap(*TOUCH, "--format", "json", "-D", "audit=all")
    expect(done, 0)
    doc, = results(done.stdout)
    exits, faults = doc["exits"], doc["guest_faults"]
    assert sum(exits["by_reason"].values()) == exits["total"]
    assert sum(exits["page_fault"].values()) == exits["page_fault_total"]
    assert faults["direct"] + faults["injected"] == faults["total"]
    for group in ["", "direct_", "injected_"]:
        assert sum(faults[group + "by_error_code"].values()) == \
            faults[group[:-1] or "total"]
    cycles = dict(doc["cycles"])
    assert cycles.pop("total") == sum(cycles.values())
    for reason, count in exits["by_reason"].items():
        latency = doc["latency"]["exit"][reason]
        assert latency["count"] == count
        assert latency["min"] <= latency["p50"] <= latency["p90"] \
            <= latency["p99"] <= latency["max"]
        assert latency["min"] <= latency["mean"] <= latency["max"]
    pages, frames = exits["by_rip"], exits["by_gfn"]
    assert sum(row["exits"] for row in pages) == exits["total"]
    assert sum(row["cycles"] for row in pages) == \
        sum(one["sum"] for one in doc["latency"]["exit"].values())
    assert sum(row["exits"] for row in frames) <= exits["page_fault_total"]
    for cause, count in exits["page_fault"].items():
        assert sum(row.get(cause, 0) for row in pages) == count, cause
    for row in pages:
        low = int(row["page"], 16) < 1 << 47
        assert int(row["page"], 16) % 4096 == 0, row
        assert low or row["user"] == 0, row
    assert sum(row["user"] for row in pages) > faults["injected"]
    own = int(re.search(r"^faults total (\d+)", done.stderr, re.M)[1])
    assert own == faults["total"], f"the guest counted {own}"
    assert doc["check"] == {"audit_violations": 0, "broken": ""}
    assert doc["guest"]["ok"] and doc["guest"]["status"] == "exit 0"


def run_costs():
    """Cycles are counts times costs: a dearer exit adds just that."""
    one, two = results(quiet(*TOUCH, "--console", "none", "--format", "json",
                             "-D", "cost.exit=1000,3000"))
    more = one["exits"]["total"] * 2000
    assert two["cycles"]["exit"] - one["cycles"]["exit"] == more
    assert two["cycles"]["total"] - one["cycles"]["total"] == more
    for doc in (one, two):
        for row in doc["exits"]["by_rip"] + doc["exits"]["by_gfn"]:
            del row["cycles"]
    assert one["exits"] == two["exits"]


def run_distinct():
    done = notrap(*TOUCH, "--console", "none", "--format", "json",
                  "-D", "mmu=kvm-2.6.24,kvm-2.6.25", "-D", "bypass=off,on")
    expect(done, 0, "mmu=kvm-2.6.24 bypass=on is the same as")
    docs = results(done.stdout)
    assert [(d["config"]["mmu"], d["config"]["bypass"]) for d in docs] == [
        ("kvm-2.6.24", "off"), ("kvm-2.6.25", "off"), ("kvm-2.6.25", "on")]
    assert docs[0]["config_notes"] == {"bypass": "this generation has none"}
    assert "bypass" in docs[0]["config_changed"]
    assert docs[2]["config_notes"] == {}
    table = quiet("report", "-", input=done.stdout, stdin=None)
    assert "mmu=kvm-2.6.24 bypass=off (this generation has none)" in table
    assert "What the bypass saves: mmu=kvm-2.6.25 bypass=off -> " \
        "mmu=kvm-2.6.25 bypass=on" in table
    assert re.search(r"^mmu=kvm-2.6.25 bypass=on saves \d+ of \d+ exits",
                     table, re.M), table


def run_vendor():
    done = notrap(*TOUCH, "--console", "none", "--format", "json",
                  "-D", "vendor=amd")
    expect(done, 0, "bypass is off: AMD cannot filter")
    doc, = results(done.stdout)
    assert doc["config"]["bypass"] == "off"
    assert doc["guest_faults"]["direct"] == 0


def run_console(box):
    """Of the first configuration only, wherever it goes."""
    args = [*TOUCH, "--format", "csv", "-D", "bypass=off,on"]
    words = "faults total"
    done = notrap(*args)
    assert done.stderr.count(words) == 1 and words not in done.stdout
    done = notrap(*args, "--console", "none")
    assert done.stderr == "" and words not in done.stdout
    path = os.path.join(box, "console")
    done = notrap(*args, "--console", path)
    assert done.stderr == ""
    with open(path, encoding="ascii") as file:
        assert file.read().count(words) == 1
    done = notrap(*args, "--console", "-")
    assert done.stderr == "" and done.stdout.count(words) == 1
    expect(notrap(*TOUCH, "--format", "csv", "--console", "/dev/full"), 3,
           "console: No space left on device")


# append, settings, status of the guest, words of the last line of stderr
FAILURES = [
    ("hello=1", [], "exit 2", []),
    ("wild", [], "exit 3", []),
    ("triple", [], "triple fault", ["triple fault"]),
    ("spin", ["max-insns=3000000"], "instruction limit",
     ["the limit of 3000000 instructions"]),
]


def run_failures():
    for append, settings, status, words in FAILURES:
        args = [arg for setting in settings for arg in ("-D", setting)]
        done = notrap("run", MINI, "--append", append, "--format", "json",
                      "--console", "none", *args)
        expect(done, 1, "the guest failed: ", *words)
        doc, = results(done.stdout)
        assert doc["guest"]["status"] == status, doc["guest"]
        assert not doc["guest"]["ok"]
        assert doc["exits"]["total"] > 0, "nothing was counted"


def run_limits(box):
    """--max-insns is the setting; --timeout ends each run, with counts."""
    spin = ["run", MINI, "--append", "spin", "--console", "none", "--format",
            "json"]
    short = notrap(*spin, "--max-insns", "3000000")
    long = notrap(*spin, "-D", "max-insns=3000000")
    assert short.stdout == long.stdout and short.returncode == 1, short
    trace = os.path.join(box, "t.ntr")
    done = notrap(*spin, "--timeout", "1", "-D", "bypass=off,on")
    assert done.returncode == 1, done
    assert done.stderr.splitlines() == [
        f"notrap: bypass={value}: the guest had not ended after 1 s"
        for value in ("off", "on")], done.stderr
    docs = results(done.stdout)
    assert len(docs) == 2
    for doc in docs:
        assert doc["guest"]["status"] == "timeout", doc["guest"]
        assert not doc["guest"]["ok"] and doc["exits"]["total"] > 0
    # A recording that ends so is whole.
    notrap(*spin, "--timeout", "1", "--record", trace)
    quiet("trace", "verify", trace)
    # One that is not needed does not show.
    quiet(*TOUCH, "--console", "none", "--timeout", "100")


def run_source(box):
    """A result says what the guest was made of, a trace's header too."""
    def result(*args):
        doc, = results(quiet(*TOUCH, "--console", "none", "--format", "json",
                             *args))
        return doc["source"]

    first, second = (os.path.join(box, name) for name in ("a", "b"))
    for path in (first, second):
        with open(path, "w", encoding="ascii") as file:
            file.write("initrd " + path)
    trace = os.path.join(box, "t.ntr")
    plain = result()
    assert "initrd" not in plain and "initrd_digest" not in plain, plain
    one = result("--initrd", f"{first} x=1", "--record", trace)
    assert one["path"] == MINI and one["args"] == "touch pages=16"
    assert one["digest"] == plain["digest"]
    assert one["initrd"] == f"{first} x=1", one
    assert one == result("--initrd", f"{first} x=1")
    both = result("--initrd", first, "--initrd", second)
    assert both["initrd"] == f"{first}; {second}", both
    digests = [one, both, result("--initrd", first),
               result("--initrd", second)]
    assert len({doc["initrd_digest"] for doc in digests}) == 4, digests
    info = json.loads(quiet("trace", "info", trace, "--format", "json"))
    head = info["traces"][0]
    assert head["image"] == one["digest"], head
    assert head["initrd"] == one["initrd_digest"], head
    assert head["origin"] == \
        f"{MINI} --initrd {first} x=1 touch pages=16", head


def run_saw_difference():
    """Without bit 14 the hypervisor never gets a page fault."""
    done = notrap(*TOUCH, "--console", "none", "--format", "csv",
                  "-D", "exception-bitmap=auto,0")
    assert done.returncode == 1, done
    assert "THE GUEST SAW A DIFFERENCE" in done.stderr, done.stderr
    assert done.stdout.count("\n") == 3


# --- Full disks ---------------------------------------------------------------


def full_disk():
    with open("/dev/full", "w", encoding="ascii") as full:
        for args in [[*TOUCH, "--console", "none"], ["config"], ["--version"],
                     ["help", "run"], ["report", SAMPLE]]:
            expect(notrap(*args, stdout=full), 3,
                   "cannot write standard output: No space left on device")


def to_pipe(box):
    """What is no regular file is written to, not replaced."""
    path = os.path.join(box, "pipe")
    os.mkfifo(path)
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE,
                          text=True) as reader:
        quiet("report", SAMPLE, "--format", "json", "-o", path)
        with open(SAMPLE, encoding="ascii") as file:
            assert reader.communicate()[0] == file.read()
    assert os.listdir(box) == ["pipe"] and not os.path.isfile(path)


def limited_file(box):
    """A disk that is full at 1 KiB: the old file stays, nothing is left."""
    path = os.path.join(box, "r.json")
    with open(path, "w", encoding="ascii") as file:
        file.write("old")
    script = f'ulimit -f 1; trap "" XFSZ; exec "$@" -o "{path}"'
    for args in [["report", SAMPLE, "--format", "json"],
                 [*TOUCH, "--format", "json", "--console", "none"]]:
        done = subprocess.run(["sh", "-c", script, "sh", NOTRAP, *args],
                              capture_output=True, text=True, check=False)
        expect(done, 3, f"cannot write {path}: File too large")
        with open(path, encoding="ascii") as file:
            assert file.read() == "old"
        assert os.listdir(box) == ["r.json"]


# --- Signals ------------------------------------------------------------------


def start_spinning(box, *args, **more):
    """A guest that never ends; returns when it has begun to run."""
    console = os.path.join(box, "console")
    if os.path.exists(console):
        os.remove(console)
    child = subprocess.Popen(
        [NOTRAP, "run", MINI, "--append", "spin", "--console", console, *args],
        stdin=subprocess.DEVNULL, **more)
    for _ in range(600):
        if os.path.exists(console) and os.path.getsize(console) > 0:
            return child
        time.sleep(0.05)
    child.kill()
    raise AssertionError("the guest says nothing")


def interrupt(box):
    for sig in [signal.SIGINT, signal.SIGTERM]:
        child = start_spinning(box, "--format", "json",
                               "-D", "bypass=off,on", stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
        child.send_signal(sig)
        out, err = child.communicate(timeout=60)
        assert child.returncode == 1, (child.returncode, err)
        doc, = results(out)  # the second configuration is not begun
        assert doc["guest"]["status"] == "interrupted", doc["guest"]
        assert doc["exits"]["total"] > 0
        assert err == "notrap: bypass=off: interrupted\n", err


def second_signal(box):
    """The first one waits for the run, the second one does not."""
    child = start_spinning(box, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    child.send_signal(signal.SIGSTOP)
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGTERM)
    child.send_signal(signal.SIGCONT)
    status = child.wait(timeout=60)
    assert status in (-signal.SIGINT, -signal.SIGTERM), status


# --- The progress line --------------------------------------------------------


def terminal_output(box, wanted, *args):
    """What a terminal on stderr is shown until it matches, and to the end."""
    master, slave = os.openpty()
    child = start_spinning(box, *args, stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    text, asked = b"", False
    while True:
        if not select.select([master], [], [], 30)[0]:
            child.kill()
        try:
            data = os.read(master, 4096)
        except OSError:
            break
        if not data:
            break
        text += data
        if not asked and (re.search(wanted, text, re.S) or len(text) > 10000):
            child.send_signal(signal.SIGINT)
            asked = True
    child.wait(timeout=60)
    os.close(master)
    assert re.search(wanted, text, re.S), text[-300:]
    # Erased before the last message.
    assert text.endswith(b"\r\x1b[Knotrap: interrupted\r\n"), text[-80:]
    return text


def progress(box):
    spin = rb"\r\x1b\[K1/1 [|/\\-] (\d+) M insns, [\d.]+ M insns/s"
    text = terminal_output(box, spin + b".*" + spin)
    shown = re.findall(spin, text)
    assert int(shown[-1]) >= int(shown[0]), shown
    terminal_output(box, rb"\r\x1b\[K1/1 \[[#.]{20}\] +\d+%, "
                    rb"[\d.]+ M insns/s, \d+:\d\d left", "-D",
                    "max-insns=100000000000")


# --- Saved results ------------------------------------------------------------


def report_formats():
    for form, file in [("table", "sample.txt"), ("md", "sample.md"),
                       ("csv", "sample.csv"), ("json", "sample.json")]:
        with open(os.path.join(GOLDEN, file), encoding="ascii") as golden:
            assert quiet("report", SAMPLE, "--format", form) == golden.read()


def report_by():
    for form, file in [("table", "by.txt"), ("md", "by.md"),
                       ("csv", "by.csv"), ("json", "by.json")]:
        text = "".join(
            quiet("report", SAMPLE, "--by", what, "--format", form)
            for what in ["reason", "cause", "error-code", "rip", "gfn", "chain",
                         "point"])
        with open(os.path.join(GOLDEN, file), encoding="ascii") as golden:
            assert text == golden.read(), form


def report_costs():
    """Each charged cost once, with a source; and they are the total."""
    given = quiet("run", MINI, "--append", "touch pages=8", "--console", "none",
                  "--format", "json", "-D", "machine=merom", "-D",
                  "hypervisor=era", "-D", "bypass=off", "-D",
                  "cost.inject=700:600..900")
    doc, = results(given)
    sheet = json.loads(quiet("report", "-", "--by", "cost", "--format", "json",
                             input=given, stdin=None))
    rows = {row["cost"]: row for row in sheet["rows"]}
    assert len(rows) == len(sheet["rows"])
    assert set(rows) == {key for key, n in doc["cost_counts"].items() if n}
    assert sum(row["cycles"] for row in rows.values()) == \
        doc["cycles"]["total"]
    for key, row in rows.items():
        assert row["cycles"] == row["count"] * row["each"]
        assert row["count"] == doc["cost_counts"][key]
        assert row["file"] == "-D" or row["tag"], key
        assert len(row["source"]) > 3, key
    assert rows["cost.inject"]["file"] == "-D"
    assert (rows["cost.inject"]["each_low"],
            rows["cost.inject"]["each_high"]) == (600, 900)
    assert rows["cost.exit"]["file"] == "machines/merom.ini"
    assert "Agesen" in rows["cost.exit"]["source"]
    assert rows["cost.dispatch"]["file"] == "hypervisors/kvm-2.6.24.ini"
    assert rows["cost.dispatch"]["tag"] == "D"


def report_only():
    text = quiet("report", SAMPLE, "--only", "bypass=on", "--only",
                 "guest=touch pages=8", "--format", "json")
    doc, = results(text)
    assert doc["config"]["bypass"] == "on"
    assert doc["source"]["args"] == "touch pages=8"


def report_streams():
    with open(SAMPLE, encoding="ascii") as file:
        text = file.read()
    twice = quiet("report", "--format", "json", SAMPLE, SAMPLE)
    assert twice == text + text
    assert quiet("report", "-", "--format", "json", input=text,
                 stdin=None) == text


def report_of_many_files(box):
    """Results in files of their own are the same as all in one."""
    with open(SAMPLE, encoding="ascii") as file:
        lines = file.readlines()
    paths = []
    for number, line in enumerate(lines):
        paths.append(os.path.join(box, f"{number}.json"))
        with open(paths[-1], "w", encoding="ascii") as file:
            file.write(line)
    ways = [["--format", form] for form in ("table", "md", "csv", "json")]
    ways += [["--by", what, "--format", "csv"]
             for what in ("reason", "cause", "error-code", "rip", "gfn")]
    for way in ways:
        assert quiet("report", *paths, *way) == quiet("report", SAMPLE, *way)
    # Nor does it matter what the guest's file was called.
    with open(paths[2], encoding="ascii") as file:
        text = file.read().replace("guests/mini.elf", "elsewhere/mini.elf")
    with open(paths[2], "w", encoding="ascii") as file:
        file.write(text)
    pair = quiet("report", paths[0], paths[2])
    assert "vs 1st" in pair and pair.count("==== Comparison") == 1


def leaves(doc, path=""):
    """Members by dotted name, as CSV has them."""
    for key, value in doc.items():
        if key == "cost_sources":  # sentences
            continue
        name = f"{path}{key}"
        if isinstance(value, dict):
            yield from leaves(value, name + ".")
        elif isinstance(value, list):
            if not value or isinstance(value[0], str):
                yield name, " ".join(value)
        elif isinstance(value, bool):
            yield name, "true" if value else "false"
        elif isinstance(value, float):
            yield name, f"{value:.6f}"
        else:
            yield name, "" if value is None else str(value)


SEEN = ("exits.by_reason.", "guest_faults.by_error_code.",
        "guest_faults.direct_by_error_code.",
        "guest_faults.injected_by_error_code.", "guest_faults.by_exits.")


def csv_is_complete(box):
    """Results with different members: each has a column, or is empty."""
    live, trace, other = (os.path.join(box, name)
                          for name in ("live", "trace", "other"))
    quiet(*TOUCH, "--console", "none", "-D", "bypass=off", "--format", "json",
          "-o", live, "--record", trace)
    quiet("replay", trace, "-D", "mmu=kvm-2.6.20", "-D", "invlpg-exiting=on",
          "--format", "json", "-o", other)
    with open(live, encoding="ascii") as one, \
            open(other, encoding="ascii") as two:
        docs = results(one.read() + two.read())
    assert "tlb" in docs[1] and "tlb" not in docs[0]
    text = quiet("report", live, other, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    names = {name for doc in docs for name, _ in leaves(doc)}
    assert set(rows[0]) == names, set(rows[0]) ^ names
    for doc, row in zip(docs, rows, strict=True):
        have = dict(leaves(doc))
        for name, got in row.items():
            missing = "0" if name.startswith(SEEN) else ""
            assert got == have.get(name, missing), f"{name}: {got!r}"


# --- Plots --------------------------------------------------------------------


def need_gnuplot():
    if not shutil.which("gnuplot"):
        raise tap.Skip("no gnuplot here")


def plot_images(box):
    need_gnuplot()
    for ending, magic in [("png", b"\x89PNG\r\n\x1a\n"), ("svg", b"<?xml"),
                          ("pdf", b"%PDF-")]:
        path = os.path.join(box, "p." + ending)
        quiet("plot", SAMPLE, "-o", path)
        with open(path, "rb") as file:
            data = file.read()
        assert data.startswith(magic), data[:20]
        assert len(data) > 5000, f"{ending}: only {len(data)} bytes"
        if ending == "png":
            width, height = struct.unpack(">II", data[16:24])
            assert width >= 960 and height == 640, (width, height)
        if ending == "svg":
            text = data.decode("utf-8")
            for word in ["#PF injected", "kvm-2.6.20", "bypass=on",
                         "VM exits (count)", "touch pages=8", "29"]:
                assert word in text, word
    assert len(os.listdir(box)) == 3, os.listdir(box)


def plot_script(box):
    need_gnuplot()
    path = os.path.join(box, "p.svg")
    quiet("plot", SAMPLE, "--keep-script", "-o", path)
    assert sorted(os.listdir(box)) == ["p.gp", "p.svg"]
    done = subprocess.run(["gnuplot", "-d", os.path.join(box, "p.gp")],
                          stdout=subprocess.PIPE, check=True)
    with open(path, "rb") as file:
        assert file.read() == done.stdout, "the script draws another image"


def plot_without_gnuplot(box):
    path = os.path.join(box, "p.png")
    done = notrap("plot", SAMPLE, "-o", path,
                  env={"PATH": "/nonexistent"})
    expect(done, 3, "gnuplot is not there", "gnuplot-nox")
    assert os.listdir(box) == []


def plot_broken_gnuplot(box):
    """One that fails halfway, and one that is killed: no image is left."""
    for script, word in [("echo half; echo bad luck >&2; exit 1", "bad luck"),
                         ("echo half; kill -9 $$", "signal 9")]:
        fake = os.path.join(box, "gnuplot")
        with open(fake, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(fake, 0o755)
        path = os.path.join(box, "p.png")
        done = notrap("plot", SAMPLE, "-o", path,
                      env={"PATH": box + ":/usr/bin:/bin"})
        expect(done, 3, word)
        assert os.listdir(box) == ["gnuplot"], os.listdir(box)


def in_box(case):
    with tempfile.TemporaryDirectory() as box:
        case(box)


def needs_mini(case):
    if not os.path.exists(MINI):
        raise tap.Skip("no mini.elf here")
    if "box" in case.__code__.co_varnames[:case.__code__.co_argcount]:
        in_box(case)
    else:
        case()


CASES = [(f"complaint: {name}", complaint, args, status, words)
         for name, args, status, words in COMPLAINTS]
CASES += [
    ("help is complete and 79 columns wide", help_texts),
    ("config lists every key with its default", config_listing),
    ("config's output is a file for -c", in_box, config_reads_itself),
    ("config says what a sweep comes to", config_of_many),
    ("the manual page has all of it", manual),
    ("run: every format, twice the same, as report shows it", needs_mini,
     run_formats),
    ("run: sums agree, and the kernel counts the same faults", needs_mini,
     run_conserves),
    ("run: costs are settings", needs_mini, run_costs),
    ("run: equal configurations run once", needs_mini, run_distinct),
    ("run: AMD takes the default bypass away", needs_mini, run_vendor),
    ("run: the console of the first configuration", needs_mini, run_console),
    ("run: guests that fail", needs_mini, run_failures),
    ("run: limits of instructions and of time", needs_mini, run_limits),
    ("run: what the guest was made of", needs_mini, run_source),
    ("run: a guest that sees a difference", needs_mini, run_saw_difference),
    ("a full disk under standard output", needs_mini, full_disk),
    ("a full disk under -o", needs_mini, limited_file),
    ("a pipe under -o", in_box, to_pipe),
    ("a signal shows what was counted so far", needs_mini, interrupt),
    ("a second signal ends it", needs_mini, second_signal),
    ("the progress line on a terminal", needs_mini, progress),
    ("report: formats", report_formats),
    ("report --by, each way in each format", report_by),
    ("report: results in files of their own", in_box, report_of_many_files),
    ("report: CSV has every member of each", needs_mini, csv_is_complete),
    ("report: several files, standard input", report_streams),
    ("report: cycles by cost, with sources", report_costs),
    ("report: chosen results", report_only),
    ("plot: PNG, SVG and PDF", in_box, plot_images),
    ("plot: the kept script draws the same", in_box, plot_script),
    ("plot: no gnuplot", in_box, plot_without_gnuplot),
    ("plot: a gnuplot that fails", in_box, plot_broken_gnuplot),
]

tap.run(CASES)
