# SPDX-License-Identifier: GPL-2.0-or-later
"""notrap trace, its commands on good traces and on anything else.

usage: test_cli_trace.py NOTRAP MINI_ELF GOLDEN_TRACE
"""

import csv
import io
import json
import os
import re
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
SCRATCH = tempfile.TemporaryDirectory()
BOX = SCRATCH.name
COMMANDS = ["info", "dump", "verify", "cut"]
OUT = os.path.join(BOX, "out")


def trace(*args, **more):
    """The command that args begin with; cut writes OUT, if nothing is said."""
    if args[:1] == ("cut",) and "-o" not in args and "--help" not in args:
        args += ("-o", OUT)
    more.setdefault("stdin", subprocess.DEVNULL)
    more.setdefault("stdout", subprocess.PIPE)
    return subprocess.run([NOTRAP, "trace", *args], stderr=subprocess.PIPE,
                          text=True, timeout=120, check=False, **more)


def expect(done, status, *words):
    """Exit status, and one line on stderr that holds the words, or none."""
    assert done.returncode == status, \
        f"status {done.returncode}, want {status}: {done.stderr}"
    lines = done.stderr.splitlines()
    assert len(lines) == bool(words), f"{len(lines)} lines: {done.stderr!r}"
    for word in words:
        assert word in done.stderr, f"no {word!r} in {done.stderr!r}"
    if words:
        assert lines[0].startswith("notrap: "), done.stderr
    return done.stdout


def quiet(*args, **more):
    return expect(trace(*args, **more), 0)


def load(path):
    with open(path, "rb") as file:
        return file.read()


def store(name, data):
    path = os.path.join(BOX, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def record(name, workload, granularity):
    path = os.path.join(BOX, name)
    subprocess.run([NOTRAP, "run", MINI, "--append", workload, "--console",
                    "none", "--granularity", granularity, "--record", path],
                   check=True, stdout=subprocess.DEVNULL)
    return path


def recording(granularity):
    """Of a guest that forks; made once."""
    path = os.path.join(BOX, granularity)
    if not os.path.exists(path):
        record(granularity, "fork procs=1 pages=3", granularity)
    return path


def items(path, *args):
    """Lines of a dump as lists of words."""
    return [line.split() for line in quiet("dump", path, *args).splitlines()]


# --- Complaints and help ------------------------------------------------------

# name, arguments, status, words of the one line on stderr
COMPLAINTS = [
    ("unknown command", ["dmup"], 2, ['no command "dmup"', '"trace dump"']),
    ("nothing like a command", ["frobnicate"], 2, ["notrap help"]),
    ("unknown option", ["dump", "--form", "1", GOLDEN], 2,
     ["did you mean --from?"]),
    ("an option of another", ["info", "--tables", GOLDEN], 2,
     ["no option --tables (notrap help trace info)"]),
    ("an argument is missing", ["dump", GOLDEN, "--kind"], 2,
     ["--kind wants an argument"]),
    ("unknown kind", ["dump", "--kind", "fetch,delivr", GOLDEN], 2,
     ["--kind delivr", 'did you mean "deliver"?']),
    ("no kind", ["dump", "--kind", "", GOLDEN], 2, ["no kind of item"]),
    ("no number", ["dump", "--from", "-1", GOLDEN], 2,
     ["--from -1: want a number"]),
    ("half a number", ["dump", "--count", "7x", GOLDEN], 2,
     ["--count 7x: want a number"]),
    ("a number too large", ["dump", "--from", "18446744073709551616", GOLDEN],
     2, ["want a number up to 18446744073709551615"]),
    ("beyond the end", ["dump", "--from", "15", GOLDEN], 2,
     ["has no item 15"]),
    ("unknown format", ["info", "--format", "yaml", GOLDEN], 2,
     ["want table, json, csv or md"]),
    ("dump of two", ["dump", GOLDEN, GOLDEN], 2, ["want one TRACE, got 2"]),
    ("output to nowhere", ["info", GOLDEN, "-o", "/nonexistent/x"], 3,
     ["cannot write /nonexistent/x"]),
    ("a part to nowhere", ["cut", GOLDEN, "-o", "/nonexistent/x"], 2,
     ["/nonexistent/x: cannot be created"]),
    ("a part to a device", ["cut", GOLDEN, "-o", "/dev/full"], 2,
     ["/dev/full: is not a regular file"]),
    ("a part to a directory", ["cut", GOLDEN, "-o", "/"], 2,
     ["/: is not a regular file"]),
    ("a place too far", ["cut", GOLDEN, "--to-insn", "18446744073709551615"],
     2, ["want a number up to 18446744073709551614"]),
    ("beginning twice", ["cut", GOLDEN, "--from-insn", "1", "--from-ref", "2"],
     2, ["--from-ref: where to begin is given already"]),
    ("ending twice", ["cut", GOLDEN, "--to-item", "1", "--to-item", "2"],
     2, ["--to-item: where to end is given already"]),
    ("a region and a place", ["cut", GOLDEN, "--roi", "--to-insn", "2"], 2,
     ["--roi says where"]),
    ("no region", ["cut", GOLDEN, "--roi"], 2,
     ["no region of interest begins in it"]),
    ("full of pages", ["cut", GOLDEN, "--granularity", "lines"], 2,
     ["want pages or full"]),
    ("behind the end", ["cut", GOLDEN, "--from-insn", "9"], 2,
     ["begins at instruction 9 or later: it has 4 of them"]),
    ("nothing between", ["cut", GOLDEN, "--from-item", "4", "--to-item", "5"],
     2, ["no part of it begins at item 4 or later"]),
    ("an end at the beginning", ["cut", GOLDEN, "--to-insn", "0"], 2,
     ["no part of it begins at instruction 0 or later and ends at"]),
]
# What is no trace, for each command.
NO_TRACES = [
    ("nothing", [], ["want"]),
    ("no file", ["/nonexistent"], ["/nonexistent", "No such file"]),
    ("a directory", ["/"], ["/: is not a regular file"]),
    ("a device", ["/dev/null"], ["not a regular file"]),
    ("a text", [__file__], [__file__ + ": not a notrap trace"]),
]


def complaint(args, status, words):
    assert expect(trace(*args), status, *words) == "", "data on stdout"


def group_help():
    text = subprocess.run([NOTRAP, "help", "trace"], capture_output=True,
                          text=True, check=True).stdout
    assert quiet("--help") == text == quiet("help")
    done = trace()
    assert done.returncode == 2 and done.stderr == text and not done.stdout
    man = subprocess.run([NOTRAP, "--man"], capture_output=True, text=True,
                         check=True).stdout.replace("\\-", "-")
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", text, re.M), command
        own = quiet(command, "--help")
        assert own == subprocess.run(
            [NOTRAP, "help", "trace", command], capture_output=True,
            text=True, check=True).stdout
        assert own.startswith(f"Usage: notrap trace {command} "), own
        assert f".SS notrap trace {command} " in man
        assert f".B notrap trace {command}\n" in man
        for flag in re.findall(r"^  .*?(--[a-z-]+)", own, re.M):
            assert flag in man, flag
    for line in text.splitlines():
        assert len(line) < 80, line
    done = subprocess.run([NOTRAP, "help", "trace", "inof"], text=True,
                          capture_output=True, check=False)
    expect(done, 2, '"trace info"')


# --- info ---------------------------------------------------------------------


def fnv64(data):
    """FNV-1a, as draft-eastlake-fnv has it."""
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 % (1 << 64)
    return value


def info_tells_all(granularity):
    """What the dump holds, counted in another way."""
    path = recording(granularity)
    lines = items(path)
    doc = json.loads(quiet("info", path, "--format", "json"))
    assert doc["schema"] == "notrap-trace/1"
    head, size, content = (doc[name][0] for name in
                           ("traces", "sizes", "content"))
    assert head["granularity"] == granularity and head["source"] == "live"
    assert head["origin"] == f"{MINI} fork procs=1 pages=3"
    assert head["memory"] == 64 << 20
    with open(MINI, "rb") as image:
        assert head["image"] == f"0x{fnv64(image.read()):016x}", head
    assert head["initrd"] is None, head

    refs = [line for line in lines if line[2] in ("fetch", "read", "write")]
    counts = [int(line[6][1:]) if len(line) > 6 and line[6][0] == "x" else 1
              for line in refs]
    assert size["records"] == len(refs)
    assert size["references"] == sum(counts)
    assert size["instructions"] == sum(
        count for line, count in zip(refs, counts) if line[2] == "fetch")
    assert size["bytes"] == os.path.getsize(path) and size["chunks"] == 1
    assert abs(size["bytes_per_record"] - size["bytes"] / len(refs)) < 1e-3

    names = [line[3] if line[2] == "event" else line[2] for line in lines]
    shown = {row["item"]: row["number"] for row in doc["items"]}
    assert shown == {name: names.count(name) for name in set(names)}
    assert content["status"] == "complete"
    assert content["events"] == sum(line[2] == "event" for line in lines)
    assert content["table_writes"] == names.count("table-write")
    assert re.fullmatch("0x[0-9a-f]{16}", content["digest"])
    codes = [line[5] for line in lines if line[2] == "fault"]
    assert len(codes) == content["faults"] > 10
    assert {row["error_code"]: row["number"] for row in doc["faults"]} == \
        {code: codes.count(code) for code in set(codes)}


def info_formats():
    path = recording("pages")
    for form in ("table", "json", "csv", "md"):
        text = quiet("info", path, GOLDEN, "--format", form)
        assert quiet("info", path, GOLDEN, "--format", form, "-o", OUT) == ""
        assert load(OUT).decode() == text
        plain = text.replace("\\", "")  # Markdown's escapes
        assert path in plain and GOLDEN in plain, form
    table = quiet("info", path)
    assert re.search(r"^1 +complete +0x[0-9a-f]{16} ", table, re.M), table
    assert re.search(r"^1 +0x6 +\d+  not present, write, user$", table, re.M)
    block = quiet("info", path, "--format", "csv").split("\n\n")[1]
    row, = csv.DictReader(io.StringIO(block))
    assert row["table"] == "sizes" and int(row["records"]) > 1000
    os.unlink(OUT)


def info_quick():
    path = recording("pages")
    full = json.loads(quiet("info", path, "--format", "json"))
    quick = json.loads(quiet("info", "--quick", path, "--format", "json"))
    assert quick["content"][0].pop("status") == "not read"
    full["content"][0].pop("status")
    for name in ("traces", "sizes", "content", "start"):
        assert quick[name] == full[name], name
    cut = store("cut", load(path)[:-1])
    quick = json.loads(quiet("info", "--quick", cut, "--format", "json"))
    assert quick["content"][0]["status"] == "no footer"
    assert quick["sizes"][0]["records"] is None


# --- dump ---------------------------------------------------------------------


def dump_counts(granularity):
    """Numbers without a gap, a clock that is the sum of the fetches."""
    clock = 0
    for number, line in enumerate(items(recording(granularity))):
        assert int(line[0]) == number and int(line[1]) == clock, line
        if line[2] == "fetch":
            many = [word for word in line[6:] if word[0] == "x"]
            clock += int(many[0][1:]) if many else 1


def dump_parts():
    """From anywhere: the rest; kinds: each line once, in order."""
    path = recording("pages")
    lines = items(path)
    for start in (0, 1, 777, len(lines) - 1):
        assert items(path, "--from", str(start)) == lines[start:]
        assert items(path, "--from", str(start), "--count", "3") == \
            lines[start:start + 3]
    assert items(path, "--count", "0") == []
    kinds = ["fetch", "read", "write", "event", "table", "table-write",
             "table-end", "fault", "mark"]
    parts = [items(path, "--kind", kind) for kind in kinds]
    for kind, part in zip(kinds, parts):
        assert part == [line for line in lines if line[2] == kind], kind
    assert sum(map(len, parts)) == len(lines)
    assert items(path, "--kind", "deliver,fault", "--count", "5", "--from",
                 "2000") == [line for line in lines[2000:] if "fault" == line[2]
                             or "deliver" == line[3]][:5]


def dump_from_a_later_chunk():
    path = record("chunks", "fork procs=6 pages=8", "full")
    doc = json.loads(quiet("info", path, "--format", "json"))
    assert doc["sizes"][0]["chunks"] > 1
    tail = quiet("dump", path).splitlines()[-1000:]
    assert quiet("dump", path, "--from", tail[0].split()[0]).splitlines() == \
        tail
    os.unlink(path)


def dump_tables():
    text = quiet("dump", "--tables", GOLDEN)
    assert "5 3 table 0x1000 512 entries, 2 present\n" \
        "  0 0x2007\n  3 0x3007\n6 3 fault" in text, text
    plain = [line for line in text.splitlines() if line[0] != " "]
    assert plain == quiet("dump", GOLDEN).splitlines()


def dump_ends_quietly():
    """head has seen enough; so has a reader that ignores SIGPIPE."""
    path = recording("full")
    for handler in (signal.SIG_DFL, signal.SIG_IGN):
        done = subprocess.run(
            f"{NOTRAP} trace dump {path} | head -n 2; exit ${{PIPESTATUS[0]}}",
            shell=True, executable="/bin/bash", text=True,
            capture_output=True, restore_signals=False, check=False,
            preexec_fn=lambda: signal.signal(signal.SIGPIPE, handler))
        assert done.stdout.count("\n") == 2 and done.stderr == "", done
        assert done.returncode in (0, 128 + signal.SIGPIPE), done.returncode


def full_disk():
    for command in ("info", "dump", "verify"):
        with open("/dev/full", "w", encoding="ascii") as full:
            expect(trace(command, GOLDEN, stdout=full), 3,
                   "cannot write standard output: No space left")


# --- verify -------------------------------------------------------------------


def verify_clean(granularity):
    path = recording(granularity)
    text = quiet("verify", path, path)
    assert re.fullmatch(rf"({path}: complete, \d+ items, digest "
                        r"0x[0-9a-f]{16}, no rule broken\n){2}", text), text
    assert int(re.search(r"(\d+) items", text)[1]) == len(items(path))


def verify_broken():
    """The golden trace was made by hand for its bytes."""
    text = expect(trace("verify", GOLDEN), 1)
    assert text.splitlines() == [
        f"{GOLDEN}: rule implicit is broken, 3 times, first by item 11 3 fetch "
        "U 0x401ffe 2: a delivery's references, and no others, are implicit "
        "and supervisor",
        f"{GOLDEN}: rule table-write is broken, by item 8 3 table-write 0x1018 "
        "8 0x0000000000004067 gva 0x8018: a table write follows the write "
        "reference that makes it",
        f"{GOLDEN}: complete, 15 items, digest 0x95730a9585fb9f7c, 2 rules "
        "broken"], text


def verify_rules():
    rules = re.findall(r"^  ([a-z-]+) ", quiet("verify", "--rules"), re.M)
    assert len(rules) > 10 and "clock" in rules, rules


def many(names_and_data):
    return [store(name, data) for name, data in names_and_data]


def check_damaged(paths, command, statuses):
    """Each is refused or read to the damage, and one line tells."""
    done = trace(command, *paths)
    assert done.returncode in statuses, \
        f"{command}: status {done.returncode}: {done.stderr[-300:]}"
    for path, line in zip(paths, done.stderr.splitlines(), strict=True):
        assert line.startswith(f"notrap: {path}: "), line
    return done


def truncated():
    """At every byte: either no trace, or good up to some place."""
    data = load(GOLDEN)
    paths = many((f"cut{n:03}", data[:n]) for n in range(len(data)))
    done = check_damaged(paths, "verify", (2,))
    lines = done.stdout.splitlines()
    told = [line for line in lines if ": damaged, " in line]
    assert len(told) > 300 and not any("complete" in line for line in lines)
    # With all chunks there, all items are.
    assert sum("15 items" in line for line in told) == 640 - 0x200, told
    for path in paths:
        os.unlink(path)


def flipped():
    """One bit in each byte; the text of the header is checked, too."""
    data = load(GOLDEN)
    paths = many((f"bit{n:03}", data[:n] + bytes([data[n] ^ 1 << n % 8]) +
                  data[n + 1:]) for n in range(len(data)))
    done = check_damaged(paths, "verify", (2,))
    assert "complete" not in done.stdout
    for n in (0, 12, 100, 0x150, 0x190, 0x210, 0x240):
        for command in ("info", "dump", "cut"):
            done = trace(command, paths[n])
            assert done.returncode in (1, 2), f"{command}: bit {n}"
            assert done.stderr.startswith(f"notrap: {paths[n]}: "), done
            assert done.stderr.count("\n") == 1 + os.path.exists(OUT), done
            if os.path.exists(OUT):
                os.unlink(OUT)
    for path in paths:
        os.unlink(path)


def long_damage():
    """A longer one, at places all over it, by each command."""
    data = load(recording("full"))
    whole = items(recording("full"))
    for n in range(0, len(data), len(data) // 7 + 1):
        path = store("long", data[:n])
        for command in ("verify", "info", "dump"):
            check_damaged([path], command, (1, 2))
        done = trace("dump", path)
        lines = [line.split() for line in done.stdout.splitlines()]
        assert lines == whole[:len(lines)]
    os.unlink(os.path.join(BOX, "long"))


def salvaged():
    """What cut makes of a damaged trace is good, and all that was."""
    data = load(recording("full"))
    whole = items(recording("full"))
    header = 20 + struct.unpack_from("<I", data, 12)[0]
    offsets = [len(data) - 1, len(data) * 2 // 3, header + 60, header]
    for n, size in enumerate(offsets):
        path = store("damaged", data[:size])
        done = trace("cut", path)
        assert done.returncode == 1 and done.stdout == "", done
        damage, told = done.stderr.splitlines()
        assert damage.startswith(f"notrap: {path}: "), damage
        assert told.startswith(f"notrap: {OUT}: items 0 to "), told
        text = quiet("verify", OUT)
        assert ": complete, " in text and "no rule broken" in text, text
        # All chunks are there, or none: it has one only.
        assert items(OUT) == (whole if not n else []), size
        os.unlink(OUT)
    for name in ("damaged", "full"):
        assert os.path.exists(os.path.join(BOX, name))
    assert not [name for name in os.listdir(BOX) if name.endswith(".tmp")]


def cut_is_whole():
    """Without a place: the same bytes; in place: fine, too."""
    path = recording("pages")
    data = load(path)
    expect(trace("cut", path), 0, "items 0 to ", "0 tables told")
    assert load(OUT) == data
    expect(trace("cut", OUT, "-o", OUT), 0, "items 0 to ")
    assert load(OUT) == data
    expect(trace("cut", OUT, "--granularity", "full"), 2,
           "of which none that is full can be made")
    assert load(OUT) == data
    os.unlink(OUT)


def cut_full_disk():
    """RLIMIT_FSIZE stands in for a disk that is full."""
    path = recording("full")
    done = subprocess.run(
        ["bash", "-c", f"trap '' XFSZ; ulimit -f 4; exec {NOTRAP} trace cut "
         f"{path} -o {OUT}"], capture_output=True, text=True, check=False)
    expect(done, 2, OUT, "File too large")
    assert not [name for name in os.listdir(BOX) if name.startswith("out")]


def other_version():
    data = bytearray(load(GOLDEN))
    struct.pack_into("<I", data, 8, 2)
    path = store("version", data)
    for command in COMMANDS:
        expect(trace(command, path), 2, path, "version 2")
    os.unlink(path)


def fifo():
    path = os.path.join(BOX, "fifo")
    os.mkfifo(path)
    for command in COMMANDS:
        expect(trace(command, path), 2, "not a regular file")
    os.unlink(path)


def while_recording():
    """One that is being written, then killed: F.tmp can be looked at."""
    path = os.path.join(BOX, "killed")
    with subprocess.Popen(
            [NOTRAP, "run", MINI, "--append", "mixed rounds=20000",
             "--console", "none", "--granularity", "full", "--record", path],
            stdout=subprocess.DEVNULL) as guest:
        deadline = time.monotonic() + 60
        while not os.path.exists(path + ".tmp") or \
                os.path.getsize(path + ".tmp") < 10000:
            assert time.monotonic() < deadline, "nothing is recorded"
            time.sleep(0.02)
        guest.kill()
    assert not os.path.exists(path)
    for command in COMMANDS:
        done = trace(command, path + ".tmp")
        assert done.returncode == 1, done
        line = done.stderr.splitlines()[0]
        assert "the file ends early" in line, done.stderr
        assert "read up to reference" in line, done.stderr
    text = trace("verify", path + ".tmp").stdout
    found = re.search(r": damaged, (\d{5,}) items, .*no rule broken", text)
    assert found, text
    # The one name that it must not get.
    expect(trace("cut", path + ".tmp", "-o", path), 2,
           "give the output another name")
    trace("cut", path + ".tmp")
    text = quiet("verify", OUT)
    assert f": complete, {found[1]} items" in text, text
    for name in (path + ".tmp", OUT):
        os.unlink(name)


def needs_mini(case, *args):
    if not os.path.exists(MINI):
        raise tap.Skip("no mini.elf here")
    case(*args)


CASES = [(f"complaint: {name}", complaint, args, status, words)
         for name, args, status, words in COMPLAINTS]
CASES += [(f"{command} of {name}", complaint, [command, *args], 2, words)
          for command in COMMANDS for name, args, words in NO_TRACES]
CASES += [("help and manual", group_help)]
for size in ("full", "pages"):
    CASES += [
        (f"info tells all: {size}", needs_mini, info_tells_all, size),
        (f"dump counts: {size}", needs_mini, dump_counts, size),
        (f"verify a recording: {size}", needs_mini, verify_clean, size),
    ]
CASES += [
    ("info: formats", needs_mini, info_formats),
    ("info: quick", needs_mini, info_quick),
    ("dump: parts and kinds", needs_mini, dump_parts),
    ("dump: from a later chunk", needs_mini, dump_from_a_later_chunk),
    ("dump: tables", dump_tables),
    ("dump: a closed pipe", needs_mini, dump_ends_quietly),
    ("a full disk", full_disk),
    ("verify: broken rules", verify_broken),
    ("verify: the list of rules", verify_rules),
    ("truncated anywhere", truncated),
    ("any bit flipped", flipped),
    ("truncated, longer", needs_mini, long_damage),
    ("cut: what is left of a damaged one", needs_mini, salvaged),
    ("cut: all of it", needs_mini, cut_is_whole),
    ("cut: a full disk", needs_mini, cut_full_disk),
    ("a version to come", other_version),
    ("a pipe", fifo),
    ("killed while it was recorded", needs_mini, while_recording),
]

tap.run(CASES)
