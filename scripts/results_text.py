# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables and sentences of docs/results.md, from the results of a sweep.

A sentence that says which is more than which is written only if it is so:
claim() stops the script where the figures no longer bear the words.
"""

import os
import re

from generated import table

BASE = "kvm-2.6.25"  # the first release with the bypass

# What a trace's name says, for those who have not read guests/linux/init; {n}
# is notrap.n of its command line, or what it is if that does not tell.
WHAT = {
    "boot": ("from the kernel's first instruction to the end", 0),
    "fork": ("a shell starts a program {n} times: fork, exec, wait", 200),
    "fork-pti": ("likewise {n} times, the kernel's page-table isolation on "
                 "(`pti=on`)", 200),
    "pae-fork": ("likewise {n} times, on the 32-bit kernel with PAE", 200),
    "pipe": ("{n} pipelines of three programs", 60),
    "sort": ("sort -n of {n} lines", 20000),
    "gzip": ("gzip and gunzip of {n} lines", 80000),
    "compile": ("tcc compiles a large C source", 1),
    "copy": ("dd and {n} times cp of 4 MiB in memory", 8),
    "idle": ("{n} s of sleep", 1),
}

REASONS = [("EXCEPTION_NMI", "page faults"), ("CR_ACCESS", "CR access"),
           ("INVLPG", "INVLPG"), ("IO_INSTRUCTION", "port I/O"),
           ("EXTERNAL_INTERRUPT", "interrupts"), ("CPUID", "CPUID"),
           ("MSR_READ", "RDMSR"), ("MSR_WRITE", "WRMSR")]

CAUSES = ["hidden_fill", "injected", "pt_write", "accessed_dirty", "mmio",
          "reserved", "spurious"]


def claim(holds, what):
    assert holds, f"the figures no longer bear the words: {what}"


def percent(part, whole):
    return 100 * part / whole if whole else 0.0


def figure(value):
    """12345 as 12 345."""
    return f"{value:,}".replace(",", " ")


def guest_of(result):
    name = os.path.splitext(os.path.basename(result["source"]["path"]))[0]
    return name.removeprefix("linux-")


class Results:
    """Results by guest and point; a point is (generation, bypass)."""

    def __init__(self, results):
        self.of = {}
        self.points = []
        for result in results:
            config = result["config"]
            point = (config["mmu"], config["bypass"])
            self.of.setdefault(guest_of(result), {})[point] = result
            if point not in self.points:
                self.points.append(point)
        order = [name for name in WHAT if name in self.of]
        self.guests = order + [name for name in self.of if name not in order]

    def at(self, guest, mmu, bypass):
        return self.of[guest][mmu, bypass]

    def off(self, guest, mmu=BASE):
        return self.at(guest, mmu, "off")

    def on(self, guest, mmu=BASE):
        return self.at(guest, mmu, "on")

    def has(self, mmu, bypass="off"):
        return (mmu, bypass) in self.points

    def saved(self, guest, mmu=BASE):
        """By the bypass, in percent of all exits."""
        before = exits(self.off(guest, mmu))
        return percent(before - exits(self.on(guest, mmu)), before)

    def cycles_saved(self, guest, mmu=BASE):
        before = overhead(self.off(guest, mmu))
        return percent(before - overhead(self.on(guest, mmu)), before)


def exits(result):
    return result["exits"]["total"]


def reason(result, name):
    return result["exits"]["by_reason"].get(name, 0)


def cause(result, name):
    return result["exits"]["page_fault"][name]


def faults(result):
    return result["guest_faults"]["total"]


def absent_share(result):
    return percent(result["bypass"]["possible"], faults(result))


def coverage(result):
    return percent(result["bypass"]["direct"], result["bypass"]["possible"])


def overhead(result):
    """Cycles that the guest would not have needed by itself."""
    cycles = result["cycles"]
    return cycles["exit"] + cycles["handler"]


def span(values, unit=" %", digits=0):
    """The least and the most of them."""
    low, high = (f"{value:.{digits}f}" for value in (min(values), max(values)))
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def names_of(guests):
    return ", ".join(f"`{guest}`" for guest in guests)


def point_name(point):
    mmu, bypass = point
    return f"`{mmu}`, bypass" if bypass == "on" else f"`{mmu}`"


# --- What was run ----------------------------------------------------------

def what_is(guest, args):
    if guest not in WHAT:
        return f"`{args}`"
    text, n = WHAT[guest]
    told = re.search(r"notrap\.n=(\d+)", args)
    return text.format(n=told.group(1) if told else n)


def workload_table(r):
    rows = []
    for guest in r.guests:
        result = r.off(guest)
        codes = result["guest_faults"]["by_error_code"]
        names = " ".join(f"{code}:{count}" for code, count in codes.items())
        what = what_is(guest, result["source"]["args"])
        rows.append([f"`{guest}`", what,
                     f"{result['cost_counts']['cost.guest-insn'] / 1e6:.1f}",
                     figure(faults(result)), f"{absent_share(result):.0f} %",
                     names])
    return table(["", "what", "million instructions", "guest page faults",
                  "not present", "by error code"], rows)


# --- Exits by reason and cause ---------------------------------------------

def reason_table(r):
    rows = []
    for guest in r.guests:
        result = r.off(guest)
        total = exits(result)
        known = [reason(result, name) for name, _ in REASONS]
        shares = [f"{percent(count, total):.1f}" for count in known]
        rows.append([f"`{guest}`", figure(total), *shares,
                     f"{percent(total - sum(known), total):.1f}"])
    return table(["", "exits", *(f"{text} %" for _, text in REASONS),
                  "other %"], rows)


def reason_words(r):
    shares = {guest: percent(reason(r.off(guest), "EXCEPTION_NMI"),
                             exits(r.off(guest))) for guest in r.guests}
    most, least = max(shares, key=shares.get), min(shares, key=shares.get)
    return (f"Page faults are {shares[least]:.0f} % of all exits in `{least}`, "
            f"{shares[most]:.0f} % in `{most}`. CR access is the guest going "
            "from one address space to another. The rest is what any "
            "hypervisor of that time exits for, whatever it does about "
            "memory: port I/O, timer interrupts, CPUID.")


def cause_table(r):
    rows = []
    for guest in r.guests:
        for name in "off", "on":
            result = r.at(guest, BASE, name)
            counts = [figure(cause(result, c)) for c in CAUSES]
            direct = figure(result["guest_faults"]["direct"])
            rows.append([f"`{guest}`", name, *counts, direct])
    return table(["", "bypass", *(f"`{c}`" for c in CAUSES), "no exit"], rows)


def cause_words(r):
    hidden = {guest: cause(r.off(guest), "hidden_fill") / faults(r.off(guest))
              for guest in r.guests}
    most, least = max(hidden, key=hidden.get), min(hidden, key=hidden.get)
    return (f"For each page fault that the guest itself would have had, shadow "
            f"paging adds {hidden[least]:.1f} (`{least}`) to "
            f"{hidden[most]:.1f} (`{most}`) hidden ones.")


def fork_words(r):
    """Why a fork has so many of them."""
    early = r.off("fork")["shadow"]["mmu_flooded"]
    late = r.off("fork", "kvm-3.1")["shadow"]["mmu_flooded"]
    claim(late < early, "3.1 throws fewer tables away")
    return ("A new process is the worst case: its tables are new, and KVM's "
            "fork detector takes the copying of a table, or its clearing at "
            "exit, for a frame that is no table any more. In `fork` it throws "
            f"{figure(early)} shadow tables away ({figure(late)} in 3.1, where "
            "leaf tables go out of sync instead), and each page below them "
            "that is used again faults once more.")


# --- The bypass ------------------------------------------------------------

def bypass_table(r):
    rows = []
    for guest in r.guests:
        off, on = r.off(guest), r.on(guest)
        rows.append([
            f"`{guest}`", figure(exits(off)), figure(exits(on)),
            f"{r.saved(guest):.1f} %",
            f"{off['exits']['per_guest_fault']:.2f}",
            f"{on['exits']['per_guest_fault']:.2f}",
            f"{absent_share(on):.0f} %", f"{coverage(on):.0f} %",
            f"{r.cycles_saved(guest):.1f} %"])
    return table(["", "exits, off", "exits, on", "saved",
                  "#PF exits per guest fault, off", "on", "possible",
                  "coverage", "exit and handler cycles saved"], rows)


def where_it_pays(r):
    """A line a workload, the one with most to gain first."""
    lines = []
    for guest in sorted(r.guests, key=r.saved, reverse=True):
        off, on = r.off(guest), r.on(guest)
        possible = percent(off["bypass"]["possible"], exits(off))
        lines.append(
            f"- `{guest}` saves {r.saved(guest):.1f} % of its exits and "
            f"{r.cycles_saved(guest):.1f} % of the cycles they cost. "
            f"{possible:.0f} of 100 exits are guest faults on pages not "
            f"present, of which {coverage(on):.0f} % now go past the "
            f"hypervisor; {percent(cause(off, 'hidden_fill'), exits(off)):.0f} "
            "are hidden faults and "
            f"{percent(cause(off, 'pt_write'), exits(off)):.0f} page-table "
            "writes, for which the bypass does nothing.")
    return "\n".join(lines)


def pays_words(r):
    order = sorted(r.guests, key=r.saved)
    least, most = order[0], order[-1]

    def share(guest):
        off = r.off(guest)
        return percent(off["bypass"]["possible"], exits(off))

    claim(most == least or share(most) > share(least),
          "where more exits are guest faults on absent pages, more is saved")
    return (f"It pays where a program touches memory for the first time, and "
            f"little else happens: most in `{most}` ({r.saved(most):.1f} % of "
            f"all exits), least in `{least}` ({r.saved(least):.1f} %). What "
            "decides is how many of the exits are guest faults on pages not "
            f"present: {share(most):.0f} of 100 in `{most}`, "
            f"{share(least):.0f} in `{least}`.")


# --- Generations -----------------------------------------------------------

def generation_table(r, value):
    rows = [[point_name(point), *(value(r.of[guest].get(point))
                                  for guest in r.guests)]
            for point in r.points]
    return table(["", *(f"`{guest}`" for guest in r.guests)], rows)


def exits_of(result):
    return figure(exits(result)) if result else ""


def per_fault_of(result):
    rate = result and result["exits"]["per_guest_fault"]
    return "" if rate is None else f"{rate:.2f}"


def cycles_of(result):
    return f"{result['cycles']['total'] / 1e6:.0f}" if result else ""


def seed_words(r):
    worse = [g for g in r.guests if r.saved(g, "seed") < 0]
    text = ("The patch alone (`seed`) saves "
            f"{span([r.saved(g, 'seed') for g in r.guests], digits=1)} of the "
            "exits")
    if worse:
        text += f": it is a loss in {names_of(worse)}"
    better = sum(exits(r.on(g)) < exits(r.on(g, "seed")) for g in r.guests)
    return (text + ". Faults that bypass the hypervisor no longer reset its "
            "fork detector, so three page-table writes in a row, which is "
            "what filling a table looks like, have the table's shadow thrown "
            "away. 2.6.25 asks first whether the last entry has been used. It "
            f"saves {span([r.saved(g) for g in r.guests], digits=1)}, and has "
            f"fewer exits than the seed in {better} of {len(r.guests)} "
            "workloads.")


def unsync_words(r):
    late = [coverage(r.on(g, "kvm-2.6.38")) for g in r.guests]
    early = [coverage(r.on(g)) for g in r.guests]
    claim(sum(late) < sum(early), "out-of-sync tables cost coverage")
    saved = [r.saved(g, "kvm-2.6.38") for g in r.guests]
    return ("Since 2.6.28 the guest may write its leaf tables without an "
            "exit; their shadows go out of sync, and an entry nobody looked "
            "at can only be *trap*. Few bypasses are left: coverage falls from "
            f"{span(early)} in 2.6.25 to {span(late)} in 2.6.38, and with it "
            f"what the bypass saves, to {span(saved, digits=1)}.")


def hardware_words(r):
    """What second-level paging in hardware leaves of it all."""
    before = {g: exits(r.on(g)) for g in r.guests}
    after = {g: exits(r.off(g, "ept")) for g in r.guests}
    claim(all(after[g] < before[g] for g in r.guests), "EPT has fewer exits")
    left = {g: percent(after[g], before[g]) for g in r.guests}
    most = min(left, key=left.get)
    return ("With second-level paging in hardware (`ept`, 2008) neither page "
            "faults nor CR3 loads nor INVLPG exit; devices do, and the first "
            f"access to each page of the machine: {figure(after[most])} exits "
            f"in `{most}` instead of {figure(before[most])} in 2.6.25 with the "
            f"bypass, {span(left.values())} of them over all workloads.")


def removal_words(r):
    fewer = sum(exits(r.off(g, "kvm-3.1")) < exits(r.on(g)) for g in r.guests)
    cheaper = sum(overhead(r.off(g, "kvm-3.1")) < overhead(r.on(g))
                  for g in r.guests)
    claim(2 * cheaper > len(r.guests), "3.1 without the bypass is cheaper")
    most = max(r.guests, key=lambda g: exits(r.on(g)))
    early, late = r.on(most), r.off(most, "kvm-3.1")
    more = [g for g in r.guests
            if exits(r.off(g, "kvm-3.1")) > exits(r.on(g))]
    invlpg = sum(reason(r.off(g, "kvm-3.1"), "INVLPG") for g in more)
    but = (f" It has more in {names_of(more)}, where {figure(invlpg)} are for "
           "INVLPG, which exits where tables may be out of sync: Linux "
           "patches its code through pages that it maps for a moment."
           if more else "")
    return ("3.1 has no bypass any more, and does better: it has fewer exits "
            f"than 2.6.25 with the bypass in {fewer} of {len(r.guests)} "
            "workloads, and spends fewer cycles on exits and handling them in "
            f"{cheaper}. What unsync saves is more than what it costs the "
            f"bypass: in `{most}` there are "
            f"{figure(cause(late, 'pt_write'))} page-table writes instead of "
            f"{figure(cause(early, 'pt_write'))}, and "
            f"{figure(cause(late, 'hidden_fill'))} hidden faults instead of "
            f"{figure(cause(early, 'hidden_fill'))}, as fewer shadow tables "
            f"are thrown away.{but}")


def xen_words(r):
    most = max(r.guests, key=lambda g: cause(r.off(g, "xen"), "pt_write"))
    result = r.off(most, "xen")
    share = percent(cause(result, "pt_write"), exits(result))
    claim(share > 50, "Xen's exits are page-table writes")
    return ("`xen` stands for a shadow without KVM's fork detector: a frame "
            "that was a page table stays protected until two zeros in a row "
            f"are stored to it, so that {share:.0f} % of the exits of "
            f"`{most}` are stores to such frames, many of them data by then. "
            "What Xen of that time had against this is not modelled "
            "([generations.md](generations.md), \"Left out\"), so these rows "
            "are an upper bound.")


# --- Page-table isolation --------------------------------------------------

def pti_words(r):
    plain, pti = r.off("fork"), r.off("fork-pti")
    before, after = reason(plain, "CR_ACCESS"), reason(pti, "CR_ACCESS")
    claim(after > before, "PTI adds CR accesses")
    return (f"With page-table isolation (Meltdown's cure, 2018) the kernel "
            "loads CR3 on each way in and each way out. Each of these loads "
            f"is a VM exit under shadow paging: {figure(before)} CR accesses "
            f"become {figure(after)} ({after / before:.1f} times as many), "
            f"{percent(before, exits(plain)):.0f} % of all exits become "
            f"{percent(after, exits(pti)):.0f} %. The guest has as many page "
            f"faults as before, but for a few ({figure(faults(plain))} and "
            f"{figure(faults(pti))}), and the bypass saves {r.saved('fork-pti'):.1f} % of the exits "
            f"instead of {r.saved('fork'):.1f} %.")


def pti_table(r):
    rows = []
    for guest in "fork", "fork-pti":
        for bypass in "off", "on":
            result = r.at(guest, BASE, bypass)
            rows.append([f"`{guest}`", bypass, figure(exits(result)),
                         figure(reason(result, "EXCEPTION_NMI")),
                         figure(reason(result, "CR_ACCESS")),
                         figure(result["shadow"]["mmu_root_load"]),
                         f"{result['cycles']['total'] / 1e6:.0f}"])
    return table(["", "bypass", "exits", "page faults", "CR access",
                  "shadow roots looked up", "million cycles"], rows)


def parts(r):
    """Name of the place in docs/results.md: its text."""
    made = {
        "workloads": workload_table(r),
        "reasons": reason_table(r),
        "reason words": reason_words(r),
        "causes": cause_table(r),
        "cause words": " ".join(
            [cause_words(r)] + ([fork_words(r)] if "fork" in r.guests else [])),
        "bypass": bypass_table(r),
        "pays": pays_words(r) + "\n\n" + where_it_pays(r),
        "generations": generation_table(r, exits_of),
        "per fault": generation_table(r, per_fault_of),
        "cycles": generation_table(r, cycles_of),
        "generation words": "\n\n".join(
            [seed_words(r), unsync_words(r), removal_words(r), xen_words(r)]
            + ([hardware_words(r)] if r.has("ept") else [])),
    }
    if {"fork", "fork-pti"} <= set(r.guests):
        made["pti"] = pti_words(r) + "\n\n" + pti_table(r)
    return made
