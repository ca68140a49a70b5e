# SPDX-License-Identifier: GPL-2.0-or-later
"""What PCIDs and two-dimensional walks do: published figures against ours."""

from generated import table
from history_lab import cost_range, cycles

# --- PCIDs -------------------------------------------------------------------

# A. Lutomirski, the commit that gave Linux 4.14 PCIDs (10af6235e0d3): Skylake
# laptop at 2.3 GHz, in a guest under KVM, two processes by eventfd, fastest
# runs.  us a switch with PCIDs and with nopcid; dTLB walks of 512 pages each.
PCID = [(1, 1.22, 1.33), (512, 1.8, 6.2)]
PCID_WALKS = 11e6, 207e6
PCID_MHZ = 2300
FEW, MANY = 10, 30
WALK_COSTS = ["cost.walk", "cost.walk-l1", "cost.walk-l2", "cost.walk-l3",
              "cost.walk-mem"]


class Switch:
    """One switch of a guest beneath EPT, from two recordings that differ in
    rounds, of two switches each."""

    def __init__(self, lab, pages, pcid, machine="skylake"):
        self.few, self.many = (lab.replay(
            lab.record("mini", f"switch rounds={rounds} pages={pages} "
                       f"global=1 pcid={pcid} hz=0", "features=pcid"),
            "mmu=ept", f"machine={machine}", "hypervisor=kvm-5",
            "features=pcid") for rounds in (FEW, MANY))

    def each(self, figure):
        return (figure(self.many) - figure(self.few)) / (2 * (MANY - FEW))

    def us(self):
        return self.each(lambda r: r["cycles"]["total"]) / PCID_MHZ

    def us_text(self):
        least, typical, most = (self.each(lambda r, i=i: cycles(r)[i])
                                / PCID_MHZ for i in range(3))
        return f"{typical:.2f} ({least:.2f} to {most:.2f})"

    def tlb(self, name):
        return self.each(lambda r: r["tlb"][name])

    def walk_cycles(self):
        return self.each(walk_cycles)


def walk_cycles(result):
    return sum(cost_range(result["config"][key])[1] *
               result["cost_counts"][key] for key in WALK_COSTS)


def saved(on, off):
    """Cycles of a page."""
    return (off.us() - on.us()) * PCID_MHZ / PCID[1][0]


def pcids(lab):
    rows = []

    def row(what, published, ours, text="", digits=2):
        rows.append([what, f"{published:.{digits}f}",
                     text or f"{ours:.{digits}f}",
                     f"{ours / published:.2f}"])

    for pages, on, off in PCID:
        what = "no pages" if pages == 1 else f"{pages} pages"
        ours = [Switch(lab, pages, pcid) for pcid in (1, 0)]
        row(f"us a switch, {what}, PCIDs", on, ours[0].us(),
            ours[0].us_text())
        row("... without", off, ours[1].us(), ours[1].us_text())
        row("... what they save", off - on, ours[1].us() - ours[0].us())
    row(f"walks with PCIDs, of those without, {what}",
        PCID_WALKS[0] / PCID_WALKS[1],
        ours[0].tlb("walks") / ours[1].tlb("walks"), digits=3)
    published = (off - on) * PCID_MHZ / pages
    row("cycles saved for each page", published, saved(*ours), digits=1)
    serial = lab.machine("skylake", "serial", r"(?m)^walkers = \d+",
                         "walkers = 1")
    row("... if one walk has to end before the next", published,
        saved(*(Switch(lab, pages, pcid, serial) for pcid in (1, 0))),
        digits=1)
    return table(["", "published", "ours (least to most)", "ratio"], rows)


def pcid_parts(lab):
    """Where ours goes."""
    rows = []
    for pages, _, _ in PCID:
        for pcid in (1, 0):
            one = Switch(lab, pages, pcid)
            rows.append([
                "none" if pages == 1 else pages, "on" if pcid else "off",
                f"{one.each(lambda r: r['cycles']['guest']):.0f}",
                f"{one.tlb('l2_hits'):.0f}", f"{one.tlb('walks'):.0f}",
                f"{one.tlb('walks_overlapped'):.0f}",
                f"{one.tlb('walk_refs'):.0f}", f"{one.tlb('ept_refs'):.0f}",
                f"{one.walk_cycles():.0f}"])
    return table(["pages", "PCIDs", "instructions", "found in the second "
                  "level", "walks", "of them beside another", "entries read",
                  "of EPT", "cycles of walks"], rows)


# --- Two-dimensional walks ---------------------------------------------------

MACHINES = ["nehalem", "haswell", "skylake"]
# (name in the table, trace or the words of a recording)
LOADS = [("`stride`, 16 MiB", "stride pages=4096 rounds=4 hz=0"),
         ("`stride`, 32 MiB by 16 KiB",
          "stride pages=8192 stride=16384 rounds=8 hz=0"),
         ("`touch`, 1024 pages", "touch pages=1024 hz=0"),
         ("`mini-fork`", "mini-fork"), ("`lackey-gzip`", "lackey-gzip"),
         ("`lackey-sqlite`", "lackey-sqlite"),
         ("`linux-fork`", "linux-fork")]
KINDS = [("native", "mmu=native"), ("shadow", "mmu=kvm-3.1"),
         ("EPT", "mmu=ept")]
NESTED = r"(?m)^(nested-\S+) = \S+"


class Nested:
    """Every load under every mmu on every processor, once."""

    def __init__(self, lab):
        self.lab = lab
        self.bare = [lab.machine(name, "bare", NESTED, r"\1 = 0")
                     for name in MACHINES]

    def results(self, load, kind):
        """In the order of MACHINES; "bare": EPT, no nested caches."""
        path = self.lab.record("mini", load) if " " in load \
            else self.lab.trace(load)
        mmu = dict(KINDS).get(kind, "mmu=ept")
        memory = ["memory=128M"] if load.startswith("linux") else []
        return self.lab.replays(path, self.bare if kind == "bare"
                                else MACHINES, mmu, "hypervisor=kvm-3.1",
                                "roi=on", *memory)


def a_walk(result):
    """Entries read, and cycles."""
    tlb = result.get("tlb", {})
    walks = tlb.get("walks", 0)
    if not walks:
        return "-", "-"
    return (f"{tlb['walk_refs'] / walks:.2f}",
            f"{walk_cycles(result) / walks:.1f}")


def walks(lab):
    nested = Nested(lab)
    rows = []
    for name, load in LOADS:
        by_kind = [nested.results(load, kind)
                   for kind in ("native", "shadow", "EPT", "bare")]
        for i, machine in enumerate(MACHINES):
            each = [a_walk(results[i]) for results in by_kind]
            rows.append([name if i == 0 else "", f"`{machine}`",
                         *(refs for refs, _ in each),
                         *(cycles for _, cycles in each)])
    return table(["load", "processor", "entries a walk: native", "shadow",
                  "EPT", "EPT, no nested caches", "cycles a walk: native",
                  "shadow", "EPT", "EPT, no nested caches"], rows)


def total(result):
    return result["cycles"]["total"]


def more(these, than):
    """Percent, in the order of MACHINES."""
    return [100 * (total(one) - total(other)) / total(other)
            for one, other in zip(these, than)]


def gains(lab):
    """What of all cycles EPT costs and saves."""
    nested = Nested(lab)
    rows = []
    for name, load in LOADS:
        native, shadow, ept, bare = (
            nested.results(load, kind)
            for kind in ("native", "shadow", "EPT", "bare"))
        for i, machine in enumerate(MACHINES):
            rows.append([
                name if i == 0 else "", f"`{machine}`",
                *(f"{percents[i]:.1f} %" for percents in (
                    more(shadow, native), more(ept, native),
                    more(shadow, ept))),
                f"{-more(ept, bare)[i]:.1f} %"])
    return table(["load", "processor", "shadow over native",
                  "EPT over native", "shadow over EPT",
                  "saved by nested caches"], rows)


# What it is, least and most of the published percents, kinds compared, and the
# loads of ours.
CLAIMS = [
    ("Bhargava et al., ASPLOS 2008 (abstract): what caching two-dimensional "
     "walks saves, server and SPEC loads of a K10", 15, 38, "bare", "EPT",
     [load for _, load in LOADS]),
    ("VMware, *Performance Evaluation of Intel EPT*, 2009: shadow tables over "
     "EPT, loads that work the MMU", 0, 48, "shadow", "EPT", ["linux-fork"]),
    ("the same, microbenchmarks", 0, 600, "shadow", "EPT",
     [load for name, load in LOADS if "touch" in name or "mini" in name]),
    ("Wang et al., VEE 2011 (abstract): between shadow tables and EPT, SPEC "
     "loads", 0, 34, "shadow", "EPT", ["lackey-gzip", "lackey-sqlite"]),
]


def claims(lab):
    nested = Nested(lab)
    rows = []
    for what, least, most, kind, than, loads in CLAIMS:
        ours = []
        for load in loads:
            one, other = (nested.results(load, k) for k in (kind, than))
            ours += more(one, other) if kind != "bare" else \
                [-x for x in more(other, one)]
        rows.append([what, f"{least} to {most} %" if least
                     else f"up to {most} %",
                     f"{min(ours):.1f} to {max(ours):.1f} %",
                     f"{max(ours) / most:.2f}"])
    return table(["", "published", "ours", "ratio of the most"], rows)


TABLES = {"history pcid": pcids, "history pcid parts": pcid_parts,
          "history nested walks": walks, "history nested gains": gains,
          "history nested claims": claims}
