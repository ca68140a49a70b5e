# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of docs/validation.md that hold published figures against ours.

Each function makes one, from a Lab.  Published figures are written here with
their source and nowhere else; what differs is told in the document, not
adjusted.
"""

from generated import table
from history_lab import causes, cycles, exits, percent

OLD = "hypervisor=kvm-2.6.20"  # software costs of early 2007


# --- (a) Three exits become two, and one ------------------------------------

RUNGS = [
    ("kvm-2.6.20", "off", "3", "0028425f647b: fault, write, refault"),
    ("kvm-2.6.24", "off", "2", "0028425f647b: the third is gone"),
    ("kvm-2.6.25", "on", "1", "c7addb902054: so is the first"),
]


def ladder(lab):
    path = lab.record("mini", "touch pages=1024 hz=0")
    rows = []
    for mmu, bypass, published, source in RUNGS:
        result = lab.replay(path, f"mmu={mmu}", f"bypass={bypass}", "roi=on")
        ours = result["exits"]["per_guest_fault"]
        rows.append([f"`{mmu}`{' with the bypass' if bypass == 'on' else ''}",
                     published, f"{ours:.2f}",
                     f"{ours / int(published):.2f}", source])
    return table(["generation", "published", "ours", "ratio", "source"], rows)


# Trace, and what it is.
LOADS = [
    ("perf-gcc", "gcc, from perf"),
    ("lackey-tcc", "tcc, from valgrind"),
    ("mini-fork", "forks of our kernel"),
    ("linux-compile", "tcc, whole Linux 6.1"),
    ("linux-fork", "fork and exec, Linux 6.1"),
    ("linux-pae-fork", "the same, 32-bit with PAE"),
]

# The fork detector is reset by faults in the source at 0028425f647b.
BEFORE = ["mmu=kvm-2.6.20", "switch.flood_reset_on_fault=on", OLD, "roi=on"]


def third_exit(lab):
    """What 0028425f647b alone saves."""
    rows = []
    for name, what in LOADS:
        path = lab.trace(name)
        before = lab.replay(path, *BEFORE)
        after = lab.replay(path, *BEFORE, "switch.pt_write_updates=on")
        was, now = cycles(before)[1], cycles(after)[1]
        rows.append([f"`{name}`", what,
                     f"{before['exits']['per_guest_fault']:.2f}",
                     f"{after['exits']['per_guest_fault']:.2f}",
                     percent(before["guest"]["instructions"], was),
                     before["shadow"].get("mmu_flooded", 0),
                     percent(was - now, was),
                     f"{(was - now) / was / 0.10:.2f}"])
    return table(["trace", "what", "exits per guest fault, before", "after",
                  "guest's share of the cycles", "tables zapped as a fork",
                  "saved", "of the published 10 %"], rows)


# --- (b) Context switches, January 2007 --------------------------------------

# lkml.org/lkml/2007/1/5/205: microseconds a switch.
SWITCH = [
    ("native", "mmu=native", "", 1.11),
    ("KVM 2.6.20-rc3, no shadow cache", "mmu=kvm-2.6.20-rc3", "", 53.01),
    ("KVM trunk, shadow cache", "mmu=kvm-2.6.20", "", 6.36),
    ("... and CR3 targets", "mmu=kvm-2.6.20", "cr3-targets=4", 1.60),
]
FEW, MANY = 50, 250
# The guest has global kernel pages and a direct map of large ones, as Linux.
AS_LINUX = "global=1 direct=2m"


class Switch:
    """What one switch costs: two recordings that differ in nothing but
    rounds, of two switches each."""

    def __init__(self, lab, image, words, settings, mmu="kvm-2.6.20"):
        mmu = "native" if "mmu=native" in settings else mmu
        few, many = (lab.replay(lab.record(
            image, f"switch rounds={rounds} {words} hz=0", mmu=mmu), *settings)
            for rounds in (FEW, MANY))

        def each(figure):
            return (figure(many) - figure(few)) / (2 * (MANY - FEW))

        mhz = int(many["config"]["mhz"])
        self.us = [each(lambda r, i=i: cycles(r)[i]) / mhz for i in range(3)]
        self.exits = each(lambda r: r["exits"]["total"])
        self.fills = each(lambda r: causes(r)["hidden_fill"])
        self.cr = each(lambda r: exits(r, "CR_ACCESS"))


def old_switches(lab):
    """(name, published us, Switch)"""
    for name, mmu, more, published in SWITCH:
        settings = [mmu, *([more] if more else [])]
        if mmu != "mmu=native":
            settings.append(OLD)
        yield name, published, Switch(lab, "mini-32", AS_LINUX, settings)


def switches(lab):
    rows = []
    for name, published, ours in old_switches(lab):
        least, typical, most = ours.us
        rows.append([name, f"{published:.2f}",
                     f"{typical:.2f} ({least:.2f} to {most:.2f})",
                     f"{typical / published:.2f}", f"{ours.exits:.1f}",
                     f"{ours.fills:.1f}", f"{ours.cr:.1f}"])
    return table(["", "published, us", "ours, us (least to most)", "ratio",
                  "exits a switch", "of these fills", "MOV CR3"], rows)


def switch_costs(lab):
    """What each adds to a native switch: the guest's own work is out of it,
    and the clock of the ratios."""
    found = list(old_switches(lab))
    (_, native, ours), rest = found[0], found[1:]
    rows = []
    for name, published, switch in rest:
        more, mine = published - native, switch.us[1] - ours.us[1]
        rows.append([name, f"{more:.2f}", f"{mine:.2f}",
                     f"{mine / more:.2f}"])
    return table(["over native", "published, us", "ours, us", "ratio"], rows)


def switch_pages(lab):
    """How the first depends on what a task touches between two switches."""
    rows = []
    for pages in (1, 4, 8, 16):
        words = f"{AS_LINUX} pages={pages}"
        vtlb, cache = (Switch(lab, "mini-32", words, [f"mmu={mmu}", OLD])
                       for mmu in ("kvm-2.6.20-rc3", "kvm-2.6.20"))
        rows.append([pages, f"{vtlb.fills:.1f}", f"{vtlb.us[1]:.1f}",
                     f"{cache.us[1]:.1f}",
                     f"{vtlb.us[1] / cache.us[1]:.1f}"])
    return table(["pages a turn", "fills a switch", "2.6.20-rc3, us",
                  "shadow cache, us", "ratio (published: 8.3)"], rows)


# --- (c) NOVA's exits, and those of a Linux boot -----------------------------

# EuroSys 2010, kernel compile on a Core i7-920 with the vTLB; from memory,
# medium confidence.
NOVA = {"fill": 181966391, "fault": 13987802, "cr": 3000321, "flush": 2328044,
        "invlpg": 537270, "total": 202864793}

VTLB = ["mmu=kvm-2.6.20-rc3", "roi=on"]
VTLB_LOADS = ["linux-compile", "linux-fork", "linux-pipe", "linux-pae-fork",
              "linux-fork-pti"]


def vtlb_row(name, n):
    return [name, f"{n['fill'] / n['fault']:.1f}",
            f"{n['fill'] / n['flush']:.1f}",
            f"{n['fault'] / n['flush']:.1f}",
            f"{n['fault'] / n['cr']:.1f}",
            f"{n['invlpg'] / n['fault']:.2f}",
            percent(n["fill"], n["total"])]


def vtlb(lab):
    rows = [vtlb_row("NOVA, kernel compile", NOVA)]
    for name in VTLB_LOADS:
        result = lab.linux(name, *VTLB)
        rows.append(vtlb_row(f"`{name}`", {
            "fill": causes(result)["hidden_fill"],
            "fault": result["guest_faults"]["total"],
            "cr": exits(result, "CR_ACCESS"),
            "flush": result["shadow"]["tlb_flush"],
            "invlpg": exits(result, "INVLPG"),
            "total": result["exits"]["total"]}))
    return table(["", "fills : guest faults", "fills a flush",
                  "guest faults a flush", "guest faults : CR accesses",
                  "INVLPG : guest faults", "fills of all exits"], rows)


# Three public student repositories, KVM 5.x with ept=0, one level nested.
BOOTS = [("A", 898976, 56085, 0), ("B", 1142197, 3507207, 107259),
         ("C", 1435892, 9305263, 198306)]
BOOT_LOADS = [("linux-boot", "boot alone"), ("linux-fork", "fork and exec"),
              ("linux-pipe", "pipes"),
              ("linux-fork-pti", "fork and exec, `pti=on`")]


def boots(lab):
    rows = [[f"published, {name}", "", pf, cr, invlpg, f"{cr / pf:.2f}",
             f"{invlpg / pf:.2f}"] for name, pf, cr, invlpg in BOOTS]
    for name, what in BOOT_LOADS:
        result = lab.linux(name, "mmu=kvm-3.1",
                           f"roi={'off' if name == 'linux-boot' else 'on'}")
        pf = exits(result, "EXCEPTION_NMI")
        cr, invlpg = exits(result, "CR_ACCESS"), exits(result, "INVLPG")
        rows.append([f"`{name}`", what, pf, cr, invlpg, f"{cr / pf:.2f}",
                     f"{invlpg / pf:.2f}"])
    return table(["", "what", "exceptions", "CR accesses", "INVLPG",
                  "CR : exceptions", "INVLPG : exceptions"], rows)


def without_ept(lab):
    """What of it EPT takes away."""
    published = [("A", 898976 + 56085, 11836 + 26387),
                 ("B", 1142197 + 3507207 + 107259, 9 + 1071770),
                 ("C", 1435892 + 9305263 + 198306, 8077 + 17925)]
    rows = [[f"published, {name}", shadow, ept, f"{1 - ept / shadow:.3f}"]
            for name, shadow, ept in published]
    for name, _ in BOOT_LOADS:
        roi = f"roi={'off' if name == 'linux-boot' else 'on'}"
        both = [sum(exits(lab.linux(name, f"mmu={mmu}", roi), reason)
                    for reason in ("EXCEPTION_NMI", "CR_ACCESS", "INVLPG"))
                for mmu in ("kvm-3.1", "ept")]
        rows.append([f"`{name}`", *both, f"{1 - both[1] / both[0]:.3f}"])
    return table(["", "exceptions, CR, INVLPG with shadow tables",
                  "with EPT", "gone"], rows)


TABLES = {
    "history ladder": ladder,
    "history third exit": third_exit,
    "history switches": switches,
    "history switch costs": switch_costs,
    "history switch pages": switch_pages,
    "history vtlb": vtlb,
    "history boots": boots,
    "history ept": without_ept,
}
