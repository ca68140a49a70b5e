# SPDX-License-Identifier: GPL-2.0-or-later
"""notrap explain: the text of each kind of event, and what has no text.

usage: test_explain.py NOTRAP MINI_ELF SOURCE [--update]

The texts are in explain/, one a case, about committed traces; --update writes
them anew, for a person to read the difference.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "meta"))
import tap  # noqa: E402

NOTRAP, MINI, SOURCE = map(os.path.abspath, sys.argv[1:4])
UPDATE = sys.argv[4:] == ["--update"]
SCRATCH = tempfile.TemporaryDirectory()
os.chdir(SOURCE)

TOUCH, FORK, SWITCH = (f"traces/mini-{name}.ntr"
                       for name in ["touch", "fork", "switch"])

GOLDEN = {
    "demand-bypassed": [TOUCH, "--fault", "10"],
    "demand-bypassed-md": [TOUCH, "--fault", "10", "--format", "md"],
    "demand-injected": [TOUCH, "--fault", "10", "-D", "bypass=off"],
    "demand-xen": [TOUCH, "--fault", "10", "-D", "mmu=xen"],
    "demand-by-inverted-filter": [
        TOUCH, "--fault", "10", "-D", "exception-bitmap=0", "-D",
        "pfec-mask=1", "-D", "pfec-match=0"],
    "upper-entry-absent": [SWITCH, "--gva", "0x7fffffffefb0"],
    "cow": [SWITCH, "5195"],
    "pt-write": [TOUCH, "6372"],
    "pt-write-2.6.20": [TOUCH, "6372", "-D", "mmu=kvm-2.6.20"],
    "pt-write-floods": [FORK, "43515", "-D", "mmu=seed"],
    "compare-failed": ["traces/linux-pae-fork.ntr", "689286", "-D",
                       "mmu=kvm-2.6.24"],
    "unsync": [TOUCH, "156", "-D", "mmu=kvm-2.6.28"],
    "hidden-fill": [TOUCH, "1637"],
    "accessed-dirty": [FORK, "143", "-D", "mmu=kvm-2.6.24"],
    "amd": [TOUCH, "6323", "-D", "vendor=amd"],
    "mov-cr3": [SWITCH, "32633"],
    "mov-cr3-target": [SWITCH, "32633", "-D", "cr3-targets=4"],
    "mov-cr0": [TOUCH, "171"],
    "mov-cr3-pae": [TOUCH, "259"],
    "interrupt": ["traces/mini-mixed.ntr", "1217083"],
    "delivery": [TOUCH, "5582"],
    "delivery-cut-short": [TOUCH, "5583"],
    "invlpg": [SWITCH, "5298"],
    "invlpg-exiting": [SWITCH, "5298", "-D", "invlpg-exiting=on"],
    "cpuid": [TOUCH, "119"],
    "port": [TOUCH, "86662"],
    "tlb-hit": [TOUCH, "6385"],
    "translated": [TOUCH, "6382"],
    "paging-off": [TOUCH, "--exit", "1"],
}


def notrap(*args, status=0):
    done = subprocess.run([NOTRAP, *args], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300, check=False)
    assert done.returncode == status, \
        f"{args}: status {done.returncode}, {done.stderr}"
    return done


def explain(*args):
    return notrap("explain", *args).stdout


def golden(name, args):
    path = os.path.join(HERE, "explain", name + ".txt")
    text = explain(*args)
    if UPDATE:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    with open(path, encoding="utf-8") as file:
        want = file.read()
    assert text == want, "\n".join(
        ["differs (test_explain.py ... --update, and read the difference):"] +
        [f"{a!r} != {b!r}" for a, b in
         zip(want.splitlines(), text.splitlines()) if a != b][:5])
    if not name.endswith("-md"):
        wide = [line for line in text.splitlines()[3:] if len(line) > 80]
        assert not wide, wide


def table_after(text, title):
    """Rows of the first table in the section of this title."""
    section = re.search(rf"^\d+\. {title}\n(.*?)(?=^\d+\. |\Z)", text,
                        re.S | re.M)
    assert section, f"no section {title} in\n{text}"
    return section[1]


def sums_are_right():
    """Each table of cycles adds up, and so do its lines."""
    seen = 0
    for name in GOLDEN:
        if name.endswith("-md"):
            continue
        with open(os.path.join(HERE, "explain", name + ".txt"),
                  encoding="utf-8") as file:
            text = file.read()
        total = 0
        for line in text.splitlines():
            row = re.fullmatch(r" +(.*?) +(\d+) +(\d+) +(\d+)", line)
            if row:
                assert int(row[2]) * int(row[3]) == int(row[4]), line
                total += int(row[4])
            row = re.fullmatch(r" +sum +(\d+)", line)
            if row:
                assert int(row[1]) == total, f"{name}: {line}"
                total, seen = 0, seen + 1
    assert seen > 20, seen


def every_fault_leads_to_its_reference():
    """--fault K is the item before the K-th fault, by number, too."""
    lines = notrap("trace", "dump", TOUCH, "--kind", "fault").stdout
    for k, line in list(enumerate(lines.splitlines(), 1))[:200:20]:
        n = line.split()[0]
        by_number = explain(TOUCH, n)
        assert explain(TOUCH, "--fault", str(k)) == by_number
        code = re.search(r"error (0x[0-9a-f]+)", line)[1]
        assert f"error code {code}, " in \
            table_after(by_number, "What the guest sees").replace(
                "\n   ", " "), by_number


def the_other_setting_is_what_it_says():
    """The line about the other setting is that setting's own line."""
    on = table_after(explain(TOUCH, "--fault", "30"), "With the bypass off")
    off = table_after(explain(TOUCH, "--fault", "30", "-D", "bypass=off"),
                      "With the bypass on")

    def lines(text):
        text = re.sub(r"\n {5,}", " ", text)
        return {word: re.search(rf"{word} +(.*)", text)[1]
                for word in ["bypass=on", "bypass=off"]}
    assert lines(on) == lines(off), (on, off)


def no_bypass_no_other():
    assert "With the bypass" not in explain(TOUCH, "6323", "-D",
                                            "mmu=kvm-2.6.20")


def emulated_bytes_lead_to_the_write():
    text = explain(TOUCH, "6373")
    assert text.startswith("Item 6372 of "), text
    assert "Item 6373, which was asked for" in text
    assert text.replace(text[text.index("   Item 6373"):
                             text.index("   Settings")], "") == \
        explain(TOUCH, "6372")


def exit_and_gva_find_the_item():
    assert explain(TOUCH, "--exit", "300") == explain(TOUCH, "1637")
    assert explain(TOUCH, "--gva", "0x10007123") == explain(TOUCH, "6323")


def mmio():
    """A page of no memory, in a recording of its own."""
    trace = os.path.join(SCRATCH.name, "absent.ntr")
    notrap("run", MINI, "--append", "absent", "--console", "none", "--record",
           trace)
    for setting in ["bypass=on", "bypass=off", "mmu=kvm-3.1", "mmu=xen"]:
        text = explain(trace, "--gva", "0xffffc90000000000", "-D", setting)
        for words in ["There is no memory at that guest-physical address",
                      "Cause: mmio", "1 MMIO", "The device at 0x"]:
            assert words in text, words + "\n" + text


def the_document_is_fresh():
    """docs/explain.md shows what the commands in it say (update-docs)."""
    with open("docs/explain.md", encoding="utf-8") as file:
        blocks = re.findall(r"^```\n\$ notrap explain (.*?)\n(.*?)^```",
                            file.read(), re.S | re.M)
    assert len(blocks) == 2, len(blocks)
    for command, text in blocks:
        assert explain(*command.split()) == text, \
            f"{command}: run scripts/update-docs"


def several_processors():
    """Two tasks on two processors; a new root makes the other one flush."""
    log = os.path.join(SCRATCH.name, "log")
    trace = os.path.join(SCRATCH.name, "smp.ntr")
    with open(log, "w", encoding="ascii") as file:
        for i in range(200):
            pid, when = 100 + (i > 4 and i % 2), f"{1 + i / 1e5:.6f}"
            what = ("exceptions:page_fault_user: "
                    f"address=0x{0x600000 + 4096 * (i % 40):x} ip=0x401000 "
                    "error_code=0x6")
            if i == 4:
                what = ("sched:sched_process_fork: comm=prog pid=100 "
                        "child_comm=prog child_pid=101")
            print(f"prog {pid}/{pid} [00{pid % 2}] {when}: {what}", file=file)
    notrap("import", "perf", log, "-o", trace, "--vcpus", "2")
    dump = notrap("trace", "dump", trace, "--kind", "cr-write").stdout
    texts = [explain(trace, line.split()[0]) for line in dump.splitlines()]
    words = ["number 1 of 2", "1 other processor is interrupted out",
             "another's flush"]
    flat = [" ".join(text.split()) for text in texts]
    assert any(all(word in text for word in words) for text in flat), texts
    assert all("number 0 of 2" in text or "number 1 of 2" in text
               for text in flat)


def as_json():
    doc = json.loads(explain(TOUCH, "--fault", "10", "--format", "json"))
    assert doc["schema"] == "notrap-explain/1"
    titles = [section["title"] for section in doc["section"]]
    assert "Does the fault exit?" in titles
    text = explain(TOUCH, "--fault", "10")
    assert [f"{i}. {title}" for i, title in enumerate(titles, 1)] == \
        re.findall(r"^\d+\. .*", text, re.M)
    rows = doc["section"][1]["part"][0]
    assert rows["column"] == ["entry", "table", "index", "value", "says"]
    assert [row[0] for row in rows["row"]] == ["PML4E", "PDPTE", "PDE", "PTE"]


def to_a_file():
    path = os.path.join(SCRATCH.name, "text.md")
    assert not explain(TOUCH, "6323", "--format", "md", "-o", path)
    with open(path, encoding="utf-8") as file:
        assert file.read() == explain(TOUCH, "6323", "--format", "md")


def refused(words, status, *args):
    done = notrap("explain", *args, status=status)
    assert not done.stdout
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert words in done.stderr, done.stderr


def truncated():
    path = os.path.join(SCRATCH.name, "short.ntr")
    with open(TOUCH, "rb") as whole, open(path, "wb") as part:
        part.write(whole.read()[:20000])
    refused("there is no item 86000 before", 2, path, "86000")


REFUSALS = [
    ("beyond the trace", "has no item 86663: it has 86663 items", 2, TOUCH,
     "86663"),
    ("a table", "tells what a page table holds", 2, TOUCH, "140"),
    ("a store to a table without a shadow",
     "that this hypervisor does not shadow now", 2, TOUCH, "145"),
    ("too few exits", "has no VM exit 99999 under this configuration", 2,
     TOUCH, "--exit", "99999"),
    ("too few faults", "has no guest page fault 99999 (of 1026)", 2, TOUCH,
     "--fault", "99999"),
    ("no fault there", "no page fault in the page of 0xdead000", 2, TOUCH,
     "--gva", "0xdead000"),
    ("no such file", "No such file", 2, "nothing.ntr", "1"),
    ("no trace", "not a notrap trace", 2, "README.md", "1"),
    ("no item", "want a TRACE and one of N", 2, TOUCH),
    ("two ways to say which", "want a TRACE and one of N", 2, TOUCH, "1",
     "--exit", "1"),
    ("no number", "N", 2, TOUCH, "twelve"),
    ("no address", "is no address", 2, TOUCH, "--gva", "here"),
    ("two configurations", "want one configuration, got 2", 2, TOUCH, "1",
     "-D", "bypass=off,on"),
    ("no shadow", "what is explained here is shadow paging", 2, TOUCH, "1",
     "-D", "mmu=ept"),
    ("no format", "none of text, md, json", 2, TOUCH, "1", "--format", "pdf"),
]

tap.run(
    [(name, golden, name, args) for name, args in GOLDEN.items()] +
    [(name, refused, words, status, *args)
     for name, words, status, *args in REFUSALS] +
    [(function.__name__.replace("_", " "), function) for function in
     [sums_are_right, every_fault_leads_to_its_reference,
      the_other_setting_is_what_it_says, no_bypass_no_other,
      emulated_bytes_lead_to_the_write, exit_and_gva_find_the_item, mmio,
      the_document_is_fresh, several_processors, as_json, to_a_file, truncated]])
