# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole path: mini.elf under build/notrap, by exact formulas.

usage: test_mini.py NOTRAP MINI_ELF
"""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "meta"))
import tap  # noqa: E402

NOTRAP, MINI = sys.argv[1:3]

# Without a hypervisor, which no other may be told from, and beneath EPT.
DIRECT = [("native", "off"), ("ept", "off")]

# Every generation with the bypass settings it knows.
POLICIES = [
    ("kvm-2.6.20-rc3", "off"),
    ("kvm-2.6.20", "off"),
    ("kvm-2.6.24", "off"),
    ("seed", "off"),
    ("seed", "on"),
    ("kvm-2.6.25", "off"),
    ("kvm-2.6.25", "on"),
]
LATER = [
    ("kvm-2.6.28", "off"),
    ("kvm-2.6.28", "on"),
    ("kvm-2.6.38", "on"),
    ("kvm-3.1", "off"),
    ("xen", "off"),
]


def run(append, *settings, status=0):
    """One run: the result, and the guest's console."""
    with tempfile.NamedTemporaryFile() as console:
        args = [NOTRAP, "run", MINI, "--append", append, "--format", "json",
                "--console", console.name]
        for setting in settings:
            args += ["-D", setting]
        done = subprocess.run(args, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=300)
        assert done.returncode == status, \
            f"{args}: status {done.returncode}, {done.stderr}"
        lines = done.stdout.splitlines()
        assert len(lines) == 1, f"{args}: {len(lines)} results"
        with open(console.name, encoding="ascii", errors="replace") as text:
            return json.loads(lines[0]), text.read()


# Auditing whole tables takes most of the time of those that touch many pages:
# one such and the small ones do that, the others look at what has changed.
AUDIT_TABLES = [
    "hello",
    "touch pages=700",
    "touch pages=64 by=kernel",
    "fork procs=4 pages=8 exec=1",
    "switch rounds=40",
    "stride pages=40 stride=8192",
    "mmap rounds=12",
    "tables rounds=8",
    "absent",
]
AUDIT_ENTRIES = [
    "touch pages=600 rw=r again=1",
    "touch pages=600 populate=1",
    "fork procs=6 pages=40",
    "switch rounds=12 pages=80",
    "mixed seed=1",
    "mixed seed=5 direct=2m",
    "mixed seed=7 hz=5000",
]


def policy(append, mmu, bypass, *more):
    audit = "table" if append in AUDIT_TABLES else "entry"
    return run(append, f"mmu={mmu}", f"bypass={bypass}", f"audit={audit}",
               *more)


def faults_seen(console):
    """What the guest's kernel counted by itself."""
    found = re.findall(r"^faults 0x([0-9a-f]+) (\d+)\r?$", console, re.M)
    return {f"0x{code}": int(count) for code, count in found}


def same_counts(append):
    """The simulator counts the faults the guest saw; all policies agree."""
    first = None
    for mmu, bypass in DIRECT + POLICIES + LATER:
        result, console = policy(append, mmu, bypass)
        where = f"{append} mmu={mmu} bypass={bypass}"
        guest = faults_seen(console)
        ours = result["guest_faults"]["by_error_code"]
        assert guest, f"{where}: no counts on the console"
        assert ours == guest, f"{where}: counted {ours}, guest saw {guest}"
        assert re.search(r"^ok 0x", console, re.M), f"{where}: {console}"
        # What the guest saw; its memory differs in A bits alone, which
        # hypervisors set at moments of their own.
        view = (console, result["guest"]["fault_digest"],
                result["guest"]["instructions"])
        first = first or view
        assert view == first, f"{where}: the guest can tell the difference"
        assert result["check"]["audit_violations"] == 0, f"{where}: audit"


def dirty_log(append):
    """Logging writes costs exits; the guest cannot tell."""
    for mmu, bypass in POLICIES:
        plain, console = policy(append, mmu, bypass)
        logged, text = policy(append, mmu, bypass, "dirty-log=10000")
        where = f"{append} mmu={mmu} bypass={bypass}"
        assert text == console, f"{where}: console"
        for name in ("fault_digest", "instructions"):
            assert logged["guest"][name] == plain["guest"][name], \
                f"{where}: {name}"
        assert logged["check"]["audit_violations"] == 0, f"{where}: audit"
        causes = logged["exits"]["page_fault"]
        assert causes["dirty_log"] > 0, f"{where}: no exit for the log"
        assert plain["exits"]["page_fault"]["dirty_log"] == 0, where
        shadow = logged["shadow"]
        # What such an exit gives back, a read has taken before.
        assert shadow["dirty_log_protected"] >= causes["dirty_log"], where
        assert shadow["dirty_log_frames"] >= shadow["dirty_log_reads"], where
        assert shadow["dirty_log_reads"] > 1, where


def mmio_exits(result, pages):
    """Beneath EPT the first in each page is a violation like any other."""
    exits = result["exits"]
    if result["config"]["mmu"] == "ept":
        return exits["by_reason"]["EPT_MISCONFIG"] + pages
    return exits["page_fault"]["mmio"]


def apic_timer():
    """Ticks of the local APIC: each ends by a write that exits as MMIO."""
    first = None
    for mmu, bypass in DIRECT + POLICIES + LATER:
        result, console = policy("switch rounds=400 timer=apic hz=20000", mmu,
                                 bypass, "apic=on")
        ticks = int(re.search(r"^ticks (\d+)\r?$", console, re.M)[1])
        assert ticks > 3, console
        # Five writes set it up; one more tick may end after the count.
        if mmu != "native":
            exits = mmio_exits(result, pages=1)
            assert exits - 5 in (ticks, ticks + 1), f"{mmu}: {exits} {ticks}"
        first = first or (console, result["guest"]["instructions"])
        assert (console, result["guest"]["instructions"]) == first, mmu
    assert run("hello timer=apic", status=1)[0]["guest"]["status"] == "exit 4"


def model_cycles():
    """clock=cycles: the same twice, exits cost the guest time, and the check
    that it sees no difference is not made."""
    work = "switch rounds=300 hz=5000"
    ticks = {}
    for clock in ("insn", "cycles"):
        for bypass in ("off", "on"):
            one, other = (run(work, f"clock={clock}", f"bypass={bypass}")
                          for _ in range(2))
            assert one == other, f"{clock} {bypass}: not the same twice"
            found = re.search(r"^ticks (\d+)\r?$", one[1], re.M)
            ticks[clock, bypass] = int(found[1])
    assert ticks["insn", "off"] == ticks["insn", "on"], ticks
    # Exits are what takes most of the time.
    assert ticks["cycles", "off"] > 2 * ticks["insn", "off"] + 2, ticks
    done = subprocess.run(
        [NOTRAP, "run", MINI, "--append", work, "--console", "none", "-D",
         "clock=cycles", "-D", "mmu=kvm-2.6.20,kvm-2.6.25"],
        capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "the guest sees how long exits take" in done.stderr, done.stderr


def open_bus():
    """Where no memory is: all ones, writes are lost, an exit for each."""
    first = None
    for mmu, bypass in DIRECT + POLICIES + LATER:
        result, console = policy("absent", mmu, bypass)
        assert re.search(r"^absent memory at 0x\w+: 0xffffffff, "
                         r"after a write 0xffffffff\r?$", console,
                         re.M), console
        assert "bytes that are not all ones: 0" in console, console
        # Three in C, a copy and a fill of 24 bytes, six more instructions.
        exits = mmio_exits(result, pages=1)
        want = 3 + 24 + 24 + 6 if mmu != "native" else 0
        assert exits == want, f"{mmu} {bypass}: {exits}"
        first = first or (console, result["guest"]["instructions"])
        assert (console, result["guest"]["instructions"]) == first, mmu


def every_way_to_write():
    """The guest's ways to write entries reach what they are there for."""
    result, _ = run("tables rounds=8", "mmu=kvm-2.6.25", "audit=all")
    shadow = result["shadow"]
    for name in ("insn_emulation_fail", "mmu_flooded", "mmu_pte_updated",
                 "mmu_update_notrap"):
        assert shadow[name] > 0, f"{name} is 0"
    assert result["check"]["audit_violations"] == 0


def tables_of(pages):
    """How many of the pages each new page table maps."""
    return [min(512, pages - first) for first in range(0, pages, 512)]


# The first store into a table goes to a frame that is not shadowed yet, and
# the first access through it has to build the shadow (one hidden fill); every
# further page costs the same. A directory's store is a PT write, too: it
# makes up for the table's first.
LADDER = {
    # guest fault and refault; nobody sees the write. No mapping of the kernel's
    # outlives a reload of CR3: each new frame, and each new table, that it
    # clears is one more fill
    ("kvm-2.6.20-rc3", "off"): lambda n: (n, 0, 2 * n + len(tables_of(n))),
    # guest fault, PT write, and a refault as the write only cleared the spte
    ("kvm-2.6.20", "off"): lambda n: (n, n, n),
    ("kvm-2.6.24", "off"): lambda n: (n, n, len(tables_of(n))),
    ("seed", "off"): lambda n: (n, n, len(tables_of(n))),
    ("kvm-2.6.25", "off"): lambda n: (n, n, len(tables_of(n))),
    ("kvm-2.6.25", "on"): lambda n: (0, n, len(tables_of(n))),
    # Bypassed faults do not reset the fork detector: every third write it
    # sees zaps the table, and the next access builds it again.
    ("seed", "on"): lambda n: (0, n, sum(1 + (k - 1) // 3
                                         for k in tables_of(n))),
}


def ladder(mmu, bypass, pages):
    """Exits of N demand faults: injected, PT writes, hidden fills; no other."""
    result, _ = policy(f"touch pages={pages} hz=0", mmu, bypass, "roi=on")
    cause = result["exits"]["page_fault"]
    got = (cause["injected"], cause["pt_write"], cause["hidden_fill"])
    want = LADDER[mmu, bypass](pages)
    assert got == want, f"injected, PT writes, fills: {got}, expected {want}"
    total = result["exits"]["total"]
    assert total == sum(want), f"{total} exits, expected {sum(want)}"
    assert result["guest_faults"]["total"] == pages
    flooded = result["shadow"]["mmu_flooded"]
    if (mmu, bypass) == ("seed", "on"):
        assert flooded == sum((k - 1) // 3 for k in tables_of(pages))
    elif mmu != "kvm-2.6.20":
        assert flooded == 0, f"{flooded} tables zapped"


def cow_still_exits():
    """fork: P=1 faults exit whatever the bypass; only P=0 ones are direct."""
    append = "fork procs=5 pages=16 hz=0"
    result, _ = policy(append, "kvm-2.6.25", "on")
    codes = result["guest_faults"]
    assert codes["by_error_code"]["0x7"] == 5 * (16 + 2)
    assert codes["injected_by_error_code"]["0x7"] == 5 * (16 + 2)
    assert not any(int(code, 16) & 1
                   for code in codes["direct_by_error_code"]), codes
    off, _ = policy(append, "kvm-2.6.25", "off")
    saved = off["exits"]["total"] - result["exits"]["total"]
    assert saved > 0, f"the bypass saves {saved} exits"
    assert off["guest_faults"]["direct"] == 0


def deterministic():
    """Same input, same bytes; with the timer on."""
    append = "mixed seed=3"
    one, two = run(append), run(append)
    assert one == two


def stale_code():
    """No executed block differs from the bytes it was translated from."""
    result, _ = run("mixed seed=2", "check-stale=on")
    assert result["guest"]["ok"]


def ends(append, expected, settings=()):
    """A guest that goes wrong: one line, status 1, and the counts so far."""
    result, console = run(append, *settings, status=1)
    text = f'{result["guest"]["status"]}: {result["guest"]["line"]}'
    assert re.search(expected, text), f"{append}: {text}"
    assert result["exits"]["total"] > 0
    assert not result["guest"]["ok"]


CASES = [(f"transparency: {append}", same_counts, append)
         for append in AUDIT_TABLES[:-1] + AUDIT_ENTRIES]
CASES += [(f"ladder: touch pages={pages} mmu={mmu} bypass={bypass}", ladder,
           mmu, bypass, pages)
          for pages in (1, 2, 300, 512, 1300) for mmu, bypass in POLICIES]
CASES += [
    ("fork: copy-on-write faults still exit", cow_still_exits),
    ("dirty log: touch", dirty_log, "touch pages=600 again=1"),
    ("dirty log: fork", dirty_log, "fork procs=6 pages=40"),
    ("table writes of every kind", every_way_to_write),
    ("deterministic", deterministic),
    ("check-stale", stale_code),
    ("triple fault", ends, "triple", "triple fault"),
    ("wild jump", ends, "wild", "exit 3"),
    ("absent memory", open_bus),
    ("local APIC", apic_timer),
    ("time is cycles", model_cycles),
    ("endless loop", ends, "spin", "instructions",
     ("max-insns=3000000",)),
    ("wrong command line", ends, "nonsense", "exit 2"),
]

tap.run(CASES)
