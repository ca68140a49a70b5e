# SPDX-License-Identifier: GPL-2.0-or-later
"""notrap machines, -D machine= and -D hypervisor=, from outside.

usage: test_cli_machines.py NOTRAP SOURCE_ROOT
"""

import glob
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..",
                                "scripts"))
import generated  # noqa: E402
import machine_tables  # noqa: E402
import tap  # noqa: E402

NOTRAP, ROOT = map(os.path.abspath, sys.argv[1:3])
TRACE = os.path.join(ROOT, "traces", "mini-touch.ntr")
TAGS = {"R", "D", "M:hi", "M:med", "M:lo", "A"}
KINDS = {"machines": [], "hypervisors": ["--hypervisors"]}


def notrap(*args):
    return subprocess.run([NOTRAP, *args], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120,
                          check=False)


def data(*args):
    done = notrap(*args)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def refused(words, *args):
    done = notrap(*args)
    lines = done.stderr.splitlines()
    assert done.returncode == 2, f"status {done.returncode}: {done.stderr}"
    assert len(lines) == 1 and words in lines[0], \
        f"want {words!r}: {done.stderr!r}"


def replay(*settings):
    args = ["replay", TRACE, "--format", "json"]
    for setting in settings:
        args += ["-D", setting]
    return [json.loads(line) for line in data(*args).splitlines()]


def source(kind, name):
    with open(os.path.join(ROOT, kind, name + ".ini")) as file:
        return file.read()


def names(kind):
    sheet = json.loads(data("machines", *KINDS[kind], "--format", "json"))
    return [row["name"] for row in sheet[kind]]


def all_are_listed(kind):
    files = {os.path.basename(path)[:-4]
             for path in glob.glob(os.path.join(ROOT, kind, "*.ini"))}
    listed = names(kind)
    assert listed[0] == "generic" and len(listed) == len(set(listed))
    assert set(listed) == files, f"{set(listed) ^ files}"


def all_have_sources(kind):
    """What is printed is each line of the file, with its tag and source."""
    for name in names(kind):
        sheet = json.loads(data("machines", *KINDS[kind], name, "--format",
                                "json"))
        lines = [line for line in source(kind, name).splitlines()
                 if line and line[0] not in "#["]
        assert len(sheet["numbers"]) == len(lines), name
        for row, line in zip(sheet["numbers"], lines):
            assert row["tag"] in TAGS and row["what"], row
            assert f" ; {row['tag']} {row['source']}" in line, line
            assert line.startswith(f"{row['key']} = {row['value']}"), line
            if row["min"] is not None:
                assert f"[{row['min']}..{row['max']}]" in line, line


def formats():
    for kind, flag in KINDS.items():
        for more in [], ["generic"]:
            for format in "table", "csv", "json", "md":
                text = data("machines", *flag, *more, "--format", format)
                assert "generic" in text, (kind, more, format)
    assert "Agesen" in data("machines", "nehalem")


def edited(box, kind, name, old, new):
    text = source(kind, name)
    assert text.count(old) == 1, (old, text.count(old))
    path = os.path.join(box, "own.ini")
    with open(path, "w") as file:
        file.write(text.replace(old, new))
    return path


def own_file(box):
    """A file of one's own counts, and what it is called is told."""
    path = edited(box, "machines", "nehalem", "cost.exit = 1009 [1009..1016]",
                  "cost.exit = 5000")
    result, = replay(f"machine={path}")
    assert result["config"]["machine"] == path
    assert result["config"]["cost.exit"] == "5000"
    assert result["cycles"]["exit"] == 5000 * result["exits"]["total"]
    path = edited(box, "hypervisors", "xen-3", "cost.inject = 600 [400..800]",
                  "cost.inject = 7 [6..8]")
    result, = replay(f"hypervisor={path}", "bypass=off")
    assert result["config"]["cost.inject"] == "7:6..8"
    assert "cost.exit" in data("machines", edited(
        box, "machines", "zen2", "year = 2019", "year = 2020"))


# kind, file, its line, what is made of it, the message behind FILE:LINE
WRONG = [
    ("machines", "merom", "year = 2006", "year = soon",
     "year = soon: want a number, 1985..2100"),
    ("machines", "merom", "; M:hi Agesen et al. 2012 date theirs 2Q06", "",
     "year has no source"),
    ("machines", "merom", "pdpte = 4/full", "pdpte = 4/3",
     "pdpte = 4/3: want ENTRIES/WAYS"),
    ("machines", "merom", "vmx = yes", "vmy = yes",
     '[features] has no key "vmy"'),
    ("hypervisors", "kvm-5", "cost.io =", "cost.oi =",
     '[costs] has no key "cost.oi"; did you mean "cost.io"?'),
]


def wrong_file(box):
    for kind, name, old, new, says in WRONG:
        path = edited(box, kind, name, old, new)
        line = source(kind, name)[:source(kind, name).index(old)].count("\n")
        where = f"{path}:{line + 1}: {says}"
        refused(where, "machines", *KINDS[kind], path)
        refused(where, "replay", TRACE, "-D", f"{kind[:-1]}={path}")
    refused("one at a time", "machines", "merom", "zen2")
    refused('did you mean "merom"?', "machines", "meron")
    refused('did you mean "nehalem"?', "replay", TRACE, "-D",
            "machine=nehalm")
    refused("No such file", "machines", "nowhere/x.ini")
    refused("name belongs in a file of machines/", "machines",
            "--hypervisors", os.path.join(ROOT, "machines", "merom.ini"))


# What a machine lacks: settings, part of the message; "" is fine.
LACKS = [
    ("machine=merom mmu=ept", "mmu=ept: machine=merom has no ept"),
    ("machine=penryn mmu=ept", "machine=penryn has no ept"),
    ("machine=nehalem mmu=ept", ""),
    ("machine=merom mmu=native", ""),
    ("machine=nehalem features=pcid", "features=pcid: machine=nehalem has no"),
    ("machine=westmere features=pcid", ""),
    ("machine=westmere features=pcid+invpcid", "has no invpcid"),
    ("machine=haswell features=pcid+invpcid", ""),
    ("machine=nehalem features=1g", "features=1g: machine=nehalem has no 1g"),
    ("machine=westmere features=1g", ""),
    ("machine=cascade-lake features=la57", "has no la57 (tables of five"),
    ("machine=ice-lake features=la57", ""),
    ("machine=sandy-bridge features=smep", "has no smep"),
    ("machine=haswell features=smap", "has no smap"),
    ("machine=skylake features=pku", "has no pku"),
    ("machine=generic features=all mmu=ept", ""),
    ("machine=merom vendor=amd", "machine=merom is the other vendor's"),
    ("machine=k10 vendor=intel", "machine=k10 is the other vendor's"),
    ("machine=k10 bypass=on", "vendor=amd has none"),
    ("machine=k10 bypass=off", ""),
    ("machine=k10 mmu=ept", "mmu=ept is VMX's"),
    ("machine=k10 cpu=core2", "is the other vendor's"),
    ("machine=merom maxphyaddr=41",
     "machine=merom has 36 bits, and its relatives 36 to 40"),
    ("machine=merom maxphyaddr=40", ""),
    ("machine=sapphire-rapids maxphyaddr=52", "unsafe-trap=force"),
    ("machine=sapphire-rapids maxphyaddr=52 unsafe-trap=force", ""),
]


def lacks():
    for settings, says in LACKS:
        args = ["config"]
        for setting in settings.split():
            args += ["-D", setting]
        if says:
            refused(says, *args)
        else:
            done = notrap(*args)
            assert done.returncode == 0, f"{settings}: {done.stderr}"


def config_of(*settings):
    args = ["config"]
    for setting in settings:
        args += ["-D", setting]
    return dict(line.split("=", 1) for line in data(*args).splitlines())


def brings_along():
    """Vendor, width and clock, unless they are given, in any order."""
    config = config_of("machine=haswell")
    assert (config["vendor"], config["maxphyaddr"], config["mhz"]) == \
        ("intel", "39", "3400"), config
    for settings in ["machine=haswell", "mhz=1000"], ["mhz=1000",
                                                     "machine=haswell"]:
        assert config_of(*settings)["mhz"] == "1000"
    for settings in ["machine=nehalem", "cost.exit=7"], ["cost.exit=7",
                                                        "machine=nehalem"]:
        config = config_of(*settings)
        assert config["cost.exit"] == "7"
        assert config["cost.delivery"] == "600:440..715"


def eras():
    """hypervisor=era follows mmu=, in any order; the default does not."""
    for settings in ["mmu=kvm-2.6.20", "hypervisor=era"], ["hypervisor=era",
                                                          "mmu=kvm-2.6.20"]:
        assert config_of(*settings)["cost.dispatch"] == "7421:6500..7421"
    assert config_of("mmu=kvm-2.6.20")["cost.dispatch"] == "2500:2500..4000"
    listed = json.loads(data("machines", "--hypervisors", "--format", "json"))
    named = [mmu for row in listed["hypervisors"]
             for mmu in row["mmus"].split() if mmu != "none"]
    assert len(named) == len(set(named)), named
    known = notrap("config", "-D", "mmu=nothing").stderr
    known = known[known.index("there are ") + 10:].rstrip(")\n").split(", ")
    assert set(named) == set(known) - {"native"}, set(named) ^ set(known)


def cycles_by_hand():
    """Counts are the trace's; each machine's cycles are counts times its
    own numbers, here taken from the files by hand."""
    exit = {"generic": 1579, "prescott": 3963, "merom": 1579, "penryn": 1266,
            "nehalem": 1009, "westmere": 761, "sandy-bridge": 784}
    delivery = {"generic": 700, "prescott": 890, "merom": 700, "penryn": 700,
                "nehalem": 600, "westmere": 600, "sandy-bridge": 600}
    results = replay("machine=" + ",".join(exit))
    assert len(results) == len(exit)
    for result in results:
        name = result["config"]["machine"]
        counts = result["cost_counts"]
        assert counts["cost.exit"] == result["exits"]["total"] > 0
        assert counts["cost.delivery"] > 0
        assert result["cycles"]["exit"] == exit[name] * counts["cost.exit"]
        assert result["cycles"]["delivery"] == \
            delivery[name] * counts["cost.delivery"]
        assert result["exits"]["by_reason"] == \
            results[0]["exits"]["by_reason"]
        assert result["guest_faults"]["total"] == \
            results[0]["guest_faults"]["total"]


def result_says_which():
    """machine= is what differs, not each number that follows from it."""
    result, = replay("machine=nehalem")
    assert result["config_changed"] == ["machine"], result["config_changed"]
    result, = replay("machine=nehalem", "cost.exit=5", "hypervisor=kvm-5")
    assert result["config_changed"] == ["machine", "hypervisor",
                                        "cost.exit"], result["config_changed"]


def trace_brings_features(box):
    """Features of a recording count, too."""
    trace = os.path.join(box, "t.ntr")
    mini = os.path.join(os.path.dirname(NOTRAP), "guests", "mini.elf")
    if not os.path.exists(mini):
        raise tap.Skip("no guest here")
    done = notrap("run", mini, "--append", "touch pages=4", "--record", trace,
                  "-D", "features=smep", "--console", "none", "--format",
                  "json")
    assert done.returncode == 0, done.stderr
    done = notrap("replay", trace, "-D", "machine=merom")
    assert done.returncode != 0 and "machine=merom has no smep" in \
        done.stderr, done.stderr
    data("replay", trace, "-D", "machine=ivy-bridge", "--format", "json")


def sweep_sees_change(box):
    """A file of one's own that changed is run anew, others are not."""
    args = ["sweep", TRACE, "-o", os.path.join(box, "out"), "-j", "1"]

    def cycles(cost):
        path = edited(box, "machines", "westmere", "cost.exit = 761",
                      f"cost.exit = {cost}")
        done = notrap(*args, "-D", f"machine={path}")
        assert done.returncode == 0, done.stderr
        results = data("report", os.path.join(box, "out"), "--format", "json")
        return {json.loads(line)["cycles"]["exit"]
                for line in results.splitlines()}

    first = cycles(100)
    assert cycles(100) == first and len(first) == 1
    assert max(cycles(200)) == 2 * max(first)

    # What no key tells counts, too.
    for kind, name, old, new in (
            ("machines", "westmere", "stlb = 2 fetch+load+store 4k 512/4",
             "stlb = 2 fetch+load+store 4k 8/4"),
            ("hypervisors", "kvm-5", "mmus = none", "mmus = xen ")):
        notes = []
        for line in old, new:
            path = edited(box, kind, name, old, line)
            out = os.path.join(box, kind)
            done = notrap("sweep", TRACE, "-o", out, "-j", "1", "-D",
                          f"{kind[:-1]}={path}")
            assert done.returncode == 0, done.stderr
            line, = data("report", out, "--format", "json").splitlines()
            notes.append(json.loads(line)["config_notes"][kind[:-1]])
            assert notes[-1] == f"digest 0x{fnv64(path):016x}", notes
        assert notes[0] != notes[1], notes


def fnv64(path):
    value = 0xcbf29ce484222325
    with open(path, "rb") as file:
        for byte in file.read():
            value = (value ^ byte) * 0x100000001b3 % (1 << 64)
    return value


def one_name(box):
    """Two files of one name and the same costs are two configurations."""
    lines, digests = [], []
    for year, bypass in ("2006", "off"), ("2007", "on"):
        path = edited(box, "machines", "merom", "year = 2006", f"year = {year}")
        digests.append(f"digest 0x{fnv64(path):016x}")
        lines.append(data("replay", TRACE, "--format", "json", "-D",
                          f"machine={path}", "-D", f"bypass={bypass}"))
    assert digests[0] != digests[1]
    results = [json.loads(line) for line in lines]
    assert [result["config_notes"]["machine"] for result in results] == digests
    assert results[0]["config"]["machine"] == results[1]["config"]["machine"]
    both = os.path.join(box, "both.json")
    with open(both, "w") as file:
        file.writelines(lines)
    table = data("report", "--by", "point", both)
    assert all(digest in table for digest in digests), table
    assert "bypass=on saves" not in data("report", both)
    hypervisor = edited(box, "hypervisors", "xen-3", "cost.inject = 600",
                        "cost.inject = 601")
    result, = replay(f"hypervisor={hypervisor}", "bypass=off", "machine=merom")
    assert result["config_notes"] == {
        "hypervisor": f"digest 0x{fnv64(hypervisor):016x}"}


def documented(part, text):
    page = os.path.join(ROOT, "docs", "machines.md")
    assert generated.part(page, part) == text(NOTRAP), \
        "run scripts/update-docs"


def in_box(case):
    def run():
        with tempfile.TemporaryDirectory() as box:
            case(box)
    return run


tap.run([
    *((f"{kind}: all are listed", all_are_listed, kind) for kind in KINDS),
    *((f"{kind}: every number has tag and source", all_have_sources, kind)
      for kind in KINDS),
    ("four formats", formats),
    ("a file of one's own", in_box(own_file)),
    ("a wrong file", in_box(wrong_file)),
    ("what a machine lacks", lacks),
    ("what a machine brings along", brings_along),
    ("hypervisors by era", eras),
    ("cycles by hand", cycles_by_hand),
    ("a result says which machine", result_says_which),
    ("a trace brings its features", in_box(trace_brings_features)),
    ("two files of one name", in_box(one_name)),
    ("a sweep sees a changed file", in_box(sweep_sees_change)),
    *((f"docs/machines.md: {part}", documented, part, text)
      for part, text in machine_tables.PARTS.items()),
])
